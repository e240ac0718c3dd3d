"""Files that appear whole or not at all, and their checksums."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from void.errors import InputError

PARTIAL_MARK = ".partial-"


def _partial_name(path: Path) -> Path:
    """A sibling name that no reader trusts; keeps the suffix, because encoders choose a container by it."""
    return path.with_name(f".{path.stem}{PARTIAL_MARK}{uuid.uuid4().hex[:8]}{path.suffix}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _publish(path: Path, partial: Path) -> Iterator[Path]:
    try:
        yield partial
        if partial.is_dir():
            for file in partial.rglob("*"):
                if file.is_file():
                    _sync(file)
            if path.exists():
                _remove(path)
        else:
            _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    except OSError as error:
        _remove(partial)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(path.parent).free / 2**20
            raise InputError(
                f"no space left while writing {path} ({free:.0f} MiB free)",
                "free some space or choose another folder (root=PATH), then run the same command again: it continues",
            ) from error
        raise
    except BaseException:
        _remove(partial)
        raise


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write to the yielded temporary path; on success it is synced and renamed to `path`, on any error it is removed.

    Raises:
        InputError: the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _publish(path, _partial_name(path)) as partial:
        yield partial


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Fill the yielded temporary folder; on success it replaces `path`, on any error it is removed.

    Raises:
        InputError: the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _publish(path, _partial_name(path)) as partial:
        partial.mkdir()
        yield partial


def remove_partials(folder: str | Path, *, of: Callable[[str], bool] = lambda name: True) -> int:
    """Delete what killed processes left in `folder` (not recursive). Call only while nothing else writes there.

    Args:
        folder: may be missing.
        of: which leftovers to delete, by the name without suffix of what was to be written.

    Returns:
        Their number.
    """
    folder = Path(folder)
    found = list(folder.glob(f".*{PARTIAL_MARK}*")) if folder.is_dir() else []
    leftovers = [path for path in found if of(path.name[1:].split(PARTIAL_MARK)[0])]
    for leftover in leftovers:
        _remove(leftover)
    return len(leftovers)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all. A file that holds this text already is left as it is."""
    path = Path(path)
    encoded = text.encode("utf-8")
    if path.is_file() and path.read_bytes() == encoded:
        return
    with whole_file(path) as partial:
        partial.write_bytes(encoded)


def write_json(path: str | Path, value: Any) -> None:
    """Write indented JSON with sorted keys (same value, same bytes), whole or not at all. NaN is refused."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read JSON.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist", "check the path, or run the command that writes it") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path} is not valid JSON ({error})", "delete the file and run the command that writes it"
        ) from error


def sha256_file(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(value: Any) -> str:
    """Hex SHA-256 of a JSON-able value: the key under which derived files are stored."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()
