"""The objects of motions as Kubric's files: centred on their centre of mass, hollow where they are hollow."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from data_gen.assets.once import one_at_a_time
from data_gen.assets.pack import kubric_arguments, obj_bytes, urdf_bytes
from data_gen.human.kinds import Kind, kind_of
from data_gen.human.motion import Prop
from data_gen.human.pieces import RECIPE, convex_pieces, filled_volume
from void.files import read_json, whole_folder, write_json

FACTS = "prop.json"
VERTICES = "vertices.npy"
"""Of the mesh that the files were made from, as it was given."""
FORM = 2
"""Number of the files' form."""
SAME = 1e-5
"""Metres by which vertices of one object may differ, such as after another rounding by the program that wrote them."""


@dataclass(frozen=True, eq=False)
class StoredProp:
    """An object of a motion as files. Its own frame is that of the mesh it was made from."""

    kind: Kind
    kwargs: dict[str, Any]
    """Of `kubric.FileBasedObject`; the files are centred on the centre of mass."""
    centre_3: NDArray[np.float64]
    """Centre of mass in the object's own frame, metres."""
    low_3: NDArray[np.float64]
    """Least corner of the bounding box about the centre of mass, metres."""
    high_3: NDArray[np.float64]
    mass: float
    """Kilograms."""
    pieces: int
    """Convex pieces that it collides as."""


class PropStore:
    """Makes files of objects, each once for all processes that share the folder.

    Meshes with the same triangles whose vertices differ by less than `SAME` are one object: the files are those of the
    first one that was added. (Rounded vertices as a key would not do: of a thousand numbers some lie on the edge
    between two roundings.)

    Args:
        folder: Folder of the files; an object's is named by a digest of its triangles and a number, which tells objects
            apart that differ only in their vertices.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, prop: Prop) -> StoredProp:
        """The files of an object, written if they are not there yet (seconds for a hollow one).

        Raises:
            InputError: the disk is full.
        """
        place = self._place(prop)
        facts = read_json(place / FACTS)
        low_3, high_3 = np.array(facts["bounds"])
        kind = kind_of(prop.kind)
        kwargs = {
            key: value.replace("{asset_dir}", str(place.resolve())) if isinstance(value, str) else value
            for key, value in kubric_arguments(facts["bounds"]).items()
        }
        mass = kind.mass(facts["volume"])
        return StoredProp(kind, kwargs, np.array(facts["centre"]), low_3, high_3, mass, facts["pieces"])

    def _place(self, prop: Prop) -> Path:
        """The folder of an object, filled."""
        digest = _digest(prop)
        for number in itertools.count():
            place = self.folder / f"{digest}-{number}"
            with one_at_a_time(place) as missing:
                if missing:
                    with whole_folder(place, "prop") as partial:
                        _write(partial, prop)
                    break
            if np.allclose(np.load(place / VERTICES, allow_pickle=False), prop.vertices_V3, rtol=0.0, atol=SAME):
                break
        return place


def _digest(prop: Prop) -> str:
    digest = hashlib.sha256(f"{FORM} {RECIPE} {len(prop.vertices_V3)}".encode())
    digest.update(np.ascontiguousarray(prop.triangles_F3, dtype=np.int64).tobytes())
    return digest.hexdigest()[:24]


def _write(folder: Path, prop: Prop) -> None:
    mesh = trimesh.Trimesh(prop.vertices_V3, prop.triangles_F3)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    closed = bool(mesh.is_watertight)
    if closed and mesh.volume < 0:
        mesh.invert()
    # The middle of an open surface is that of its area.
    centre_3 = mesh.center_mass if closed and mesh.volume > 0 else mesh.centroid
    mesh.apply_translation(-centre_3)
    pieces = convex_pieces(mesh)
    (folder / "visual_geometry.obj").write_bytes(obj_bytes(mesh))
    for i, piece in enumerate(pieces):
        (folder / f"collision_{i}.obj").write_bytes(obj_bytes(piece))
    (folder / "object.urdf").write_bytes(urdf_bytes(len(pieces)))
    np.save(folder / VERTICES, prop.vertices_V3)
    facts = {"bounds": mesh.bounds.tolist(), "centre": centre_3.tolist()}
    write_json(folder / FACTS, facts | {"volume": filled_volume(mesh), "pieces": len(pieces)})
