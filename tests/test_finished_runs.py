"""A finished run of each command answers without importing the libraries of networks.

One toy run of every command is made in this process; each command is then run again in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pipelines.user_clips import write_clip
from toy import toy_overrides, write_toy_data

from void.cache.noise import build_noise
from void.cache.store import build_cache
from void.composition import compose_config
from void.config import VoidConfig
from void.evaluation.evaluate import evaluate
from void.export.export import export
from void.pipelines.infer import infer
from void.training.trainer import train

NETWORKS = ("torch", "diffusers", "transformers", "accelerate", "scipy", "torchmetrics")
PICTURES = ("av", "cv2")
RUN = (
    "import json, sys; from void import cli; sys.argv = ['void', *json.loads(sys.argv[1])]; cli.main(); "
    f"print([name for name in {(*NETWORKS, *PICTURES)} if name in sys.modules])"
)
SETTINGS = (
    "data.height=48",
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "training.steps=1",
    "training.validate_every=0",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
    "infer.checkpoint=none",
    "infer.pass2.checkpoint=none",
    "noise.canvas=8",
    "eval.baselines=[input]",
)


def add_clip_keys(root: Path) -> list[str]:
    return [f"infer.input={root}/clip", f"infer.root={root}/results", "infer.strip=false"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of finished runs of all commands."""
    root = tmp_path_factory.mktemp("finished")
    write_toy_data(root / "data", train=2, val=1)
    write_clip(root / "clip", frames=5, height=48)
    compose: Callable[..., VoidConfig] = lambda *more: compose_config([*arguments(root), *more])  # noqa: E731
    build_cache(compose())
    build_noise(compose("stage=pass2"))
    train(compose())
    train(compose("stage=pass2"))
    infer(compose("stage=both"))
    infer(compose(*add_clip_keys(root)))
    evaluate(compose("stage=both"))
    export(compose())
    export(compose("export.checkpoint=" + str(root / "export" / "void_pass1.safetensors"), "export.layout=comfyui"))
    return root


def arguments(root: Path) -> list[str]:
    return [*toy_overrides(root / "data", root), *SETTINGS, f"export.to={root}/export"]


def rerun(root: Path, *line: str) -> tuple[str, list[str]]:
    """What a command prints, and which of the heavy libraries it imported."""
    command, *overrides = line
    result = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps([command, *arguments(root), *overrides])],
        cwd=root,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "500"},
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    *printed, imported = result.stdout.splitlines()
    return "\n".join(printed) + result.stderr, json.loads(imported.replace("'", '"'))


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("cache", "is complete: 3 pairs"),
        ("cache stage=pass2", "noise"),
        ("train", "training is finished"),
        ("train stage=pass2", "training is finished"),
        ("infer", "pass1 is up to date"),
        ("infer stage=both", "pass2 is up to date"),
        ("eval stage=both", "evaluation is up to date"),
        ("export", "is up to date"),
    ],
)
def test_a_finished_run_imports_no_library_of_networks_or_pictures(finished: Path, line: str, answer: str) -> None:
    printed, imported = rerun(finished, *line.split())
    assert answer in printed
    assert imported == []


def test_a_single_file_of_weights_is_recognised_by_its_header(finished: Path) -> None:
    source = finished / "export" / "void_pass1.safetensors"
    printed, imported = rerun(finished, "export", f"export.checkpoint={source}", "export.layout=comfyui")
    assert "void_pass1_comfyui.safetensors is up to date" in printed
    assert imported == []


def test_finished_clips_of_a_user_are_counted_and_no_more(finished: Path) -> None:
    printed, imported = rerun(finished, "infer", *add_clip_keys(finished))
    assert "pass1 is up to date" in printed
    assert set(imported) <= set(PICTURES)
