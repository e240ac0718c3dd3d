"""Archives of assets: unpacked once, and checked before anything uses them."""

from __future__ import annotations

import tarfile
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from scipy.spatial import QhullError

from data_gen.assets.fetch import Fetcher
from data_gen.assets.manifest import ASSET_DIR, Entry
from data_gen.assets.once import one_at_a_time
from void.errors import InputError
from void.files import whole_folder

DATA = "data.json"
MIN_FILL = 1e-4
"""A mesh whose convex hull fills less of its bounding cube than this is flat."""


def unpacked(entry: Entry, fetcher: Fetcher, folder: Path) -> dict[str, Any]:
    """The asset's Kubric arguments with the paths of its files, which are fetched, unpacked and checked at first use.

    Args:
        entry: of a manifest.
        fetcher: brings the archive.
        folder: where unpacked assets go, each into a folder of its own.

    Raises:
        InputError: the archive cannot be fetched or read, leaves its folder or lacks a file, or the mesh has no volume.
    """
    if entry.archive is None:
        check_files(entry, entry.kwargs)
        return dict(entry.kwargs)
    target = folder / entry.id
    if not target.is_dir():
        with one_at_a_time(target) as missing:
            if missing:
                _unpack(entry, entry.archive, fetcher, target)
    return located(entry.kwargs, target)


def _unpack(entry: Entry, address: str, fetcher: Fetcher, target: Path) -> None:
    archive = fetcher.fetch(address)
    with whole_folder(target, "asset") as partial:
        try:
            _extract(archive, entry.id, partial)
            check_files(entry, located(entry.kwargs, partial))
        except InputError:
            fetcher.forget(address)
            raise


def located(kwargs: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """`kwargs` with `folder` in place of Kubric's mark for it, at any depth."""

    def place(value: Any) -> Any:
        if isinstance(value, str) and value.startswith(ASSET_DIR):
            return str(folder / value.removeprefix(ASSET_DIR))
        return located(value, folder) if isinstance(value, dict) else value

    placed = {key: place(value) for key, value in kwargs.items()}
    if "filename" in placed:
        placed["filename"] = str(folder / placed["filename"])  # Kubric's list of skies leaves the mark out.
    return placed


def check_files(entry: Entry, kwargs: Mapping[str, Any]) -> None:
    """Raise InputError unless an asset's files are all there and its mesh has a volume; `kwargs` holds their paths."""
    if entry.asset_type == "Texture":
        if not Path(kwargs["filename"]).is_file():
            raise _bad(entry, f"lacks its image {Path(kwargs['filename']).name}")
        return
    mesh, urdf = Path(kwargs["render_filename"]), Path(kwargs["simulation_filename"])
    if not mesh.is_file():
        raise _bad(entry, f"lacks its visible mesh {mesh.name}")
    if not urdf.is_file():
        raise _bad(entry, f"lacks its collision description {urdf.name}")
    try:
        collisions = ET.parse(urdf).getroot().findall(".//collision/geometry")
    except ET.ParseError as error:
        raise _bad(entry, f"has a broken {urdf.name} ({error})") from error
    if not collisions:
        raise _bad(entry, f"has no collision mesh in {urdf.name}")
    for part in collisions:
        shape = part.find("mesh")
        if shape is not None and not (urdf.parent / shape.get("filename", "")).is_file():
            raise _bad(entry, f"lacks its collision mesh {shape.get('filename')}")
    if not has_volume(_vertices(entry, mesh)):
        raise _bad(entry, f"has a mesh without volume ({mesh.name})")


def has_volume(points_N3: np.ndarray) -> bool:
    """Whether the convex hull of these points is a solid."""
    if len(points_N3) < 4 or not np.isfinite(points_N3).all():
        return False
    extents = np.ptp(points_N3, axis=0)
    if extents.min() <= 0:
        return False
    try:
        hull = trimesh.convex.convex_hull(
            (points_N3 - points_N3.min(axis=0)) / extents.max(), qhull_options="QbB Pp Qt"
        )
    except QhullError:
        return False
    return bool(abs(hull.volume) > MIN_FILL * np.prod(extents / extents.max()))


def _vertices(entry: Entry, mesh: Path) -> np.ndarray:
    try:
        rows = [line.split()[1:4] for line in mesh.read_text(encoding="utf-8").splitlines() if line.startswith("v ")]
        return np.array(rows, dtype=np.float64).reshape(-1, 3)
    except ValueError as error:
        raise _bad(entry, f"has a broken mesh {mesh.name}") from error


def _extract(archive: Path, name: str, target: Path) -> None:
    """Unpack a flat archive, or the folder of the asset's name that it holds."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = tar.getnames()
            prefix = f"{name}/" if f"{name}/{DATA}" in members else ""
            if f"{prefix}{DATA}" not in members:
                raise InputError(f"{archive}: no {DATA} inside", _remedy(name))
            for member in tar.getmembers():
                inside = member.name.removeprefix(prefix)
                if member.name.startswith(prefix) and inside:
                    tar.extract(member.replace(name=inside, deep=False), target, filter="data")
    except tarfile.FilterError as error:
        raise InputError(f"{archive} would write outside of its folder ({error})", _remedy(name)) from error
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError(f"{archive} is a broken archive ({error})", _remedy(name)) from error


def _bad(entry: Entry, problem: str) -> InputError:
    return InputError(f"{entry.archive}: asset {entry.id} {problem}", _remedy(entry.id))


def _remedy(name: str) -> str:
    return f"run again to fetch it anew, or leave the asset out: assets.exclude=[{name}]"
