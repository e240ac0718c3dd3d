"""The optional layers of a pair: what its simulator knows beyond the pictures, one compressed NumPy archive each.

`LAYERS` defines them all. Sizes: T frames, H height and W width of the pair, N objects, K and L contacts.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from void.errors import InputError
from void.provenance import write_pair_again

FLOW_FULL = "flow_full.npz"
FLOW_REMOVED = "flow_removed.npz"
FLOWS = (FLOW_FULL, FLOW_REMOVED)
DEPTH_FULL = "depth_full.npz"
DEPTH_REMOVED = "depth_removed.npz"
AMODAL = "amodal.npz"
PHYSICS = "physics.npz"

FAR = 1000.0
"""Depth of the sky, and the largest there is, metres."""
UNIT_TOLERANCE = 1e-3
"""By which the length of a quaternion may differ from 1."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Form:
    """What an array looks like.

    Args:
        dtype: as which it is stored; it may be given as any type of that kind.
        shape: numbers, sizes of the pair ("T", "T-1", "H", "W"), or letters for sizes that the file itself decides.
    """

    dtype: type[np.generic]
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Layer:
    """One kind of file.

    Args:
        title: for messages.
        forms: its arrays by name.
        fault: what is wrong with the values of arrays that have their forms, or None.
        remedy: how to get a pair that has the file.
    """

    title: str
    forms: Mapping[str, Form]
    fault: Callable[[Arrays], str | None]
    remedy: str


def check_layer(file: Path, arrays: Arrays, size: tuple[int, int, int]) -> dict[str, NDArray[Any]]:
    """Arrays of the layer that `file` is named after, as they are stored.

    Args:
        file: its path, for messages.
        arrays: by name; numbers may be of any precision.
        size: `(T, H, W)` of the pair.

    Raises:
        InputError: there is no such layer, an array is missing or foreign, or it has another form or bad values.
    """
    layer = find_layer(file)
    if set(arrays) != set(layer.forms):
        held, meant = (", ".join(names) or "nothing" for names in (arrays, layer.forms))
        raise InputError(
            f"{file} is not a readable {layer.title}: it holds {held} instead of {meant}", write_pair_again(file.parent)
        )
    sizes: dict[str, int] = dict(zip("THW", size, strict=True)) | {"T-1": size[0] - 1}
    stored = {name: _as_stored(file, name, form, arrays[name], size, sizes) for name, form in layer.forms.items()}
    fault = layer.fault(stored)
    if fault:
        raise InputError(f"{file} {fault}", write_pair_again(file.parent))
    return stored


def read_layer_file(file: Path, size: tuple[int, int, int]) -> dict[str, NDArray[Any]]:
    """The arrays of a layer.

    Args:
        file: named as in `LAYERS`.
        size: `(T, H, W)` of the pair.

    Raises:
        InputError: the file is damaged, or `check_layer` refuses what it holds.
    """
    layer = find_layer(file)
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{file} is not a readable {layer.title} ({error})", write_pair_again(file.parent)) from error
    return check_layer(file, arrays, size)


def write_layer_file(file: Path, arrays: Arrays) -> None:
    """Write arrays that `check_layer` returned. Equal arrays make equal files."""
    ordered: dict[str, Any] = {name: arrays[name] for name in find_layer(file).forms}
    np.savez_compressed(file, **ordered)


def find_layer(file: Path) -> Layer:
    """The layer that a file is named after.

    Raises:
        InputError: there is none.
    """
    if file.name not in LAYERS:
        raise InputError(f"{file} is not a layer of a pair", f"layers are {', '.join(LAYERS)}")
    return LAYERS[file.name]


def _as_stored(
    file: Path, name: str, form: Form, array: NDArray[Any], size: tuple[int, int, int], sizes: dict[str, int]
) -> NDArray[Any]:
    """`sizes` by letter; those that the file decides are added when they are first met."""
    fits = array.ndim == len(form.shape) and array.dtype.kind == np.dtype(form.dtype).kind
    if fits:
        for letter, length in zip(form.shape, array.shape, strict=True):
            fits &= length == (sizes.setdefault(letter, length) if isinstance(letter, str) else letter)
    if not fits:
        frames, height, width = size
        shape = ", ".join(
            str(sizes.get(letter, letter)) if isinstance(letter, str) else str(letter) for letter in form.shape
        )
        raise InputError(
            f"{file} holds {array.dtype} {array.shape} as `{name}`; {frames} frames of {width}x{height} have "
            f"{np.dtype(form.dtype)} ({shape})",
            write_pair_again(file.parent),
        )
    with np.errstate(over="ignore"):
        return array.astype(form.dtype, copy=False)


def _flow_fault(arrays: Arrays) -> str | None:
    return None if np.isfinite(arrays["flow"]).all() else "is not finite"


def _depth_fault(arrays: Arrays) -> str | None:
    depth_THW = arrays["depth"]
    if not np.isfinite(depth_THW).all():
        return "is not finite"
    low, high = depth_THW.min(initial=FAR), depth_THW.max(initial=0)
    return None if low >= 0 and high <= FAR else f"holds depths of {low:g} to {high:g} m; 0 to {FAR:g} can be"


def _physics_fault(arrays: Arrays) -> str | None:
    removed_N = arrays["removed"]
    frames, objects, _ = arrays["positions_full"].shape
    for clip, absent_N in (("full", np.zeros(objects, np.bool_)), ("removed", removed_N)):
        positions_TN3, quaternions_TN4 = arrays[f"positions_{clip}"], arrays[f"quaternions_{clip}"]
        for name, poses in (("positions", positions_TN3), ("quaternions", quaternions_TN4)):
            if not np.isfinite(poses[:, ~absent_N]).all():
                return f"has {name}_{clip} that are not finite"
            if not np.isnan(poses[:, absent_N]).all():
                return f"has {name}_{clip} of removed objects, which must be NaN"
        lengths = np.linalg.norm(quaternions_TN4[:, ~absent_N], axis=-1)
        if (np.abs(lengths - 1) > UNIT_TOLERANCE).any():
            return f"has quaternions_{clip} that are not of length 1"
        fault = _contacts_fault(arrays[f"contacts_{clip}"], frames, absent_N)
        if fault:
            return f"has contacts_{clip} {fault}"
    return None


def _contacts_fault(contacts_K4: NDArray[np.float64], frames: int, absent_N: NDArray[np.bool_]) -> str | None:
    if not np.isfinite(contacts_K4).all():
        return "that are not finite"
    frame_K, pairs_K2, force_K = contacts_K4[:, 0], contacts_K4[:, 1:3], contacts_K4[:, 3]
    if ((frame_K < 0) | (frame_K > frames - 1)).any():
        return f"outside the frames 0 to {frames - 1}"
    if (force_K < 0).any():
        return "with negative forces"
    known = np.concatenate([[-1], np.flatnonzero(~absent_N)])
    return None if np.isin(pairs_K2, known).all() else "of objects that are not there"


def _contacts(count: str) -> Form:
    return Form(np.float64, (count, 4))


_FLOW = Layer(
    "flow", {"flow": Form(np.float16, ("T-1", 2, "H", "W"))}, _flow_fault, "generate the pairs with scene.flow=true"
)
_DEPTH = Layer(
    "depth", {"depth": Form(np.float16, ("T", "H", "W"))}, _depth_fault, "generate the pairs with scene.depth=true"
)
_AMODAL = Layer(
    "silhouette",
    {"removed": Form(np.bool_, ("T", "H", "W"))},
    lambda _: None,
    "generate the pairs with scene.amodal=true",
)
_PHYSICS = Layer(
    "record of the physics",
    {
        "positions_full": Form(np.float64, ("T", "N", 3)),
        "quaternions_full": Form(np.float64, ("T", "N", 4)),
        "positions_removed": Form(np.float64, ("T", "N", 3)),
        "quaternions_removed": Form(np.float64, ("T", "N", 4)),
        "removed": Form(np.bool_, ("N",)),
        "contacts_full": _contacts("K"),
        "contacts_removed": _contacts("L"),
    },
    _physics_fault,
    "generate the pairs again: the simulators of this release write it",
)

LAYERS: dict[str, Layer] = {
    FLOW_FULL: _FLOW,
    FLOW_REMOVED: _FLOW,
    DEPTH_FULL: _DEPTH,
    DEPTH_REMOVED: _DEPTH,
    AMODAL: _AMODAL,
    PHYSICS: _PHYSICS,
}
"""By file name:

flow_full, flow_removed: see `void.pairs.read_flow`.
depth_full, depth_removed: metres along the optical axis, 0 to `FAR`; float16, so rounded by at most 1 in 2048.
amodal: the whole silhouette of the removed objects in the full clip, parts behind other objects included.
physics: poses of N objects in both worlds (metres; quaternions (w, x, y, z)), which of them are removed (NaN poses
    in the world without them), and contacts, one a row: frame, first object, second object, force in newtons. The
    object -1 is whatever else there is: floor and walls.
"""
