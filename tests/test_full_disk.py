"""A full disk is one line in every command, wherever it strikes, and what was finished is kept."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pipelines.user_clips import write_clip
from safetensors.torch import save_file
from tiny_disk import fill
from toy import toy_overrides

from void.cli import main
from void.full_disk import is_disk_full

TINY = (
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "infer.checkpoint=none",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
    "training.steps=1",
    "training.validate_every=0",
)


def numpy_archive(path: Path) -> None:
    np.savez(path, numbers=np.zeros(2**18))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: save_file({"a": torch.zeros(2**18)}, path),
        lambda path: torch.save({"a": torch.zeros(2**18)}, path),
        numpy_archive,
        lambda path: path.write_bytes(bytes(2**20)),
    ],
    ids=["safetensors", "torch.save", "numpy", "bytes"],
)
def test_each_library_is_understood(tiny_disk: Path, write: Callable[[Path], object]) -> None:
    fill(tiny_disk, leave=2**16)
    with pytest.raises(Exception) as caught:
        write(tiny_disk / "a.npz")
    assert is_disk_full(caught.value)


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.EDQUOT, "quota"), True),
        (RuntimeError(f"av_interleaved_write_frame(): {os.strerror(errno.ENOSPC)}"), True),
        (OSError("Can't synchronously write data (errno = 28, error message = 'No space left on device')"), True),
        (RuntimeError("PytorchStreamReader failed reading zip archive: inline_container.cc:242"), False),
        (OSError(errno.EACCES, "denied"), False),
        (ValueError("28 frames"), False),
    ],
)
def test_other_errors_are_told_apart(error: Exception, full: bool) -> None:
    assert is_disk_full(error) is full
    wrapped = RuntimeError("while saving")
    wrapped.__cause__ = error
    assert is_disk_full(wrapped) is full


def run(monkeypatch: pytest.MonkeyPatch, name: str, *overrides: str) -> object:
    """Exit status of a command that runs in this process."""
    monkeypatch.setattr(sys, "argv", ["void", name, *overrides])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


CASES = [("cache", 0), *((name, 2**15) for name in ("cache", "train", "infer", "export"))]


@pytest.mark.parametrize(("name", "leave"), CASES)
def test_every_command_says_it_in_one_line(
    name: str,
    leave: int,
    toy_data: Path,
    tiny_disk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    overrides = [*toy_overrides(toy_data, tiny_disk / "run"), *TINY]
    if name == "train":
        elsewhere = [*toy_overrides(toy_data, tmp_path / "run"), *TINY]
        assert run(monkeypatch, "cache", *elsewhere) == 0
        overrides.append(f"cache.root={tmp_path / 'run' / 'cache'}")
    if name == "infer":
        write_clip(tmp_path / "clip", 21, 192, 256)
        overrides += [f"infer.input={tmp_path / 'clip'}"]
    if name == "export":
        overrides += ["export.checkpoint=none", "export.dtype=float32"]
    fill(tiny_disk, leave=leave)
    capsys.readouterr()
    status = run(monkeypatch, name, *overrides)
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert status == 2 and "Traceback" not in text and "Logging error" not in text
    (line,) = [line for line in printed.err.splitlines() if line.startswith("error:")]
    assert "no space left" in line and "what is finished is kept" in printed.err
    assert not list(tiny_disk.rglob("*.partial-*"))
