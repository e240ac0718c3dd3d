"""Recognises a full disk, whichever library reports it, and says so in one line."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

from void.errors import InputError

ERRORS = (errno.ENOSPC, errno.EDQUOT)
TEXT = re.compile(
    "|".join(
        [
            *(re.escape(os.strerror(number)) for number in ERRORS),
            # safetensors; Python's own, quoted by another error; HDF5.
            *(rf"os error {number}\b|\[Errno {number}\]|errno = {number}\b" for number in ERRORS),
            # torch.save, which loses the system's own error.
            r"PytorchStreamWriter failed writing|inline_container\.cc\S* \. unexpected pos",
        ]
    ),
    re.IGNORECASE,
)
"""Messages by which libraries that hide the system's error report a full disk."""
REMEDY = (
    "free some space or choose another folder (root=PATH), then run the same command again: what is finished is kept, "
    "and it continues"
)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one that it was raised from, says that the disk or the quota is full."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.errno in ERRORS:
            return True
        if not isinstance(current, InputError) and TEXT.search(str(current)):
            return True
        current = current.__cause__ or current.__context__
    return False


def disk_full(path: Path) -> InputError:
    """The error for a user whose disk became full while `path` was written."""
    folder = next((folder for folder in (path, *path.parents) if folder.is_dir()), Path.cwd())
    free = shutil.disk_usage(folder).free / 2**20
    return InputError(f"no space left while writing {path} ({free:.0f} MiB free)", REMEDY)


def explain_full_disk(error: BaseException) -> InputError:
    """The error for a user in place of one that `is_disk_full` recognises, wherever it came from."""
    name = getattr(error, "filename", None)
    if isinstance(name, str):
        return disk_full(Path(name))
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return InputError(f"no space left on a disk ({reason})", REMEDY)
