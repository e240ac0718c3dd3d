"""The local asset pack: a Kubric manifest with meshes built by trimesh, so that nothing is downloaded.

Every mesh is Z up and centred on its centre of mass. Collision shapes are sets of convex pieces. Balls and boxes are
Kubric's own primitives and have no files.
"""

from __future__ import annotations

import io
import itertools
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from data_gen.config import AssetsConfig
from void.errors import InputError
from void.files import read_json, sha256_of, whole_folder, write_json

MANIFEST = "manifest.json"
PACK_VERSION = 2
PROPORTIONS: dict[str, tuple[float, float, float]] = {
    "ball": (1.0, 1.0, 1.0),
    "box": (1.0, 1.0, 1.0),
    "domino": (0.5, 0.18, 1.0),
}
"""Sides of Kubric's own primitives, relative to the largest."""
SIDES = 32

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """What sampling must know of a shape: its bounding box at scale 1."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    @property
    def extents(self) -> Points:
        """Sides of the bounding box."""
        return np.subtract(self.high, self.low)


@dataclass(frozen=True)
class Model:
    """A visible mesh and the convex pieces that stand for it in the physics."""

    visual: trimesh.Trimesh
    pieces: list[trimesh.Trimesh]


def _lathe(profile: list[tuple[float, float]]) -> Model:
    """A solid of revolution from (radius, height) pairs, bottom to top."""
    outline = [(0.0, profile[0][1]), *profile, (0.0, profile[-1][1])]
    angles = np.linspace(0, 2 * np.pi, SIDES // 2, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    rings = [np.column_stack([circle * max(radius, 1e-3), np.full(len(circle), height)]) for radius, height in profile]
    pairs = itertools.pairwise(rings)
    return Model(trimesh.creation.revolve(outline, sections=SIDES), [_hull(np.concatenate(pair)) for pair in pairs])


def _hull(points_N3: Points) -> trimesh.Trimesh:
    return trimesh.convex.convex_hull(points_N3)


def _join(meshes: list[trimesh.Trimesh]) -> trimesh.Trimesh:
    joined = trimesh.util.concatenate(meshes)
    assert isinstance(joined, trimesh.Trimesh)
    return joined


def _arc(major: float, minor: float, start: float, stop: float, count: int) -> Model:
    """Part of a torus about the y axis: convex segments, also the visible form."""
    angles = np.linspace(start, stop, count + 1)
    around = np.linspace(0, 2 * np.pi, SIDES // 2, endpoint=False)

    def ring(angle: float) -> Points:
        radius = major + minor * np.cos(around)
        return np.stack([radius * np.cos(angle), minor * np.sin(around), radius * np.sin(angle)], axis=-1)

    pieces = [_hull(np.concatenate([ring(a), ring(b)])) for a, b in itertools.pairwise(angles)]
    return Model(_join(pieces), pieces)


def _ring() -> Model:
    upright = trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0))
    visual = trimesh.creation.torus(0.5, 0.2, major_sections=SIDES, minor_sections=SIDES // 2, transform=upright)
    return Model(visual, _arc(0.5, 0.2, 0.0, 2 * np.pi, 16).pieces)


def _mug() -> Model:
    body = _lathe([(0.38, 0.0), (0.42, 0.06), (0.42, 0.94), (0.4, 1.0)])
    handle = _arc(0.27, 0.07, -np.pi / 2, np.pi / 2, 8)
    for piece in [handle.visual, *handle.pieces]:
        piece.apply_translation((0.4, 0.0, 0.5))
    return Model(_join([body.visual, handle.visual]), body.pieces + handle.pieces)


def _star() -> Model:
    """A five-pointed star standing on two of its points."""
    angles = np.pi / 2 + np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2 == 0, 0.6, 0.32)
    rim = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1)
    pieces = []
    for tip in range(0, 10, 2):
        kite = np.stack([rim[tip - 1], rim[tip], rim[tip + 1], np.zeros(2)])
        pieces.append(_hull(np.array([(x, y, z) for x, z in kite for y in (-0.2, 0.2)])))
    return Model(_join(pieces), pieces)


def _gem() -> Model:
    """An icosahedron standing on a face."""
    mesh = trimesh.creation.icosahedron()
    mesh.apply_transform(trimesh.geometry.align_vectors(mesh.face_normals[0], (0, 0, -1)))
    return Model(mesh, [mesh.convex_hull])


BUILDERS: dict[str, Callable[[], Model]] = {
    "bottle": lambda: _lathe(
        [(0.2, 0.0), (0.23, 0.04), (0.23, 0.5), (0.2, 0.6), (0.1, 0.74), (0.09, 0.92), (0.11, 0.93), (0.11, 1.0)]
    ),
    "can": lambda: _lathe([(0.29, 0.0), (0.32, 0.03), (0.32, 0.93), (0.29, 0.96)]),
    "cone": lambda: _lathe([(0.4, 0.0), (0.4, 0.05), (0.03, 1.0)]),
    "gem": _gem,
    "mug": _mug,
    "pin": lambda: _lathe(
        [
            (0.12, 0.0),
            (0.2, 0.2),
            (0.21, 0.34),
            (0.16, 0.52),
            (0.09, 0.68),
            (0.1, 0.78),
            (0.13, 0.88),
            (0.1, 0.97),
            (0.02, 1.0),
        ]
    ),
    "ring": _ring,
    "star": _star,
}
KINDS = (*PROPORTIONS, *BUILDERS)


def check_kinds(config: AssetsConfig) -> None:
    """Raise InputError unless every shape asked for is one that can be built."""
    unknown = [kind for kind in config.kinds if kind not in KINDS]
    if unknown or not config.kinds:
        raise InputError(f"assets.kinds = {list(config.kinds)}: unknown or empty", f"kinds are {', '.join(KINDS)}")


def build_pack(config: AssetsConfig) -> Path:
    """Build the pack once.

    Returns:
        Its manifest, in the form `kubric.AssetSource.from_manifest` reads.

    Raises:
        InputError: an unknown kind, or none.
    """
    check_kinds(config)
    wanted = sorted(set(config.kinds) & set(BUILDERS))
    folder = Path(config.root) / sha256_of([PACK_VERSION, wanted])[:12]
    if not folder.is_dir():
        with whole_folder(folder) as partial:
            entries = {kind: _write_asset(partial, kind) for kind in wanted}
            write_json(partial / MANIFEST, {"name": "void-local", "version": str(PACK_VERSION), "assets": entries})
    return folder / MANIFEST


def read_catalogue(manifest: Path, kinds: list[str]) -> dict[str, Shape]:
    """Shapes by kind, in the order of `kinds`."""
    entries = read_json(manifest)["assets"]
    catalogue = {}
    for kind in kinds:
        if kind in PROPORTIONS:
            x, y, z = PROPORTIONS[kind]
            catalogue[kind] = Shape((-x, -y, -z), (x, y, z))
        else:
            low, high = entries[kind]["kwargs"]["bounds"]
            catalogue[kind] = Shape(tuple(low), tuple(high))
    return catalogue


def _write_asset(folder: Path, kind: str) -> dict[str, Any]:
    model = BUILDERS[kind]()
    center = model.visual.center_mass
    for mesh in [model.visual, *model.pieces]:
        mesh.apply_translation(-center)
    bounds = model.visual.bounds.round(9).tolist()
    files = {"visual_geometry.obj": _obj(model.visual), "data.json": "{}", "object.urdf": _urdf(len(model.pieces))}
    files |= {f"collision_{i}.obj": _obj(piece) for i, piece in enumerate(model.pieces)}
    with tarfile.open(folder / f"{kind}.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return {
        "asset_type": "FileBasedObject",
        "license": "Apache-2.0",
        "kwargs": {
            "bounds": bounds,
            "mass": 1.0,
            "render_filename": "{asset_dir}/visual_geometry.obj",
            "simulation_filename": "{asset_dir}/object.urdf",
            "render_import_kwargs": {"axis_forward": "Y", "axis_up": "Z"},
        },
        "metadata": {"category": kind},
    }


def _obj(mesh: trimesh.Trimesh) -> str:
    return trimesh.exchange.obj.export_obj(mesh, include_normals=False, include_color=False, include_texture=False)


def _urdf(pieces: int) -> str:
    """One link; its mass and inertia are set by Kubric from the object's mass and collision shape."""
    collisions = "\n".join(
        f'    <collision><geometry><mesh filename="collision_{i}.obj"/></geometry></collision>' for i in range(pieces)
    )
    return f"""<robot name="object">
  <link name="base">
    <inertial><mass value="1.0"/><inertia ixx="0.1" ixy="0" ixz="0" iyy="0.1" iyz="0" izz="0.1"/></inertial>
    <visual><geometry><mesh filename="visual_geometry.obj"/></geometry></visual>
{collisions}
  </link>
</robot>
"""
