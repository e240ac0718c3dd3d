"""The ledger of a folder: what this project wrote into it, so that no other file is ever replaced or deleted.

A folder that holds files of ours has a hidden file `.void-files.jsonl`. Each line names one file, relative to the
folder, and what it held when it was written:

    {"file": "manifest.jsonl", "holds": "sha256:9f86d0..."}

A file is ours where some line lists its name with exactly what it holds now. Lines are only ever added, before the file
gets its name, so that a process that is killed between the two loses nothing. A folder that was written as a whole has
one more line, `{"file": ".", "holds": "KIND"}`, and is replaced as a whole where its own ledger lists every file in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

LEDGER = ".void-files.jsonl"
WHOLE = "."
"""Name under which a folder that was written as a whole lists its kind."""
LINES = ".jsonl"
"""Suffix of files that grow line by line."""
LARGE = 2**28
"""Bytes from which a file is known by its size and time of change: hashing checkpoints of a large model takes long."""


def content_of(file: Path) -> str:
    """What a file holds, in one word: its SHA-256, or the size and time of change of a large file."""
    found = file.stat()
    if found.st_size >= LARGE:
        return f"size:{found.st_size}:changed:{found.st_mtime_ns}"
    with file.open("rb") as opened:
        return f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"


def content_of_bytes(content: bytes) -> str:
    """`content_of` for a file that is to hold these bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def note(folder: Path, contents: Mapping[str, str]) -> None:
    """Add lines to the ledger of a folder. Processes and threads may do so at the same time.

    Args:
        folder: Folder that holds the files.
        contents: `content_of` each file, by its path relative to the folder.
    """
    text = "".join(json.dumps({"file": name, "holds": content}) + "\n" for name, content in contents.items())
    with (folder / LEDGER).open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # A full disk or a power cut may have left half a line, which must not swallow this one.
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            text = text if file.read(1) == b"\n" else f"\n{text}"
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def lists(path: Path) -> bool:
    """Whether a ledger lists a file of this name, whatever it held."""
    return bool(_listed(path))


def wrote(path: Path) -> bool:
    """Whether a ledger lists exactly what this file holds."""
    known = _listed(path)
    if not known or not path.is_file():
        return False
    return content_of(path) in known or (path.suffix == LINES and _is_cut_off(path, known))


def _is_cut_off(path: Path, known: set[str]) -> bool:
    """Whether a file that grows by lines is ours but for half a line at its end, where a process was killed."""
    whole, newline, rest = path.read_bytes().rpartition(b"\n")
    return bool(rest) and content_of_bytes(whole + newline) in known


def read_ledger(folder: Path) -> Mapping[str, set[str]]:
    """Everything that was written into a folder: by file name each content that the file has had."""
    return _read(folder / LEDGER)


def _listed(path: Path) -> set[str]:
    """Everything that the ledgers of the folders around a file list under its name."""
    path = path.parent.resolve() / path.name
    found: set[str] = set()
    for folder in path.parents:
        found |= read_ledger(folder).get(path.relative_to(folder).as_posix(), set())
    return found


class _Reading:
    """Lines of one ledger that have been read."""

    def __init__(self, inode: int) -> None:
        self.inode = inode
        self.read_bytes = 0
        self.contents: dict[str, set[str]] = {}


_readings: dict[Path, _Reading] = {}
_lock = threading.Lock()


def _read(ledger: Path) -> Mapping[str, set[str]]:
    """Contents by name; only what has been added since the last call is read."""
    try:
        status = ledger.stat()
    except OSError:
        return {}
    with _lock:
        reading = _readings.get(ledger)
        if reading is None or reading.inode != status.st_ino or reading.read_bytes > status.st_size:
            reading = _readings[ledger] = _Reading(status.st_ino)
        if reading.read_bytes < status.st_size:
            with ledger.open("rb") as file:
                file.seek(reading.read_bytes)
                complete = file.read().rpartition(b"\n")[:2]
            lines = b"".join(complete)
            reading.read_bytes += len(lines)
            for name, content in _parse(lines.splitlines()):
                reading.contents.setdefault(name, set()).add(content)
        return reading.contents


def _parse(lines: Iterable[bytes]) -> Iterable[tuple[str, str]]:
    """The entries of the lines that are entries: half a line proves nothing."""
    for line in lines:
        try:
            entry = json.loads(line)
            yield str(entry["file"]), str(entry["holds"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
