"""One writer at a time in a folder that a long command fills."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from void.errors import InputError

LOCK = ".lock"


@contextlib.contextmanager
def sole_writer(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the folder while the context lasts. The system lets go of it when the process ends, however it ends.

    Args:
        folder: made if it is missing.
        wait: until another process that holds it lets go, instead of refusing.

    Raises:
        InputError: another process holds it, without `wait`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise _occupied(folder) from error
        yield


@contextlib.contextmanager
def one_of_the_writers(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold an existing folder while the context lasts, alone or with others, and leave no file in it.

    Args:
        folder: A folder, which need not be writable.
        alone: True to be the only process; False to share the folder with processes that pass False too.

    Raises:
        InputError: A process holds it that does not go with this one.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems do not lock folders: there nobody is kept out.
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _occupied(folder) from error
        yield
    finally:
        os.close(descriptor)


def _occupied(folder: Path) -> InputError:
    return InputError(
        f"another process is writing to {folder}", "wait for it or stop it, then run the same command again"
    )
