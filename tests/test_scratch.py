"""Temporary folders: gone after use, gone after a kill, and nobody else's touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from void import scratch

HOLDER = """
import sys, tempfile, time
from void.scratch import temporary_files_in_scratch
with temporary_files_in_scratch("train"):
    print(tempfile.mkdtemp(), flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_YOUNG_SECONDS", 0.0)


def test_a_folder_is_gone_after_use(tmp_path: Path) -> None:
    with scratch.scratch_folder("job") as folder:
        (folder / "deep").mkdir()
        assert folder.parent == tmp_path and str(os.getpid()) in folder.name
        assert scratch.remove_abandoned() == []
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_leaves_is_removed_by_the_next_and_a_live_one_keeps_its_own(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with (
        subprocess.Popen([sys.executable, "-c", HOLDER], env=environment, stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen([sys.executable, "-c", HOLDER], env=environment, stdout=subprocess.PIPE, text=True) as second,
    ):
        assert first.stdout and second.stdout
        held = [Path(process.stdout.readline().strip()) for process in (first, second) if process.stdout]
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert all(folder.is_dir() for folder in held)
        assert scratch.remove_abandoned() == [held[0].parent]
        assert not held[0].exists() and held[1].is_dir()
        second.send_signal(signal.SIGKILL)


def test_folders_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "void-notes").mkdir()
    (tmp_path / "void-train-1-abc").write_text("a file")
    (tmp_path / "void-train-2-abc").mkdir()
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert scratch.remove_abandoned() == []
    monkeypatch.setattr(os, "getuid", lambda: user)
    assert scratch.remove_abandoned() == [tmp_path / "void-train-2-abc"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["void-notes", "void-train-1-abc"]


def test_a_folder_that_was_just_made_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_YOUNG_SECONDS", 60.0)
    (tmp_path / "void-train-2-abc").mkdir()
    assert scratch.remove_abandoned() == []
