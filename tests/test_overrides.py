"""Words of the command line: texts are taken as they stand, and a flag is answered with the key that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from void.composition import compose_config
from void.errors import InputError
from void.overrides import is_text, readable, split

AWKWARD = [
    "/data/日本語",
    "my clip (1)",
    "a=b",
    "a,b",
    "a b  c",
    "#1",
    "it's",
    'the "best"',
    "50$",
    "[draft]",
    "{x}",
    "C:\\clips\\",
    "007",
    "true",
    "1e3",
    "choice(1)",
    "a:b",
    "ünïcode-é",
    "x;y&z|w",
]


@pytest.mark.parametrize("value", AWKWARD)
def test_a_path_is_taken_as_it_stands(value: str) -> None:
    config = compose_config([readable(f"infer.input={value}", sweeps=False)])
    assert config.infer.input == value


@pytest.mark.parametrize(("value", "read"), [("null", None), ("'a b'", "a b"), ('"a,b"', "a,b")])
def test_null_and_quoted_values_keep_their_meaning(value: str, read: str | None) -> None:
    assert compose_config([readable(f"infer.input={value}", sweeps=False)]).infer.input == read


def test_interpolations_still_resolve() -> None:
    config = compose_config([readable("training.root=${root}/a (b)", sweeps=False)])
    assert config.training.root == "runs/default/a (b)"


@pytest.mark.parametrize("value", ["a${b}", "a${b", "${}", "${x:y}", "${root.x}"])
def test_what_looks_like_an_interpolation_is_shown_in_the_form_that_works(value: str) -> None:
    with pytest.raises(InputError, match="bad value") as caught:
        compose_config([readable(f"infer.input={value}", sweeps=False)])
    assert r"\${ (in single quotes)" in caught.value.remedy
    escaped = value.replace("$", r"\$")
    assert compose_config([readable(f"infer.input={escaped}", sweeps=False)]).infer.input == value


def test_a_number_from_a_text_is_no_matter_of_characters() -> None:
    with pytest.raises(InputError) as caught:
        compose_config(["training.steps=${root}"])
    assert caught.value.remedy == "give a value of that type"


def test_the_home_folder_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    config = compose_config([readable("infer.input=~/clips", sweeps=False), "root='~/runs'"])
    assert config.infer.input == "/home/somebody/clips"
    assert config.training.root == "/home/somebody/runs/train"


def test_entries_of_a_dictionary_of_paths_are_texts() -> None:
    config = compose_config([readable("+scene.human.characters.Remy=/a b/(1).fbx", sweeps=False)])
    assert config.scene.human.characters == {"Remy": "/a b/(1).fbx"}


def test_the_short_form_of_the_data_folder(tmp_path: Path) -> None:
    assert readable("data=my pairs", sweeps=False) == "data.root='my pairs'"
    assert readable("data=default", sweeps=False) == "data=default"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("infer.input", True),
        ("data.root", True),
        ("eval.predictions.mine", True),
        ("executor.shard", True),
        ("training.steps", False),
        ("eval.predictions", False),
        ("recipe.mask_levels", False),
        ("model", False),
        ("nothing.like.it", False),
    ],
)
def test_the_type_of_a_key_says_whether_it_is_a_text(key: str, text: bool) -> None:
    assert is_text(key) is text


def test_commas_separate_the_texts_of_a_sweep() -> None:
    assert readable("infer.input=/日/a, '/b,c'", sweeps=True) == "infer.input='/日/a','/b,c'"
    assert readable("infer.input=glob(*)", sweeps=True) == "infer.input=glob(*)"
    assert readable("training.steps=1,2", sweeps=True) == "training.steps=1,2"


def test_what_hydra_cannot_read_is_shown_in_the_form_that_works() -> None:
    with pytest.raises(InputError) as caught:
        compose_config(["infer.input=/data/日本語"])
    assert caught.value.remedy.endswith("\"infer.input='/data/日本語'\"")
    with pytest.raises(InputError, match="reserved") as listed:
        compose_config(["eval.predictions={a: x(1)}"])
    assert "{LABEL: 'TEXT'}" in listed.value.remedy


def test_several_values_without_a_sweep_name_the_flag() -> None:
    with pytest.raises(InputError, match="several values for one key") as caught:
        compose_config(["training.learning_rate=1e-3,2e-3"])
    assert "--multirun" in caught.value.remedy


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--steps=3"], "training.steps=3"),
        (["--steps", "3"], "training.steps=3"),
        (["--learning-rate=1"], "write training.learning_rate=1, without"),
        (["--experiment=demo"], "write experiment=demo, without"),
        (["--training.steps=3"], "write training.steps=3, without"),
        (["--zzz"], "GROUP.KEY=VALUE"),
    ],
)
def test_a_flag_is_answered_with_the_key(arguments: list[str], meant: str) -> None:
    with pytest.raises(InputError, match="unknown flag") as caught:
        split(arguments, ("training", "stage"))
    assert meant in caught.value.remedy


def test_the_commands_own_key_comes_first() -> None:
    with pytest.raises(InputError) as caught:
        split(["--steps=3"], ("infer", "stage"))
    assert caught.value.remedy.startswith("write infer.steps=3")


def test_flags_of_hydra_keep_the_words_that_belong_to_them() -> None:
    assert split(["--cfg", "job", "a=1", "-m", "--info", "all"], ()) == (
        ["a=1"],
        ["--cfg", "job", "-m", "--info", "all"],
    )
