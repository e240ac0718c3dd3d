"""The command line: what a wrong word, key or value is answered with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from void import cli
from void.composition import compose_config, compose_raw, valid_keys
from void.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


def void(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "void.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    ("override", "problem", "remedy"),
    [
        ("training.lerning_rate=1", "training.lerning_rate", "training.learning_rate"),
        ("trainig.steps=3", "trainig", "training"),
        ("+training.new_key=1", "training.new_key", ""),
        ("+extra.deep=1", "extra", ""),
        ("scene.frams=5", "scene.frams", "scene.frames"),
        ("training.learning_rate=fast", "training.learning_rate=fast", "type"),
        ("training.steps=2.5", "training.steps=2.5", "type"),
        ("recipe.mask_levels=five", "expected one of", "type"),
        ("model=tinny", "model=tinny", "model=tiny"),
        ("experiment=nothing_like_it", "experiment=nothing_like_it", "demo"),
    ],
)
def test_a_bad_override_is_named_with_the_nearest_good_one(override: str, problem: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        compose_config([override])
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_missing_value_is_named() -> None:
    with pytest.raises(InputError, match=r"training\.steps"):
        compose_config(["training.steps='???'"])


def test_every_key_is_listed_once() -> None:
    keys = valid_keys(compose_raw([]))
    assert len(keys) == len(set(keys))
    assert {"training.steps", "recipe.mask_levels", "scene.family", "name"} <= set(keys)


def test_an_unknown_command_suggests_the_nearest(tmp_path: Path) -> None:
    result = void("trian", cwd=tmp_path)
    assert result.returncode == cli.USAGE_STATUS
    assert "did you mean train" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_key_exits_with_two_lines_and_writes_nothing(tmp_path: Path) -> None:
    result = void("train", "training.stepz=3", cwd=tmp_path)
    assert result.returncode == cli.USAGE_STATUS
    assert result.stderr.strip().splitlines() == [
        "error: unknown configuration key: training.stepz",
        "-> did you mean training.steps?",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["--cfg", "job", "training.steps=7", "experiment=demo"], ["experiment=demo", "training.steps=7", "--cfg", "job"]],
)
def test_flags_may_stand_anywhere(arguments: list[str], tmp_path: Path) -> None:
    result = void("train", *arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "steps: 7" in result.stdout
    assert "name: demo" in result.stdout


def test_a_key_written_as_a_flag_is_explained(tmp_path: Path) -> None:
    result = void("train", "--experiment=demo", cwd=tmp_path)
    assert result.returncode == cli.USAGE_STATUS
    assert "write experiment=demo, without dashes" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_input_error_inside_a_command_reaches_the_reader(tmp_path: Path) -> None:
    result = void("cache", "data=no/such/folder", cwd=tmp_path)
    assert result.returncode == cli.USAGE_STATUS
    assert "no/such/folder" in result.stderr
    assert "->" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_lists_commands_in_the_order_of_the_flow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["void", "--help"])
    cli.main()
    shown = capsys.readouterr().out
    positions = [shown.index(f"  {name} ") for name in cli.COMMAND_ORDER]
    assert positions == sorted(positions)


@pytest.mark.parametrize("name", cli.COMMAND_ORDER)
def test_every_command_teaches_itself(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["void", name, "--help"])
    cli.main()
    shown = capsys.readouterr().out
    command = cli.commands()[name]
    assert command.summary in shown
    assert all(f"{group}  (choose with {group}=NAME" in shown for group in command.groups)


@pytest.mark.parametrize("script", ["train", "eval"])
def test_scripts_at_the_top_are_the_commands(script: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / f"{script}.py"), "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert f"void {script}:" in result.stdout
