"""The local asset pack."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import trimesh

from data_gen.blender.kubric_compat import load_kubric
from data_gen.config import AssetsConfig
from data_gen.rigid.assets import BUILDERS, PROPORTIONS, Shape, build_pack
from void.errors import InputError
from void.files import read_json


def load(manifest: Path, kind: str) -> tuple[trimesh.Trimesh, list[trimesh.Trimesh], str]:
    """The visible mesh, the collision pieces and the URDF of an archive."""
    with tarfile.open(manifest.parent / f"{kind}.tar.gz") as archive:
        texts = {entry.name: archive.extractfile(entry).read().decode() for entry in archive.getmembers()}  # type: ignore[union-attr]
    meshes = {
        name: trimesh.load_mesh(io.StringIO(text), file_type="obj")
        for name, text in texts.items()
        if name.endswith("obj")
    }
    pieces = [mesh for name, mesh in sorted(meshes.items()) if name.startswith("collision")]
    return meshes["visual_geometry.obj"], pieces, texts["object.urdf"]


@pytest.mark.parametrize("kind", BUILDERS)
def test_meshes_are_centred_and_their_collision_shape_fits(
    manifest: Path, catalogue: dict[str, Shape], kind: str
) -> None:
    visual, pieces, urdf = load(manifest, kind)
    np.testing.assert_allclose(visual.center_mass, 0, atol=1e-6)
    np.testing.assert_allclose(visual.bounds, (catalogue[kind].low, catalogue[kind].high), atol=1e-6)
    assert all(piece.is_convex for piece in pieces) and urdf.count("<collision>") == len(pieces)
    around = np.concatenate([piece.vertices for piece in pieces])
    np.testing.assert_allclose((around.min(axis=0), around.max(axis=0)), visual.bounds, atol=0.02)


def test_the_ring_keeps_its_hole(manifest: Path) -> None:
    _, pieces, _ = load(manifest, "ring")
    for piece in pieces:
        # The middle is outside of a convex piece when it is in front of one of its faces.
        assert (-np.sum(piece.face_normals * piece.triangles_center, axis=-1)).max() > 0.2


def test_kubric_opens_every_asset(manifest: Path, tmp_path: Path) -> None:
    source = load_kubric().AssetSource.from_manifest(str(manifest), scratch_dir=tmp_path)
    assert source.all_asset_ids == sorted(BUILDERS)
    for kind in BUILDERS:
        asset = source.create(kind)
        assert Path(asset.render_filename).is_file() and Path(asset.simulation_filename).is_file()


def test_the_pack_is_built_once(manifest: Path) -> None:
    before = manifest.stat().st_mtime_ns
    assert build_pack(AssetsConfig(root=str(manifest.parents[1]))) == manifest
    assert manifest.stat().st_mtime_ns == before


def test_other_shapes_make_another_pack(manifest: Path) -> None:
    other = build_pack(AssetsConfig(root=str(manifest.parents[1]), kinds=["ball", "mug"]))
    assert other != manifest and list(read_json(other)["assets"]) == ["mug"]


def test_primitives_have_the_catalogue_of_kubric(catalogue: dict[str, Shape]) -> None:
    kb = load_kubric()
    np.testing.assert_array_equal(catalogue["ball"].extents, np.ptp(kb.Sphere().bounds, axis=0))
    for kind in set(PROPORTIONS) - {"ball"}:
        cube = kb.Cube(scale=PROPORTIONS[kind])
        np.testing.assert_allclose(catalogue[kind].extents, np.ptp(cube.aabbox, axis=0))


@pytest.mark.parametrize("kinds", [["ball", "teapot"], []])
def test_unknown_shapes_are_named(kinds: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"assets\.kinds") as caught:
        build_pack(AssetsConfig(root=str(tmp_path), kinds=kinds))
    assert "bottle" in caught.value.remedy
