"""The file that `plan.json` names, looked at before the minutes of counting."""

from __future__ import annotations

import os
from pathlib import Path

from void.errors import InputError
from void.files import read_json

# Keys of a written plan that no other JSON file has together.
MARKS = {"gpu", "mfu", "video_tokens", "transformer"}


def check_file(path: Path) -> None:
    """Raise unless a plan may be written to `path`.

    Raises:
        InputError: The path is a folder, is in a folder that cannot be written to, or is a file that is no plan.
    """
    other = "give another path: plan.json=FILE"
    if path.is_dir():
        raise InputError(f"plan.json={path} is a folder", other)
    if path.exists() and not _is_plan(path):
        raise InputError(f"plan.json={path} exists and is not a plan; it stays as it is", other)
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"plan.json={path} cannot be written: {parent} is not a folder to write to", other)


def _is_plan(path: Path) -> bool:
    try:
        content = read_json(path)
    except InputError:
        return False
    return isinstance(content, dict) and content.keys() >= MARKS
