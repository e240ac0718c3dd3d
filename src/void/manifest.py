"""The manifest: which pairs a data folder holds, one a row of `manifest.jsonl`."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from void.errors import InputError
from void.files import check_replaceable, write_text
from void.provenance import write_manifest_again
from void.text import read_text

SCHEMA = 1
MANIFEST = "manifest.jsonl"
RGB_FULL = "rgb_full.mp4"
RGB_REMOVED = "rgb_removed.mp4"
MASK = "mask.mp4"
VIDEOS = (RGB_FULL, RGB_REMOVED, MASK)
"""Names of a pair's clips, under which its row keeps their checksums."""

_HEADER = {"schema": SCHEMA, "kind": "void-manifest"}
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WANTED = {str: "text", int: "a positive whole number", float: "a positive number", dict: "an object"}
_ABSENT = "check data.root=PATH; `void generate` makes pairs, and void.pairs.write_manifest lists your own"
_EMPTY = "list pairs in it (void.pairs.write_manifest), or run `void generate`; if that failed, its log says why"


@dataclass(frozen=True)
class ManifestRow:
    """One pair of a data folder. `path` is relative to the manifest's folder and stays inside it."""

    id: str
    path: str
    split: str
    group: str
    source: str
    caption: str
    frames: int
    height: int
    width: int
    fps: float
    checksums: dict[str, str]


def write_manifest(root: str | Path, rows: Sequence[ManifestRow]) -> None:
    """Write `root/manifest.jsonl`, whole or absent: a header line, then one row a line in the given order.

    Raises:
        InputError: no rows, a repeated id, a row that `read_manifest` would refuse, disk full, or a manifest is there
            that this function did not write or that was changed since.
    """
    file = Path(root) / MANIFEST
    if not rows:
        raise InputError(f"{file} would list no pairs", _EMPTY)
    values = [dataclasses.asdict(row) for row in rows]
    for value in values:
        parse_row(Path(root), value, f"{file}: row {value['id']}")
    check_ids(file, rows)
    write_text(file, _manifest_text([_HEADER, *values]), earlier=_is_earlier_manifest)


def check_manifest_free(root: str | Path) -> None:
    """Raise unless `write_manifest` may write the manifest of `root`.

    Raises:
        InputError: a manifest is there that `write_manifest` did not write, or that was changed since.
    """
    check_replaceable(Path(root) / MANIFEST, earlier=_is_earlier_manifest)


def _manifest_text(lines: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(line, sort_keys=True, allow_nan=False) + "\n" for line in lines)


def _is_earlier_manifest(file: Path) -> bool:
    """Whether a file that no ledger lists holds exactly what `write_manifest` writes for the same rows."""
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return bool(lines) and lines[0] == _HEADER and _manifest_text(lines) == file.read_text(encoding="utf-8")
    except (OSError, ValueError, RecursionError):
        return False


def read_manifest(root: str | Path) -> list[ManifestRow]:
    """The rows of `root/manifest.jsonl`, in order. Pair folders are not opened.

    Raises:
        InputError: the manifest is missing, empty, of another kind or schema; a line is bad JSON, lacks or mistypes a
            key, or points outside `root`; an id is repeated.
    """
    rows = []
    for outcome in parse_manifest(Path(root)):
        if isinstance(outcome, InputError):
            raise outcome
        rows.append(outcome)
    check_ids(Path(root) / MANIFEST, rows)
    return rows


def select(rows: Sequence[ManifestRow], split: str) -> list[ManifestRow]:
    """The rows of one split, in order.

    Raises:
        InputError: there are none; the message names the splits that exist.
    """
    chosen = [row for row in rows if row.split == split]
    if not chosen:
        present = Counter(row.split for row in rows)
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(present.items())) or "none"
        raise InputError(f"the manifest has no pairs of split {split!r}; it has: {listed}", "choose one of these")
    return chosen


def parse_manifest(root: Path) -> Iterator[ManifestRow | InputError]:
    """The rows, or what is wrong with them; raises when there is no manifest to speak of."""
    file = root / MANIFEST
    if not file.is_file():
        raise InputError(f"{file} does not exist", _ABSENT)
    numbered = enumerate(read_text(file).split("\n"), start=1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    if len(lines) < 2:
        raise InputError(f"{file} is empty: it lists no pairs", _EMPTY)
    header, *rows = [_parse_line(file, number, line) for number, line in lines]
    if isinstance(header, InputError):
        raise header
    if header.get("kind") != _HEADER["kind"]:
        raise InputError(
            f"{file} does not begin with the line {json.dumps(_HEADER)}", "check that it is a VOID manifest"
        )
    check_schema(file, header.get("schema"))
    for (number, _), value in zip(lines[1:], rows, strict=True):
        try:
            yield value if isinstance(value, InputError) else parse_row(root, value, f"{file}, line {number}")
        except InputError as error:
            yield error


def parse_row(root: Path, value: dict[str, Any], where: str) -> ManifestRow:
    """Check and build one row; `where` begins its messages."""
    types = {field.name: str for field in dataclasses.fields(ManifestRow)}
    check_types(where, value, types | {"frames": int, "height": int, "width": int, "fps": float, "checksums": dict})
    unknown = sorted(set(value) - set(types))
    if unknown:
        raise InputError(f"{where}: unknown keys {', '.join(unknown)}", f"a row has the keys {', '.join(types)}")
    if not _SAFE_ID.fullmatch(value["id"]):
        raise InputError(
            f"{where}: id {value['id']!r} can't name a file",
            "begin with a letter or digit, and go on with letters, digits, '.', '_' and '-'",
        )
    inside = (root / value["path"]).resolve().is_relative_to(root.resolve())
    if Path(value["path"]).is_absolute() or ".." in Path(value["path"]).parts or not inside:
        raise InputError(
            f"{where}: path {value['path']!r} points outside the data folder {root}",
            "a row's path is relative to the manifest and stays below it: move the pair there, or delete the row",
        )
    return ManifestRow(**value)


def check_types(where: str, value: dict[str, Any], types: dict[str, type]) -> None:
    """Raise InputError unless `value` has these keys with values of these types; `where` begins the message."""
    missing = [key for key in types if key not in value]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}", "add it by hand, or make the pair again")
    for key, expected in types.items():
        found = value[key]
        fits = isinstance(found, (int, float) if expected is float else expected) and not isinstance(found, bool)
        if not fits or (expected in (int, float) and not 0 < found < math.inf):
            raise InputError(f"{where}: {key} is {found!r}", f"it must be {_WANTED[expected]}")


def check_schema(file: Path, schema: object) -> None:
    """Raise InputError unless this is the schema that this version reads."""
    if schema != SCHEMA:
        raise InputError(
            f"{file} has schema {schema!r}; this version of void reads schema {SCHEMA}",
            "use the version of void that wrote it, or make the data again",
        )


def check_ids(file: Path, rows: Sequence[ManifestRow]) -> None:
    """Raise InputError where two rows share an id."""
    repeated = sorted(name for name, count in Counter(row.id for row in rows).items() if count > 1)
    if repeated:
        raise InputError(f"{file}: several rows have the id {', '.join(repeated)}", "delete or rename the surplus rows")


def check_groups(file: Path, rows: Sequence[ManifestRow]) -> None:
    """Raise InputError where a group is in several splits."""
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.group, set()).add(row.split)
    leaking = [f"{group} ({' and '.join(sorted(found))})" for group, found in sorted(splits.items()) if len(found) > 1]
    if leaking:
        raise InputError(
            f"{file}: groups in more than one split: {', '.join(leaking)}",
            "keep a group in one split: its pairs share a scene",
        )


def _parse_line(file: Path, number: int, line: str) -> dict[str, Any] | InputError:
    remedy = f"correct or delete the line, or {write_manifest_again(file.parent)}"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:  # A number of too many digits is no JSONDecodeError.
        return InputError(f"{file}, line {number} is not valid JSON ({error})", remedy)
    if not isinstance(value, dict):
        return InputError(f"{file}, line {number} holds a {type(value).__name__}, not an object", remedy)
    return value
