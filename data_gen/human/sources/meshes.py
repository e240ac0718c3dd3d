"""Meshes of objects, found by name in a folder."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import trimesh

from data_gen.human.motion import Prop, SequenceError
from data_gen.human.sources.sequences import files_with

SUFFIXES = (".obj", ".ply", ".stl", ".glb")
"""In the order of preference; files may have them in any case."""
Y_UP = (".glb",)
"""Formats that are Y up; the others are taken as they are, Z up."""
TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def kind_of_name(name: str) -> str:
    """The name of an object without the number that Blender gives to a second one: mug.001 is a mug."""
    return re.sub(r"\.\d{3,}$", "", name)


class MeshFolder:
    """The meshes in a folder, at any depth.

    Args:
        folder: need not exist; then there are none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths: dict[str, Path] = {}
        for path in sorted(files_with(folder, SUFFIXES), key=lambda path: SUFFIXES.index(path.suffix.lower())):
            self._paths.setdefault(path.stem, path)

    def find(self, name: str) -> Path | None:
        """The file of an object, or of its kind; None: there is neither."""
        return self._paths.get(name) or self._paths.get(kind_of_name(name))


def read_prop(path: Path, name: str, sequence: str) -> Prop:
    """The object in a mesh file.

    Args:
        path: of any format of `SUFFIXES`, in metres.
        name: of the object.
        sequence: that an error names.

    Raises:
        SequenceError: the file cannot be read or holds no triangles.
    """
    try:
        kind = path.suffix.lower().removeprefix(".")
        with path.open("rb") as file:
            mesh = trimesh.load(file, file_type=kind, force="mesh", process=False, skip_materials=True)
    except Exception as error:  # trimesh raises nearly anything for a damaged file.
        raise SequenceError(
            sequence, f"object {name}", f"cannot be read from {path}: {error}", "fetch the file again"
        ) from error
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
        raise SequenceError(sequence, f"object {name}", f"has no triangles in {path}", "fetch the file again")
    vertices_V3 = np.array(mesh.vertices, np.float64)
    if path.suffix.lower() in Y_UP:
        vertices_V3 = vertices_V3 @ TO_Z_UP.T
    return Prop(name, kind_of_name(name), vertices_V3, np.array(mesh.faces, np.int64))
