"""The pair folder and the manifest: what data generation writes and everything after it reads.

A pair is a folder of `rgb_full.mp4` (the factual clip), `rgb_removed.mp4` (the same scene without the removed object),
`mask.mp4` (the quadmask) and `metadata.json`. A data folder holds pairs and `manifest.jsonl`, one pair a row.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from void.errors import InputError
from void.files import read_json, sha256_file, whole_folder, write_json, write_text
from void.quadmask import Quadmask
from void.video import check_writable, read_mask, read_video, write_mask, write_video

SCHEMA = 1
RGB_FULL = "rgb_full.mp4"
RGB_REMOVED = "rgb_removed.mp4"
MASK = "mask.mp4"
METADATA = "metadata.json"
MANIFEST = "manifest.jsonl"
VIDEOS = (RGB_FULL, RGB_REMOVED, MASK)

_HEADER = {"schema": SCHEMA, "kind": "void-manifest"}
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FPS_TOLERANCE = 1e-3
_WANTED = {str: "text", int: "a positive whole number", float: "a positive number", dict: "an object"}
_REGENERATE = "delete the pair folder and generate it again"
_REWRITE = "write the manifest again with `void generate`"
_EMPTY = "run `void generate`; if it failed, its log says why"
# Keys that a manifest row repeats from the pair's metadata.
_SHARED_KEYS = ("id", "group", "source", "caption", "frames", "height", "width", "fps", "checksums")


@dataclass(frozen=True, eq=False)
class Pair:
    """Two clips of one scene, uint8 `(T, H, W, 3)`, the quadmask `(T, H, W)` of what differs, the rate, the recipe."""

    rgb_full_THWC: NDArray[np.uint8]
    rgb_removed_THWC: NDArray[np.uint8]
    quadmask: Quadmask
    fps: float
    metadata: dict[str, Any]


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


def write_pair(folder: str | Path, pair: Pair) -> None:
    """Write a pair folder, whole or absent; an existing one is replaced.

    `metadata.json` gets the keys of `pair.metadata` and, written here, `schema`, `frames`, `height`, `width`, `fps` and
    `checksums` (SHA-256 of each video).

    Raises:
        InputError: the clips and the mask differ in length or size, H.264 can't hold their size, or the disk is full.
    """
    folder = Path(folder)
    sizes = {
        RGB_FULL: pair.rgb_full_THWC.shape[:3],
        RGB_REMOVED: pair.rgb_removed_THWC.shape[:3],
        MASK: pair.quadmask.shape,
    }
    _check_alike(folder, sizes)
    frames, height, width = pair.quadmask.shape
    check_writable(folder, pair.quadmask.shape, pair.fps)
    with whole_folder(folder) as partial:
        write_video(partial / RGB_FULL, pair.rgb_full_THWC, pair.fps)
        write_video(partial / RGB_REMOVED, pair.rgb_removed_THWC, pair.fps)
        write_mask(partial / MASK, pair.quadmask, pair.fps)
        written = {
            "schema": SCHEMA,
            "frames": frames,
            "height": height,
            "width": width,
            "fps": float(pair.fps),
            "checksums": {name: sha256_file(partial / name) for name in VIDEOS},
        }
        write_json(partial / METADATA, pair.metadata | written)


def read_pair(folder: str | Path, *, verify: bool = False) -> Pair:
    """Read a pair folder.

    Args:
        folder: the pair.
        verify: compare the files with their checksums too.

    Raises:
        InputError: a file or the metadata is missing, unreadable or of another schema; lengths, sizes or rates differ
            (from the metadata, too); the mask holds other values; with `verify`, a file has changed.
    """
    folder = Path(folder)
    metadata = _read_metadata(folder)
    if verify:
        for name in VIDEOS:
            _check_sum(folder, metadata, name)
    full_THWC, fps_full = read_video(folder / RGB_FULL)
    removed_THWC, fps_removed = read_video(folder / RGB_REMOVED)
    quadmask, fps_mask = read_mask(folder / MASK)
    _check_alike(
        folder,
        {
            METADATA: (metadata["frames"], metadata["height"], metadata["width"]),
            RGB_FULL: full_THWC.shape[:3],
            RGB_REMOVED: removed_THWC.shape[:3],
            MASK: quadmask.shape,
        },
    )
    for name, fps in ((RGB_FULL, fps_full), (RGB_REMOVED, fps_removed), (MASK, fps_mask)):
        if abs(fps - metadata["fps"]) > _FPS_TOLERANCE * metadata["fps"]:
            raise InputError(f"{folder / name} has {fps:g} fps, {METADATA} says {metadata['fps']:g}", _REGENERATE)
    return Pair(full_THWC, removed_THWC, quadmask, metadata["fps"], metadata)


def pair_row(root: str | Path, folder: str | Path, *, split: str) -> ManifestRow:
    """The manifest row of a pair inside the data folder `root`, from its `metadata.json`.

    Raises:
        InputError: the metadata is missing or lacks `id`, `group`, `source` or `caption`; the folder is outside `root`.
    """
    root, folder = Path(root), Path(folder)
    if not folder.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{folder} is outside the data folder {root}", "a manifest lists only pairs below its folder")
    metadata = _read_metadata(folder)
    copied = {key: metadata[key] for key in _SHARED_KEYS if key in metadata}
    path = folder.resolve().relative_to(root.resolve()).as_posix()
    return _row(root, {"path": path, "split": split} | copied, str(folder / METADATA))


def write_manifest(root: str | Path, rows: Sequence[ManifestRow]) -> None:
    """Write `root/manifest.jsonl`, whole or absent: a header line, then one row a line in the given order.

    Raises:
        InputError: no rows, a repeated id, a row that `read_manifest` would refuse, disk full.
    """
    file = Path(root) / MANIFEST
    if not rows:
        raise InputError(f"{file} would list no pairs", _EMPTY)
    values = [dataclasses.asdict(row) for row in rows]
    for value in values:
        _row(Path(root), value, f"{file}: row {value['id']}")
    _check_ids(file, rows)
    write_text(file, "".join(json.dumps(line, sort_keys=True, allow_nan=False) + "\n" for line in (_HEADER, *values)))


def read_manifest(root: str | Path) -> list[ManifestRow]:
    """The rows of `root/manifest.jsonl`, in order. Pair folders are not opened.

    Raises:
        InputError: the manifest is missing, empty, of another kind or schema; a line is bad JSON, lacks or mistypes a
            key, or points outside `root`; an id is repeated.
    """
    rows = []
    for outcome in _parse_manifest(Path(root)):
        if isinstance(outcome, InputError):
            raise outcome
        rows.append(outcome)
    _check_ids(Path(root) / MANIFEST, rows)
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


def validate(root: str | Path) -> list[str]:
    """Check a data folder to the last pixel.

    Looks at the manifest, that no group is in two splits, and of every pair: its files, metadata, agreement with its
    row, checksums, lengths, sizes, rates, mask values, and that its mask removes something.

    Returns:
        One line for each problem (what and where, then the remedy); empty when all is well. Shows progress.
    """
    root = Path(root)
    problems: list[str] = []
    rows: list[ManifestRow] = []
    try:
        for outcome in _parse_manifest(root):
            if isinstance(outcome, InputError):
                problems.append(_one_line(outcome))
            else:
                rows.append(outcome)
    except InputError as error:
        return [_one_line(error)]
    problems += _collect(_check_ids, root / MANIFEST, rows)
    problems += _collect(_check_groups, root / MANIFEST, rows)
    for row in track(rows, description="Checking pairs", disable=not rows):
        problems += _pair_problems(root, row)
    return problems


def _pair_problems(root: Path, row: ManifestRow) -> list[str]:
    folder = root / row.path
    try:
        metadata = _read_metadata(folder)
    except InputError as error:
        return [_one_line(error)]
    problems = _collect(_check_row_agrees, folder, row, metadata)
    for name in VIDEOS:
        problems += _collect(_check_sum, folder, metadata, name)
    return problems + _collect(_check_pictures, folder)


def _read_metadata(folder: Path) -> dict[str, Any]:
    """The metadata of a pair folder that has all its files."""
    if not folder.is_dir():
        raise InputError(f"the pair folder {folder} does not exist", "generate it, or take its row out of the manifest")
    file = folder / METADATA
    if not file.is_file():
        raise InputError(f"{folder} has no {METADATA}, so it is not a complete pair", _REGENERATE)
    metadata = read_json(file)
    if not isinstance(metadata, dict):
        raise InputError(f"{file} holds a {type(metadata).__name__}, not an object of keys and values", _REGENERATE)
    _check_schema(file, metadata.get("schema"))
    _check_types(str(file), metadata, {"frames": int, "height": int, "width": int, "fps": float, "checksums": dict})
    unnamed = [name for name in VIDEOS if not isinstance(metadata["checksums"].get(name), str)]
    if unnamed:
        raise InputError(f"{file}: `checksums` lacks {', '.join(unnamed)}", _REGENERATE)
    absent = [name for name in VIDEOS if not (folder / name).is_file()]
    if absent:
        raise InputError(f"{folder} has no {', '.join(absent)}", _REGENERATE)
    return metadata


def _parse_manifest(root: Path) -> Iterator[ManifestRow | InputError]:
    """The rows, or what is wrong with them; raises when there is no manifest to speak of."""
    file = root / MANIFEST
    if not file.is_file():
        raise InputError(f"{file} does not exist", "check data.root=PATH, or run `void generate` first")
    try:
        numbered = enumerate(file.read_text(encoding="utf-8").split("\n"), start=1)
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text ({error.reason})", _REWRITE) from error
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
    _check_schema(file, header.get("schema"))
    for (number, _), value in zip(lines[1:], rows, strict=True):
        try:
            yield value if isinstance(value, InputError) else _row(root, value, f"{file}, line {number}")
        except InputError as error:
            yield error


def _parse_line(file: Path, number: int, line: str) -> dict[str, Any] | InputError:
    remedy = "mend or delete the line, or write the manifest again with `void generate`"
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return InputError(f"{file}, line {number} is not valid JSON ({error.msg}, column {error.colno})", remedy)
    if not isinstance(value, dict):
        return InputError(f"{file}, line {number} holds a {type(value).__name__}, not an object", remedy)
    return value


def _row(root: Path, value: dict[str, Any], where: str) -> ManifestRow:
    """Check and build one row; `where` begins its messages."""
    types = {field.name: str for field in dataclasses.fields(ManifestRow)}
    _check_types(where, value, types | {"frames": int, "height": int, "width": int, "fps": float, "checksums": dict})
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


def _check_types(where: str, value: dict[str, Any], types: dict[str, type]) -> None:
    missing = [key for key in types if key not in value]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}", "generate the pair again, or add it by hand")
    for key, expected in types.items():
        found = value[key]
        fits = isinstance(found, (int, float) if expected is float else expected) and not isinstance(found, bool)
        if not fits or (expected in (int, float) and not 0 < found < math.inf):
            raise InputError(f"{where}: {key} is {found!r}", f"it must be {_WANTED[expected]}")


def _check_schema(file: Path, schema: object) -> None:
    if schema != SCHEMA:
        raise InputError(
            f"{file} has schema {schema!r}; this version of void reads schema {SCHEMA}",
            "use the version of void that wrote it, or generate the data again",
        )


def _check_ids(file: Path, rows: Sequence[ManifestRow]) -> None:
    repeated = sorted(name for name, count in Counter(row.id for row in rows).items() if count > 1)
    if repeated:
        raise InputError(f"{file}: several rows have the id {', '.join(repeated)}", "delete or rename the surplus rows")


def _check_groups(file: Path, rows: Sequence[ManifestRow]) -> None:
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.group, set()).add(row.split)
    leaking = [f"{group} ({' and '.join(sorted(found))})" for group, found in sorted(splits.items()) if len(found) > 1]
    if leaking:
        raise InputError(
            f"{file}: groups in more than one split: {', '.join(leaking)}",
            "keep a group in one split: its pairs share a scene",
        )


def _check_row_agrees(folder: Path, row: ManifestRow, metadata: dict[str, Any]) -> None:
    different = [key for key in _SHARED_KEYS if metadata.get(key) != getattr(row, key)]
    if different:
        raise InputError(
            f"{folder / METADATA} and its manifest row differ in {', '.join(different)}",
            _REWRITE,
        )


def _check_sum(folder: Path, metadata: dict[str, Any], name: str) -> None:
    file = folder / name
    if sha256_file(file) != metadata["checksums"][name]:
        raise InputError(f"{file} has changed: its checksum is not the one in {METADATA}", _REGENERATE)


def _check_alike(folder: Path, sizes: dict[str, tuple[int, ...]]) -> None:
    """`sizes`: name to `(T, H, W)`."""
    if len(set(sizes.values())) > 1:
        lengths = {size[0] for size in sizes.values()}
        what = "length" if len(lengths) > 1 else "size"
        listed = ", ".join(f"{name} {t} frames of {w}x{h}" for name, (t, h, w) in sizes.items())
        raise InputError(f"{folder}: {what}s differ: {listed}", "cut or resize all to one length and size")


def _check_pictures(folder: Path) -> None:
    if not read_pair(folder).quadmask.primary_THW.any():
        raise InputError(f"{folder / MASK} is empty: no pixel is marked as removed", _REGENERATE)


def _collect(check: Callable[..., None], *arguments: object) -> list[str]:
    try:
        check(*arguments)
    except InputError as error:
        return [_one_line(error)]
    return []


def _one_line(error: InputError) -> str:
    return f"{error.problem} -> {error.remedy}"
