"""One writer at a time in a folder that a long command fills."""

from __future__ import annotations

import contextlib
import fcntl
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
            raise InputError(
                f"another process is writing to {folder}", "wait for it or stop it, then run the same command again"
            ) from error
        yield
