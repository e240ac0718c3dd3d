"""Parity with the released code on the small copy of its outputs, and on the whole ones where they are at hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from golden_models import GOLDEN
from parity.cases import CASES, Case, largest_difference
from parity.result import Result
from parity.run import run
from safetensors.torch import load_file, save_file

SHARED = Path(__file__).parents[2] / "../shared/golden"
RUN = Path(__file__).parent / "run.py"


@pytest.mark.parametrize("case", CASES, ids=[case.pattern for case in CASES])
@pytest.mark.parametrize("folder", [GOLDEN, SHARED], ids=["small copy", "whole"])
def test_case(folder: Path, case: Case) -> None:
    if folder == SHARED and not SHARED.is_dir():
        pytest.skip("../shared is absent")
    files = case.files(folder)
    if case.shared_only and folder == GOLDEN:
        assert not files, "sample pixels are not to be committed"
        return
    assert files
    results = [result for file in files for result in case.compare(folder, file)]
    assert results
    for result in results:
        assert result.passed, f"{result.name}: {result.difference:.1e} is past {result.tolerance:g}"


@pytest.fixture
def partial_copy(tmp_path: Path) -> Path:
    for name in ("config.json", "thinning.json", "transformer.safetensors", "transformer_forward.safetensors"):
        shutil.copy(GOLDEN / name, tmp_path)
    return tmp_path


def test_command_passes_and_names_what_is_absent(partial_copy: Path, capsys) -> None:
    assert run(partial_copy) == 0
    text = capsys.readouterr().out
    assert "ok      transformer forward" in text and "6 compared, 0 past tolerance" in text
    assert "absent  vae_roundtrip.safetensors" in text


def test_command_fails_past_tolerance(partial_copy: Path) -> None:
    file = partial_copy / "transformer_forward.safetensors"
    golden = load_file(file)
    golden["output"][0, 0, 0, 0, 0] += 1e-3
    save_file(golden, file)
    done = subprocess.run([sys.executable, RUN, partial_copy], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "FAILED  transformer forward " in done.stdout and "0 past tolerance" not in done.stdout


def test_small_differences_everywhere_are_past_tolerance(partial_copy: Path, capsys) -> None:
    file = partial_copy / "transformer_forward.safetensors"
    golden = load_file(file)
    golden["output"] += 1e-5
    save_file(golden, file)
    assert run(partial_copy) == 1
    text = capsys.readouterr().out
    assert "FAILED  transformer forward, rms" in text and "1 past tolerance" in text


def test_command_fails_where_nothing_is_compared(tmp_path: Path, capsys) -> None:
    assert run(tmp_path) == 1
    assert "0 compared" in capsys.readouterr().out


def test_differences_of_shape_and_nan_do_not_pass() -> None:
    assert largest_difference(torch.zeros(2), torch.zeros(1)) == float("inf")
    assert not Result("nan", largest_difference(torch.full((2,), float("nan")), torch.zeros(2)), 1.0).passed
