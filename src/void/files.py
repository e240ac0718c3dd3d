"""Files that appear whole or not at all, replace nothing that another program wrote, and their checksums."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from void import ledger
from void.errors import InputError
from void.full_disk import disk_full, is_disk_full
from void.text import read_text

log = logging.getLogger(__name__)

PARTIAL_MARK = ".partial-"
_PARTIAL = re.compile(rf"\.(.+){re.escape(PARTIAL_MARK)}(?:[0-9a-f]{{8}}|rotated)(?:\.[^.]*)?")
ELSEWHERE = "move it away or choose another folder, then run the same command again"

Earlier = Callable[[Path], bool]
"""Tells whether an existing file or folder that no ledger lists was written by a version without ledgers."""


def _partial_name(path: Path) -> Path:
    """A sibling name that no reader trusts; keeps the suffix, because encoders choose a container by it."""
    return path.with_name(f".{path.stem}{PARTIAL_MARK}{uuid.uuid4().hex[:8]}{path.suffix}")


def _is_inside_partial(path: Path) -> bool:
    return any(_PARTIAL.fullmatch(folder.name) for folder in path.parents)


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


def check_replaceable(path: str | Path, *, kind: str | None = None, earlier: Earlier | None = None) -> None:
    """Raise unless nothing is lost where `path` is replaced or deleted.

    That is so where it is absent, an empty file or an empty folder, where a ledger lists exactly what the file holds,
    or where the folder was written as a whole and its own ledger lists every file in it.

    Args:
        path: File or folder.
        kind: Kind that a folder must have been written as; None accepts any.
        earlier: Test that recognises what a version without ledgers wrote; asked where no ledger lists the name.

    Raises:
        InputError: another program wrote it, or somebody changed it.
    """
    path = Path(path)
    if not os.path.lexists(path):
        return
    if path.is_symlink():
        raise InputError(f"{path} is a link, and void replaces no link", ELSEWHERE)
    if path.is_dir():
        _check_folder(path, kind, earlier)
    elif kind is not None:
        raise InputError(f"{path} is a file, and a folder is to be written there", ELSEWHERE)
    elif path.stat().st_size and not ledger.wrote(path):
        if ledger.lists(path):
            raise InputError(f"{path} was changed after void wrote it", ELSEWHERE)
        if earlier is None or not earlier(path):
            raise InputError(f"{path} is there already, and void did not write it", ELSEWHERE)


def _check_folder(folder: Path, kind: str | None, earlier: Earlier | None) -> None:
    known = ledger.read_ledger(folder)
    kinds = known.get(ledger.WHOLE, set())
    inside = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*")}
    if not inside or (not known and earlier is not None and earlier(folder)):
        return
    inside.pop(ledger.LEDGER, None)
    if not kinds or (kind is not None and kind not in kinds):
        wanted = "folder that void wrote" if kind is None else f"{kind} that void wrote"
        shown = ", ".join(sorted(inside)[:3]) + (", ..." if len(inside) > 3 else "")
        raise InputError(f"{folder} is not a {wanted}: it holds {shown}", ELSEWHERE)
    around = {parent.as_posix() for name in known for parent in Path(name).parents}
    foreign = sorted(name for name, file in inside.items() if name not in around and not _is_listed(file, known, name))
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if foreign[3:] else "")
        raise InputError(f"{folder} holds files that void did not write or that were changed since: {shown}", ELSEWHERE)


def _is_listed(file: Path, known: Mapping[str, set[str]], name: str) -> bool:
    return file.is_file() and not file.is_symlink() and ledger.content_of(file) in known.get(name, set())


def remove_written(path: str | Path, *, earlier: Earlier | None = None) -> bool:
    """Delete a file or folder of ours; one that is not ours is left alone, and the log says so.

    A killed deletion of a folder leaves nothing that looks complete.

    Args:
        path: File or folder, which may be missing.
        earlier: As for `check_replaceable`.

    Returns:
        Whether nothing is there now.
    """
    path = Path(path)
    try:
        check_replaceable(path, earlier=earlier)
    except InputError as error:
        log.warning("kept: %s", error.problem)
        return False
    if path.is_dir():
        doomed = _partial_name(path)
        path.rename(doomed)
        _remove(doomed)
    else:
        path.unlink(missing_ok=True)
    return True


def set_aside(path: Path) -> Path:
    """Rename a damaged file of a store, so that it can be made again and nothing is lost.

    Returns:
        Its new name, `NAME.damaged-N`.
    """
    number = 1
    while os.path.lexists(kept := path.with_name(f"{path.name}.damaged-{number}")):
        number += 1
    path.rename(kept)
    return kept


@contextlib.contextmanager
def _publish(path: Path, kind: str | None, earlier: Earlier | None) -> Iterator[Path]:
    if kind is None and path.is_dir():
        raise InputError(f"{path} is a folder, and a file is to be written there", ELSEWHERE)
    check_replaceable(path, kind=kind, earlier=earlier)
    partial = _partial_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        files = [partial] if kind is None else [file for file in partial.rglob("*") if file.is_file()]
        for file in files:
            _sync(file)
        # Somebody may have put a file there while this one was made.
        check_replaceable(path, kind=kind, earlier=earlier)
        if not _is_inside_partial(path):
            _note(path, partial, kind, files)
        if kind is not None and path.exists():
            _replace_folder(path, partial)
        else:
            partial.replace(path)
        _sync(path.parent)
    except BaseException as error:
        _remove(partial)
        if not isinstance(error, InputError) and is_disk_full(error):
            raise disk_full(path) from error
        raise


def _note(path: Path, partial: Path, kind: str | None, files: list[Path]) -> None:
    if kind is None:
        ledger.note(path.parent, {path.name: ledger.content_of(partial)})
        return
    names = sorted(file.relative_to(partial).as_posix() for file in files)
    ledger.note(partial, {ledger.WHOLE: kind} | {name: ledger.content_of(partial / name) for name in names})


def _replace_folder(path: Path, partial: Path) -> None:
    old = _partial_name(path)
    path.rename(old)
    try:
        partial.replace(path)
    except OSError:
        old.rename(path)
        raise
    _remove(old)


@contextlib.contextmanager
def whole_file(path: str | Path, *, earlier: Earlier | None = None) -> Iterator[Path]:
    """Write to the yielded temporary path; on success it is synced and renamed to `path`, on any error it is removed.

    Args:
        path: Target. A file there is replaced only where the ledger of its folder lists exactly what it holds.
        earlier: As for `check_replaceable`.

    Raises:
        InputError: another program's file has that name, or the disk is full.
    """
    with _publish(Path(path), None, earlier) as partial:
        yield partial


@contextlib.contextmanager
def whole_folder(path: str | Path, kind: str = "folder", *, earlier: Earlier | None = None) -> Iterator[Path]:
    """Fill the yielded temporary folder; on success it replaces `path`, on any error it is removed.

    Args:
        path: Target. A folder there is replaced only where it is empty, or was written as a whole and its own ledger
            lists every file in it.
        kind: Word for what the folder is, such as `pair`; a folder of another kind is not replaced.
        earlier: As for `check_replaceable`.

    Raises:
        InputError: the folder that is there holds anything that is not ours, or the disk is full.
    """
    with _publish(Path(path), kind, earlier) as partial:
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
    named = {path: _PARTIAL.fullmatch(path.name) for path in found}
    leftovers = [path for path, match in named.items() if match and of(match.group(1))]
    for leftover in leftovers:
        _remove(leftover)
    return len(leftovers)


def write_text(path: str | Path, text: str, *, earlier: Earlier | None = None) -> None:
    """Write UTF-8 text, whole or not at all. A file that holds this text already is left as it is.

    Raises:
        InputError: as `whole_file`.
    """
    path = Path(path)
    encoded = text.encode("utf-8")
    if path.is_file() and path.read_bytes() == encoded:
        return
    with whole_file(path, earlier=earlier) as partial:
        partial.write_bytes(encoded)


def append_text(path: str | Path, text: str, *, earlier: Earlier | None = None) -> None:
    """Add UTF-8 text to the end of a file of ours, or begin it. On a full disk the file stays as it was.

    Call while no other process writes the file.

    Raises:
        InputError: as `whole_file`.
    """
    path = Path(path)
    check_replaceable(path, earlier=earlier)
    encoded = text.encode("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.is_file() else b""
        if before and not before.endswith(b"\n"):
            # A killed process left half a line, which no reader takes.
            encoded = b"\n" + encoded
        ledger.note(path.parent, {path.name: ledger.content_of_bytes(before + encoded)})
        with path.open("ab", buffering=0) as file:
            written = file.write(encoded)
            if written != len(encoded):
                file.truncate(len(before))
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(path) from error
        raise


def write_json(path: str | Path, value: Any, *, earlier: Earlier | None = None) -> None:
    """Write indented JSON with sorted keys (same value, same bytes), whole or not at all. NaN is refused.

    Raises:
        InputError: as `whole_file`.
    """
    write_text(path, _json_text(value), earlier=earlier)


def _json_text(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def is_our_json(*keys: str) -> Earlier:
    """A test for files without a ledger: whether one holds exactly what `write_json` writes for an object of keys.

    Args:
        keys: Keys that the object must have.
    """

    def recognised(path: Path) -> bool:
        try:
            text = path.read_text(encoding="utf-8")
            value = json.loads(text)
            return isinstance(value, dict) and set(keys) <= set(value) and _json_text(value) == text
        except (OSError, ValueError, RecursionError):
            return False

    return recognised


def read_json(path: str | Path) -> Any:
    """Read JSON.

    Raises:
        InputError: the file is missing, is not text in UTF-8, or is not JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # A number of too many digits is no JSONDecodeError.
        raise InputError(
            f"{path} is not valid JSON ({error})",
            "correct it, or move it away and run the command that writes it",
        ) from error


def sha256_file(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(value: Any) -> str:
    """Hex SHA-256 of a JSON-able value: the key under which derived files are stored."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()
