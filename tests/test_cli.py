"""The command line: what a wrong word, key or value is answered with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from toy import toy_overrides

from void import cli
from void.composition import compose_config, compose_raw, valid_keys
from void.config import VoidConfig
from void.errors import InputError
from void.training.trainer import train

ROOT = Path(__file__).resolve().parents[1]


def void(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "void", *arguments],
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


# Refusals that need no file. Each is answered before any library of networks, images or videos is imported.
REFUSALS = [
    "train training.batch_size=0",
    "train training.stepz=3",
    "train stage=both",
    "train distributed=ddp",
    "train --steps=3",
    "train tracker=wnadb",
    "cache noise.canvas=0",
    "cache data.height=50",
    "infer infer.crf=60",
    "infer infer.overlap=3",
    "infer stage=pass2 noise.flow=simulator",
    "eval eval.baselines=[inptu]",
    "generate scene.frames=20",
    "generate scene.renderer=opengl",
    "generate executor.shard=4/4",
    "export stage=both",
    "plan plan.gpu=abacus",
    "plan stage=auto",
    "doctor device=tpu",
    "train-vae vae_training.crop=3",
    "trian",
]
HEAVY = ("torch", "diffusers", "transformers", "accelerate", "av", "cv2", "scipy", "kubric", "pybullet", "bpy", "wandb")
LISTING = """
import json, sys
from void import cli
found = []
for line in json.loads(sys.argv[1]):
    sys.argv = ["void", *line.split()]
    try:
        cli.main()
        status = 0
    except SystemExit as stopped:
        status = stopped.code
    found.append([line, status, [name for name in json.loads('%s') if name in sys.modules]])
print(json.dumps(found))
"""


def test_refusals_that_need_no_file_import_nothing_heavy_and_write_nothing(tmp_path: Path) -> None:
    code = LISTING % json.dumps(HEAVY)
    result = subprocess.run(
        [sys.executable, "-c", code, json.dumps(REFUSALS)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = json.loads(result.stdout.splitlines()[-1])
    assert found == [[line, cli.USAGE_STATUS, []] for line in REFUSALS], result.stderr
    assert result.stderr.count("->") == len(REFUSALS)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_training_imports_nothing_heavy(toy_config: Callable[..., VoidConfig], toy_cache: Path) -> None:
    overrides = ["training.steps=1", "training.validate_every=0", f"cache.root={toy_cache}"]
    config = toy_config(*overrides)
    train(config)
    line = ["train", *toy_overrides(Path(config.data.root), Path(config.root)), *overrides]
    code = (
        "import json, sys; from void import cli; sys.argv = ['void', *json.loads(sys.argv[1])]; cli.main(); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code, json.dumps(line)], capture_output=True, text=True, check=True)
    assert "training is finished" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments", [["doctor"], ["plan"], ["train", "--help"], ["train", "--cfg", "job"], ["--help"], ["--version"]]
)
def test_a_command_that_only_asks_leaves_nothing_behind(arguments: list[str], tmp_path: Path) -> None:
    result = void(*arguments, cwd=tmp_path)
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_launcher_is_answered_like_any_other_typo(tmp_path: Path) -> None:
    result = void("train", "--multirun", "hydra/launcher=slrum", "seed=1,2", cwd=tmp_path)
    assert result.returncode == cli.USAGE_STATUS
    assert result.stderr.splitlines()[0] == "error: unknown option: hydra/launcher=slrum"
    assert "did you mean hydra/launcher=slurm?" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ["train", "eval"])
def test_scripts_at_the_top_are_the_commands(script: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / f"{script}.py"), "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert f"void {script}:" in result.stdout
