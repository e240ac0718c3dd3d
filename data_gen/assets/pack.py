"""The embedded pack: manifests and archives in Kubric's form, built from code and from what Blender brings along."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import trimesh

from data_gen.assets.dome import FLOOR_THICKNESS, RADIUS, dome_files
from data_gen.assets.once import one_at_a_time
from data_gen.assets.recipe import Recipe
from data_gen.assets.shapes import OBJECTS, STRUCTURES
from data_gen.assets.solids import Solid
from void.errors import InputError
from void.files import whole_folder, write_json
from void.progress import progress_bar

MANIFESTS = ("objects", "structures", "skies", "backdrops")
LICENSE = "Apache-2.0"


def build_pack(root: Path, kinds: Sequence[str] = MANIFESTS) -> Path:
    """Build the pack, or a part of it, unless it is there already. Two processes may do so at once.

    Args:
        root: where packs are kept.
        kinds: manifests wanted, some of `MANIFESTS`.

    Returns:
        Its folder: a manifest (.json) of each kind, and an archive for each mesh.

    Raises:
        InputError: Blender is not installed, or the disk is full.
    """
    skies = blender_skies() if "skies" in kinds else {}
    folder = root / f"pack-{_key(kinds, skies)}"
    with one_at_a_time(folder) as missing:
        if missing:
            with whole_folder(folder, "asset pack") as partial:
                _fill(partial, kinds, skies)
    return folder


def blender_skies() -> dict[str, Path]:
    """The environment images inside Blender's Python module (CC0), found without importing it.

    Raises:
        InputError: there is no Blender here.
    """
    spec = importlib.util.find_spec("bpy")
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    files = [file for place in places for file in place.glob("*/datafiles/studiolights/world/*.exr")]
    if not files:
        raise InputError("Blender's Python module bpy is not installed", "pip install -e '.[simulation]'")
    return {file.stem: file for file in sorted(files)}


def _key(kinds: Sequence[str], skies: Mapping[str, Path]) -> str:
    """Changes with anything that the pack is made of."""
    digest = hashlib.sha256(" ".join(kinds).encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    digest.update("\n".join(map(str, skies.values())).encode())
    return digest.hexdigest()[:12]


def _fill(folder: Path, kinds: Sequence[str], skies: Mapping[str, Path]) -> None:
    meshes = {kind: recipes for kind, recipes in (("objects", OBJECTS), ("structures", STRUCTURES)) if kind in kinds}
    with progress_bar("building meshes", sum(map(len, meshes.values()))) as advance:
        for kind, recipes in meshes.items():
            entries = {}
            for key, recipe in recipes.items():
                entries[key] = _write_object(folder, key, recipe)
                advance()
            _write_manifest(folder, kind, entries)
    if "backdrops" in kinds:
        _write_manifest(folder, "backdrops", {"dome": _write_dome(folder)})
    if "skies" in kinds:
        _write_manifest(folder, "skies", {key: _sky(file) for key, file in skies.items()})


def _write_manifest(folder: Path, name: str, entries: Mapping[str, Any]) -> None:
    write_json(folder / f"{name}.json", {"name": f"void_{name}", "assets": entries})


def _sky(file: Path) -> dict[str, Any]:
    return {"asset_type": "Texture", "license": "CC0", "path": None, "kwargs": {"filename": str(file)}, "metadata": {}}


def _write_object(folder: Path, key: str, recipe: Recipe) -> dict[str, Any]:
    solid = finished(recipe)
    files = {f"collision_{i}.obj": obj_bytes(piece) for i, piece in enumerate(solid.pieces)}
    files |= {"visual_geometry.obj": obj_bytes(solid.visual), "object.urdf": urdf_bytes(len(solid.pieces))}
    _write_archive(folder / f"{key}.tar.gz", files)
    return {
        "asset_type": "FileBasedObject",
        "license": LICENSE,
        "kwargs": kubric_arguments(solid.visual.bounds.round(9).tolist()),
        "metadata": {
            "category": recipe.name,
            "tags": list(recipe.tags),
            "textured": False,
            "triangles": len(solid.visual.faces),
            "pieces": len(solid.pieces),
            "volume": round(float(solid.visual.volume), 9),
        },
    }


def _write_dome(folder: Path) -> dict[str, Any]:
    _write_archive(folder / "dome.tar.gz", dome_files())
    bounds = [[-RADIUS, -RADIUS, -FLOOR_THICKNESS], [RADIUS, RADIUS, RADIUS]]
    return {"asset_type": "FileBasedObject", "license": LICENSE, "kwargs": kubric_arguments(bounds), "metadata": {}}


def kubric_arguments(bounds: list[list[float]]) -> dict[str, Any]:
    """Of a `FileBasedObject` whose bounding box has these two corners; "{asset_dir}" stands for its folder."""
    return {
        "bounds": bounds,
        "mass": 1.0,
        "render_filename": "{asset_dir}/visual_geometry.obj",
        "simulation_filename": "{asset_dir}/object.urdf",
        "render_import_kwargs": {"axis_forward": "Y", "axis_up": "Z"},
    }


def finished(recipe: Recipe) -> Solid:
    """The solid in metres, with its centre of mass at the origin."""
    solid = recipe.build()
    x, y, z = (float(value) for value in solid.visual.center_mass)
    return solid.moved(-x, -y, -z).stretched(0.01, 0.01, 0.01)


def _write_archive(file: Path, files: Mapping[str, bytes]) -> None:
    """A flat gzipped tar with the `data.json` that Kubric insists on; the same bytes every time."""
    # Without a time: gzip would store the present one.
    with (
        gzip.GzipFile(file, "wb", compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, content in {"data.json": b"{}", **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def obj_bytes(mesh: trimesh.Trimesh) -> bytes:
    """A mesh as a Wavefront file, without materials."""
    text = trimesh.exchange.obj.export_obj(mesh, include_normals=False, include_color=False, include_texture=False)
    return text.encode()


def urdf_bytes(pieces: int) -> bytes:
    """One link that collides as `collision_0.obj` and so on.

    Kubric sets its mass and inertia from the object's mass and collision shape.
    """
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
""".encode()
