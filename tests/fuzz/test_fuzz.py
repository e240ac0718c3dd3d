"""Broken inputs end in a named error or a result: a few in every run, 300 in the slow one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "run.py"


def fuzz(*arguments: str) -> str:
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout


def test_broken_prompts_end_in_named_errors() -> None:
    assert "| all | 2 |" in fuzz("--cases", "24", "--only", "prompt.json")


@pytest.mark.slow
def test_300_broken_inputs_end_in_named_errors_or_results() -> None:
    assert "| all | 300 |" in fuzz()
