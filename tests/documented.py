"""Fenced examples of the documentation, and running them to their end at toy size."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from void.cli import main

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

TINY = ("model=tiny", "model.transformer.num_layers=2", "model.transformer.num_attention_heads=2", "distributed=single")
SMALL = ("data.frames=13", "data.height=32", "data.width=48", "device=cpu", "tracker=none", *TINY)
QUICK = {
    "generate": ("scene.renderer=preview", "scene.count=2", "scene.val_every=2", "executor.workers=1"),
    "train": ("training.steps=2", "training.batch_size=1", "training.validate_every=0", "training.optimizer=adamw"),
    "infer": ("infer.steps=2", "infer.pass2.steps=2"),
}
"""Overrides that make a documented command end in seconds, and leave its paths and what it is an example of."""


def shell_lines(page: Path) -> list[str]:
    """The commands of a page's `sh` blocks, without comments, each on one line."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def python_blocks(page: Path) -> list[str]:
    """The page's `python` blocks."""
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def lines_with(page: Path, part: str) -> list[str]:
    """The page's `void` commands in which a text occurs; there is at least one."""
    lines = [line for line in shell_lines(page) if line.startswith("void ") and part in line]
    assert lines, f"{page.name} shows no command with {part}"
    return lines


def run_void(line: str, monkeypatch: pytest.MonkeyPatch, quick: Sequence[str] = ()) -> None:
    """Run a command to its end in this process.

    Args:
        line: The command as a user types it.
        monkeypatch: Fixture that puts `sys.argv` back.
        quick: Overrides that follow the command's own and win over them.

    Raises:
        AssertionError: The command ended with an exit status other than 0.
    """
    _, command, *words = shlex.split(line)
    monkeypatch.setattr(sys, "argv", ["void", command, *words, *quick])
    try:
        main()
    except SystemExit as end:
        assert end.code in (0, None), f"{line} ended with status {end.code}"


def run_small(line: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    """Run a command to its end with the tiny model and thumbnails.

    Args:
        line: The command as a user types it.
        monkeypatch: Fixture that puts `sys.argv` back.
        more: Further overrides, which win over all others.
    """
    command = line.split()[1]
    without_model = re.sub(r" (model|distributed)=\S+", "", line)
    run_void(without_model, monkeypatch, [*SMALL, *QUICK.get(command, ()), *more])
