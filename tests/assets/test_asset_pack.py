"""The embedded pack: what is in it, that physics can use it, and that Kubric can read it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from data_gen.assets.library import Library, open_library
from data_gen.assets.pack import build_pack, finished
from data_gen.assets.shapes import OBJECTS, STRUCTURES
from data_gen.blender.kubric_compat import load_kubric, load_simulator
from data_gen.config import AssetsConfig
from void.errors import InputError

RECIPES = {**OBJECTS, **STRUCTURES}


def test_there_are_more_than_sixty_meshes_of_many_kinds(library: Library) -> None:
    objects = [shape for shape in library.shapes.values() if "object" in shape.tags]
    assert len(objects) >= 140 and len({shape.name for shape in objects}) >= 100
    assert list(library.shapes) == sorted(library.shapes)
    assert sum("ball" in shape.tags for shape in objects) >= 3
    assert all(0.03 <= shape.extents.max() <= 0.45 for shape in objects)
    assert {"cube", "sphere", "shelf", "ramp"} <= set(library.shapes)
    shapes = {tuple(np.round(np.sort(shape.extents / shape.extents.max()), 3)) for shape in objects}
    assert len(shapes) > 0.9 * len(objects)


@pytest.mark.parametrize("key", RECIPES)
def test_every_mesh_is_a_centred_solid_with_convex_pieces(key: str) -> None:
    solid = finished(RECIPES[key])
    mesh = solid.visual
    assert mesh.volume > 0 and len(mesh.faces) <= 6000
    np.testing.assert_allclose(mesh.center_mass, 0, atol=1e-6)
    assert 1 <= len(solid.pieces) <= 32
    low, high = np.min([p.bounds[0] for p in solid.pieces], axis=0), np.max([p.bounds[1] for p in solid.pieces], axis=0)
    # What is seen and what collides reach as far.
    np.testing.assert_allclose([low, high], mesh.bounds, atol=0.08 * mesh.extents.max())
    for piece in solid.pieces:
        assert piece.volume > 0
        assert trimesh.convex.convex_hull(piece).volume == pytest.approx(piece.volume, rel=0.02)


@pytest.mark.parametrize(("vessel", "ball"), [("mug_1", 0.4), ("bowl_1", 0.35), ("cup_1", 0.4), ("cooking_pot", 0.3)])
def test_hollow_things_hold_a_ball(vessel: str, ball: float, library: Library, tmp_path: Path) -> None:
    shape = library.shapes[vessel]
    size = float(shape.extents[:2].min())
    radius = ball * size / 2
    kb = load_kubric()
    scene = kb.Scene(frame_start=0, frame_end=20, frame_rate=12, step_rate=240)
    simulator = load_simulator()(scene, scratch_dir=tmp_path)
    scene += kb.Cube(scale=(5, 5, 1), position=(0, 0, -1), static=True)
    scale = 10.0
    place = (0.0, 0.0, -shape.low[2] * scale)
    scene += library.create(vessel, scale=(scale,) * 3, position=place, static=True)
    dropped = kb.Sphere(
        scale=radius * scale, position=(0.0, 0.0, shape.extents[2] * scale + 2 * radius * scale), mass=1.0
    )
    scene += dropped
    animation, _ = simulator.run(frame_start=0, frame_end=20)
    scene.unlink_view(simulator)
    x, y, z = animation[dropped]["position"][-1]
    assert np.hypot(x, y) < size * scale / 2
    # On the bottom of the vessel, not on a lid that is not there.
    assert z - radius * scale < 0.6 * shape.extents[2] * scale


def test_kubric_reads_the_manifests(library: Library, tmp_path: Path) -> None:
    kb = load_kubric()
    for kind in ("objects", "backdrops", "skies"):
        source = kb.AssetSource.from_manifest(library.manifests[kind].file, scratch_dir=tmp_path)
        name = source.all_asset_ids[0]
        made = source.create(name)
        path = made.filename if kind == "skies" else made.render_filename
        assert Path(path).is_file()
        source.close()
    made = library.create("mug_1", scale=(2.0,) * 3, position=(1.0, 2.0, 3.0), mass=0.5)
    assert made.asset_id == "mug_1" and made.mass == 0.5 and made.scale.tolist() == [2.0] * 3


def test_the_splits_are_kubrics(library: Library, tmp_path: Path) -> None:
    kb = load_kubric()
    for kind in ("objects", "skies"):
        source = kb.AssetSource.from_manifest(library.manifests[kind].file, scratch_dir=tmp_path)
        train, held_out = source.get_test_split(0.1)
        source.close()
        for split, ids in (("train", train), ("val", held_out)):
            part = library.split(split)
            found = part.skies if kind == "skies" else [k for k, s in part.shapes.items() if "object" in s.tags]
            assert sorted(found) == sorted(ids)
    both = set(library.split("train").shapes) & set(library.split("val").shapes)
    assert both == {key for key, shape in library.shapes.items() if "object" not in shape.tags}


def test_nothing_is_held_out_where_asked(library: Library) -> None:
    shared = open_library(replace(library.config, held_out=0.0))
    assert shared.split("train").shapes == shared.split("val").shapes == shared.shapes
    assert shared.split("val").skies == shared.skies


def test_a_worker_finds_everything_again(library: Library) -> None:
    again = Library.from_dict(json.loads(json.dumps(library.to_dict())))
    assert again == library and again.version == library.version
    assert again.split("val").to_dict() == library.split("val").to_dict()


def test_the_pack_is_built_once_and_is_the_same_everywhere(library: Library, tmp_path: Path) -> None:
    folder = build_pack(Path(library.config.root))
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert build_pack(Path(library.config.root)) == folder
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    other = open_library(AssetsConfig(root=str(tmp_path)))
    assert other.version == library.version
    assert (tmp_path / folder.name / "mug_1.tar.gz").read_bytes() == (folder / "mug_1.tar.gz").read_bytes()


def test_names_choose_and_exclude_leaves_out(library: Library) -> None:
    mugs = open_library(replace(library.config, names=["mug", "bottle", "die", "can"], held_out=0.0))
    assert {shape.name for shape in mugs.shapes.values() if "object" in shape.tags} == {"mug", "bottle", "die", "can"}
    assert "cube" in mugs.shapes and "shelf" in mugs.shapes
    assert "mug_1" not in open_library(replace(library.config, exclude=["mug_1"])).shapes


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"names": ["unicorn"]}, "unicorn"),
        ({"source": "cloud"}, "cloud"),
        ({"held_out": 1.0}, "held_out"),
        ({"names": ["anvil"]}, "objects"),
    ],
)
def test_impossible_choices_are_named(changes: dict, word: str, library: Library) -> None:
    with pytest.raises(InputError, match=word):
        open_library(replace(library.config, **changes))


def test_skies_are_files(library: Library) -> None:
    assert len(library.skies) == 8
    assert all(Path(library.sky_file(sky)).is_file() for sky in library.skies)
