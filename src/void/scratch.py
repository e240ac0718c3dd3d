"""Temporary folders that a killed process does not leave for ever: the next run of the same user removes them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"void-[a-z-]+-\d+-\w+")
_YOUNG_SECONDS = 10.0
"""Between making its folder and locking it a process needs less than this."""


@contextlib.contextmanager
def scratch_folder(use: str) -> Iterator[Path]:
    """Yield a new temporary folder, which is removed afterwards, or by a later run where this process is killed.

    The process holds a lock on the folder, which the system releases however the process ends.

    Args:
        use: What the folder is for, in lower-case letters; with the process id it is part of the folder's name.
    """
    with tempfile.TemporaryDirectory(prefix=f"void-{use}-{os.getpid()}-") as name:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            # Some network file systems do not lock folders: there nothing is recognised as abandoned.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield Path(name)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def temporary_files_in_scratch(use: str) -> Iterator[None]:
    """Let every temporary file of this process, those of libraries included, lie in a folder of `scratch_folder`."""
    remove_abandoned()
    before = tempfile.tempdir
    with scratch_folder(use) as folder:
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


def remove_abandoned() -> list[Path]:
    """Remove the folders of `scratch_folder` whose process was killed. Those of other users are left alone.

    Returns:
        The removed folders.
    """
    removed = []
    for folder in Path(tempfile.gettempdir()).glob("void-*"):
        if _NAME.fullmatch(folder.name) and _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or not folder.is_dir():
            return False
        status = folder.stat()
        if status.st_uid != os.getuid() or time.time() < status.st_ctime + _YOUNG_SECONDS:
            return False
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
