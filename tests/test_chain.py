"""The whole chain through the command line, at the smallest size: what `make demo` does, with experiment=smoke."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from void.pairs import read_manifest, validate
from void.video import probe

# What `make demo` runs, in its order.
STAGES = (
    ("generate",),
    ("cache", "stage=pass2"),
    ("train",),
    ("train", "stage=pass2"),
    ("infer", "stage=both"),
    ("eval", "stage=both"),
)


def run(stage: tuple[str, ...], root: Path) -> str:
    command, *overrides = stage
    result = subprocess.run(
        [sys.executable, "-m", "void.cli", command, "experiment=smoke", f"root={root}", *overrides],
        cwd=root.parent,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("chain") / "smoke"
    for stage in STAGES:
        output = run(stage, root)
    assert str(root / "eval" / "report.html") in output.replace("\n", "")
    return root


def results(root: Path) -> dict[str, float]:
    """Modification times of everything the stages published; the logs of each run are new by design."""
    return {
        str(path.relative_to(root)): path.stat().st_mtime
        for path in root.rglob("*")
        if path.is_file() and "logs" not in path.relative_to(root).parts
    }


def test_every_stage_leaves_whole_results(finished: Path) -> None:
    rows = read_manifest(finished / "pairs")
    assert {row.split for row in rows} == {"train", "val"}
    assert validate(finished / "pairs") == []
    held_out = [row for row in rows if row.split == "val"]
    for row in held_out:
        for folder in ("infer", "infer-pass2"):
            predicted = probe(finished / folder / f"{row.id}.mp4")
            assert (predicted.frames, predicted.height, predicted.width) == (row.frames, row.height, row.width)
    assert (finished / "train" / "checkpoints" / "step-000003").is_dir()
    assert (finished / "train-pass2" / "checkpoints" / "step-000003").is_dir()
    metrics = json.loads((finished / "eval" / "metrics.json").read_text())
    assert metrics
    for page in ("report.html", "noise.html"):
        assert "<video" in (finished / "eval" / page).read_text()
    assert (finished / "eval" / "metrics.csv").stat().st_size > 0


def test_nothing_partial_is_left(finished: Path) -> None:
    assert list(finished.rglob(".*.partial-*")) == []


def test_a_second_run_changes_nothing(finished: Path) -> None:
    before = results(finished)
    time.sleep(0.01)
    for stage in STAGES:
        run(stage, finished)
    assert results(finished) == before
