"""The command line: what a wrong word, key or value is answered with."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
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
        ("trainig.steps=3", "trainig.steps", "training.steps"),
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
    assert {"training.steps", "recipe.mask_levels", "scene.motion", "name"} <= set(keys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "did you mean train"),
        (["train", "--experiment=demo"], "write experiment=demo, without dashes"),
        (["train", "--help", "experiment=nothing_like_it"], "unknown option: experiment=nothing_like_it"),
        (["train", "--cfg", "job", "training.stepz=3"], "did you mean training.steps"),
        (["cache", "data=no/such/folder"], "no/such/folder"),
    ],
)
def test_a_refused_command_says_why_and_what_to_do(arguments: list[str], words: str, tmp_path: Path) -> None:
    result = void(*arguments, cwd=tmp_path)
    assert result.returncode == cli.USAGE_STATUS
    assert words in result.stderr
    assert "->" in result.stderr
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


def test_help_explains_keys_with_the_values_of_the_experiment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["void", "train", "experiment=demo", "--help"])
    cli.main()
    shown = capsys.readouterr().out
    assert "  name: demo\n" in shown
    assert "  steps: 600\n      Optimiser steps in total" in shown
    assert "  optimizer: adamw   (adamw | came)\n" in shown


def test_the_version_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["void", "--version"])
    cli.main()
    assert capsys.readouterr().out == f"void {version('void')}\n"


@pytest.mark.parametrize("script", ["train", "eval"])
def test_scripts_at_the_top_are_the_commands(script: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / f"{script}.py"), "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert f"void {script}:" in result.stdout
