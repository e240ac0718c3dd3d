"""The pair folder and the manifest: what data generation writes and everything after it reads.

A pair is a folder of `rgb_full.mp4` (the factual clip), `rgb_removed.mp4` (the same scene without the removed object),
`mask.mp4` (the quadmask) and `metadata.json`. A simulator may add layers: flow, depth, silhouettes, poses
(`void.layers`). A data folder holds pairs and `manifest.jsonl`, one pair a row (`void.manifest`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from void.errors import InputError
from void.files import check_replaceable, is_our_json, read_json, sha256_file, whole_folder, write_json
from void.layers import LAYERS, check_layer, find_layer, read_layer_file, write_layer_file
from void.manifest import (
    MANIFEST,
    MASK,
    RGB_FULL,
    RGB_REMOVED,
    SCHEMA,
    VIDEOS,
    ManifestRow,
    check_groups,
    check_ids,
    check_manifest_free,
    check_schema,
    check_types,
    parse_manifest,
    parse_row,
    read_manifest,
    select,
    write_manifest,
)
from void.progress import tracked
from void.provenance import write_manifest_again, write_pair_again
from void.quadmask import Quadmask
from void.video import check_writable, read_mask, read_video, write_mask, write_video

__all__ = [
    "MANIFEST",
    "MASK",
    "METADATA",
    "RGB_FULL",
    "RGB_REMOVED",
    "SCHEMA",
    "VIDEOS",
    "ManifestRow",
    "Pair",
    "check_manifest_free",
    "check_pair_free",
    "pair_row",
    "read_flow",
    "read_layer",
    "read_manifest",
    "read_pair",
    "select",
    "validate",
    "write_manifest",
    "write_pair",
]

METADATA = "metadata.json"
KIND = "pair"
"""Name of a pair folder in its ledger."""

_FPS_TOLERANCE = 1e-3
# Keys that a manifest row repeats from the pair's metadata.
_SHARED_KEYS = ("id", "group", "source", "caption", "frames", "height", "width", "fps", "checksums")


@dataclass(frozen=True, eq=False)
class Pair:
    """Two clips of one scene, uint8 `(T, H, W, 3)`, the quadmask `(T, H, W)` of what differs, the rate, the recipe.

    `layers` holds what else its simulator knows: by file name (a key of `void.layers.LAYERS`) arrays by name.
    """

    rgb_full_THWC: NDArray[np.uint8]
    rgb_removed_THWC: NDArray[np.uint8]
    quadmask: Quadmask
    fps: float
    metadata: dict[str, Any]
    layers: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict)


def write_pair(folder: str | Path, pair: Pair) -> None:
    """Write a pair folder, whole or absent. A pair that this function wrote is replaced; nothing else ever is.

    `metadata.json` gets the keys of `pair.metadata` and, written here, `schema`, `frames`, `height`, `width`, `fps` and
    `checksums` (SHA-256 of each video and layer).

    Raises:
        InputError: the clips and the mask differ in length or size, H.264 can't hold their size, a layer is unknown,
            does not fit the clips or holds bad values (`void.layers.check_layer`), the disk is full, or `folder` exists
            and is anything but empty or an unchanged pair that this function wrote.
    """
    folder = Path(folder)
    sizes = {
        RGB_FULL: pair.rgb_full_THWC.shape[:3],
        RGB_REMOVED: pair.rgb_removed_THWC.shape[:3],
        MASK: pair.quadmask.shape,
    }
    _check_alike(folder, sizes)
    frames, height, width = pair.quadmask.shape
    layers = {name: check_layer(folder / name, arrays, pair.quadmask.shape) for name, arrays in pair.layers.items()}
    check_writable(folder, pair.quadmask.shape, pair.fps)
    with whole_folder(folder, KIND, earlier=_is_earlier_pair) as partial:
        write_video(partial / RGB_FULL, pair.rgb_full_THWC, pair.fps)
        write_video(partial / RGB_REMOVED, pair.rgb_removed_THWC, pair.fps)
        write_mask(partial / MASK, pair.quadmask, pair.fps)
        for name, arrays in layers.items():
            write_layer_file(partial / name, arrays)
        written = {
            "schema": SCHEMA,
            "frames": frames,
            "height": height,
            "width": width,
            "fps": float(pair.fps),
            "checksums": {name: sha256_file(partial / name) for name in (*VIDEOS, *layers)},
        }
        write_json(partial / METADATA, pair.metadata | written)


def check_pair_free(folder: str | Path) -> None:
    """Raise unless `write_pair` may write `folder`.

    Raises:
        InputError: it exists and is anything but empty or an unchanged pair that `write_pair` wrote.
    """
    check_replaceable(folder, kind=KIND, earlier=_is_earlier_pair)


def read_pair(folder: str | Path, *, verify: bool = False) -> Pair:
    """Read a pair folder. Its layers, which few need and which are large, are read only to verify them.

    Args:
        folder: the pair.
        verify: compare the files with their checksums too, and read its layers.

    Raises:
        InputError: a file or the metadata is missing, unreadable or of another schema; lengths, sizes or rates differ
            (from the metadata, too); the mask holds other values; with `verify`, a file has changed or a layer is bad.
    """
    folder = Path(folder)
    metadata = _read_metadata(folder)
    layers = {}
    if verify:
        for name in metadata["checksums"]:
            _check_sum(folder, metadata, name)
        layers = {name: read_layer(folder, name) for name in metadata["checksums"] if name in LAYERS}
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
            raise InputError(
                f"{folder / name} has {fps:g} fps, {METADATA} says {metadata['fps']:g}", write_pair_again(folder)
            )
    return Pair(full_THWC, removed_THWC, quadmask, metadata["fps"], metadata, layers)


def read_layer(folder: str | Path, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of one of a pair's layers, by name.

    Args:
        folder: the pair.
        name: a key of `void.layers.LAYERS`.

    Raises:
        InputError: there is no such layer, the pair does not have it, or its file is damaged, of another form or holds
            bad values.
    """
    file = Path(folder) / name
    layer = find_layer(file)
    metadata = _read_metadata(Path(folder))
    if name not in metadata["checksums"]:
        raise InputError(f"{folder} has no {name}", layer.remedy)
    return read_layer_file(file, (metadata["frames"], metadata["height"], metadata["width"]))


def read_flow(folder: str | Path, name: str) -> NDArray[np.float32]:
    """The forward optical flow of one of a pair's clips, as its simulator knows it.

    Args:
        folder: the pair.
        name: `void.layers.FLOW_FULL` or `FLOW_REMOVED`.

    Returns:
        `(T-1, 2, H, W)`: for each pixel of frame t the displacement (x, y), x to the right and y down, to the place
        in frame t + 1 of what its centre shows, in pixels of the pair's own size.

    Raises:
        InputError: as `read_layer`.
    """
    return read_layer(folder, name)["flow"].astype(np.float32)


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
    return parse_row(root, {"path": path, "split": split} | copied, str(folder / METADATA))


def validate(root: str | Path) -> list[str]:
    """Check a data folder to the last pixel.

    Looks at the manifest, that no group is in two splits, and of every pair: its files, metadata, agreement with its
    row, checksums, lengths, sizes, rates, mask values, layers, and that its mask removes something.

    Returns:
        One line for each problem (what and where, then the remedy); empty when all is well. Shows progress.
    """
    root = Path(root)
    problems: list[str] = []
    rows: list[ManifestRow] = []
    try:
        for outcome in parse_manifest(root):
            if isinstance(outcome, InputError):
                problems.append(_one_line(outcome))
            else:
                rows.append(outcome)
    except InputError as error:
        return [_one_line(error)]
    problems += _collect(check_ids, root / MANIFEST, rows)
    problems += _collect(check_groups, root / MANIFEST, rows)
    for row in tracked(rows, "checking pairs"):
        problems += _pair_problems(root, row)
    return problems


def _pair_problems(root: Path, row: ManifestRow) -> list[str]:
    folder = root / row.path
    try:
        metadata = _read_metadata(folder)
    except InputError as error:
        return [_one_line(error)]
    problems = _collect(_check_row_agrees, folder, row, metadata)
    for name in metadata["checksums"]:
        problems += _collect(_check_sum, folder, metadata, name)
        if name in LAYERS:
            problems += _collect(read_layer, folder, name)
    return problems + _collect(_check_pictures, folder)


def _is_earlier_pair(folder: Path) -> bool:
    """Whether a folder without a ledger is exactly a pair, to the last byte that its metadata speaks of."""
    if not is_our_json("schema", "checksums")(folder / METADATA):
        return False
    checksums = read_json(folder / METADATA)["checksums"]
    if not isinstance(checksums, dict) or not set(VIDEOS) <= set(checksums) <= {*VIDEOS, *LAYERS}:
        return False
    return {file.name for file in folder.iterdir()} == {METADATA, *checksums} and all(
        (folder / name).is_file() and sha256_file(folder / name) == checksum for name, checksum in checksums.items()
    )


def _read_metadata(folder: Path) -> dict[str, Any]:
    """The metadata of a pair folder that has all its files."""
    if not folder.is_dir():
        raise InputError(f"the pair folder {folder} does not exist", "generate it, or take its row out of the manifest")
    file = folder / METADATA
    if not file.is_file():
        raise InputError(f"{folder} has no {METADATA}, so it is not a complete pair", write_pair_again(folder))
    metadata = read_json(file)
    if not isinstance(metadata, dict):
        raise InputError(
            f"{file} holds a {type(metadata).__name__}, not an object of keys and values", write_pair_again(folder)
        )
    check_schema(file, metadata.get("schema"))
    check_types(str(file), metadata, {"frames": int, "height": int, "width": int, "fps": float, "checksums": dict})
    unnamed = [name for name in VIDEOS if not isinstance(metadata["checksums"].get(name), str)]
    if unnamed:
        raise InputError(f"{file}: `checksums` lacks {', '.join(unnamed)}", write_pair_again(folder))
    foreign = [name for name in metadata["checksums"] if name not in (*VIDEOS, *LAYERS)]
    if foreign:
        raise InputError(f"{file}: `checksums` names what no pair has: {', '.join(foreign)}", write_pair_again(folder))
    absent = [name for name in metadata["checksums"] if not (folder / name).is_file()]
    if absent:
        raise InputError(f"{folder} has no {', '.join(absent)}", write_pair_again(folder))
    return metadata


def _check_row_agrees(folder: Path, row: ManifestRow, metadata: dict[str, Any]) -> None:
    different = [key for key in _SHARED_KEYS if metadata.get(key) != getattr(row, key)]
    if different:
        raise InputError(
            f"{folder / METADATA} and its manifest row differ in {', '.join(different)}",
            write_manifest_again(folder),
        )


def _check_sum(folder: Path, metadata: dict[str, Any], name: str) -> None:
    file = folder / name
    if sha256_file(file) != metadata["checksums"][name]:
        raise InputError(f"{file} has changed: its checksum is not the one in {METADATA}", write_pair_again(folder))


def _check_alike(folder: Path, sizes: dict[str, tuple[int, ...]]) -> None:
    """`sizes`: name to `(T, H, W)`."""
    if len(set(sizes.values())) > 1:
        lengths = {size[0] for size in sizes.values()}
        what = "length" if len(lengths) > 1 else "size"
        listed = ", ".join(f"{name} {t} frames of {w}x{h}" for name, (t, h, w) in sizes.items())
        raise InputError(f"{folder}: {what}s differ: {listed}", "cut or resize all to one length and size")


def _check_pictures(folder: Path) -> None:
    if not read_pair(folder).quadmask.primary_THW.any():
        raise InputError(f"{folder / MASK} is empty: no pixel is marked as removed", write_pair_again(folder))


def _collect(check: Callable[..., object], *arguments: object) -> list[str]:
    try:
        check(*arguments)
    except InputError as error:
        return [_one_line(error)]
    return []


def _one_line(error: InputError) -> str:
    return f"{error.problem} -> {error.remedy}"
