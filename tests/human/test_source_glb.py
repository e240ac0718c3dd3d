"""A .glb file that Blender's exporter wrote is read to the millimetre; damaged ones are errors that name the field.

Blender reads each file in a process of its own, so that most tests here start one.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blender_files import write_with_blender
from scipy.spatial import cKDTree
from tiny_motion import carry

from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion, SequenceError
from data_gen.human.sources import importing, open_source
from data_gen.scene.poses import apply
from data_gen.scene.skin import skinned
from void.errors import InputError

MOTION = carry()
FRAMES = range(0, MOTION.frames, 2)
MILLIMETRE = 1e-3


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glb")
    write_with_blender(folder / "sequences" / "carry_mug.glb", MOTION)
    return folder


def read(root: Path, name: str = "carry_mug", **config: Any) -> Motion:
    return open_source("humoto_glb", HumanConfig(root=str(root), **config), root.parent / "cache").read(name)


@pytest.fixture(scope="module")
def motion(root: Path) -> Motion:
    return read(root / "sequences")


def test_there_are_as_many_frames_and_they_are_played_at_the_rate_of_the_recordings(
    root: Path, motion: Motion, caplog: pytest.LogCaptureFixture
) -> None:
    """The file says 24 frames a second, as HUMOTO's do, whose recordings have 30."""
    assert (motion.source, motion.frames, motion.fps) == ("humoto_glb", MOTION.frames, 30.0)
    with caplog.at_level("INFO"):
        slower = read(root / "sequences", fps=24.0)
    assert slower.fps == 24.0 and slower.seconds == pytest.approx(1.25 * motion.seconds)
    np.testing.assert_array_equal(slower.joints_TJ7, motion.joints_TJ7)
    with caplog.at_level("INFO"):
        read(root / "sequences")
    assert "carry_mug.glb says 24 frames a second; played at 30 (scene.human.fps)" in caplog.text


def test_the_case_of_suffixes_says_nothing(root: Path, motion: Motion, tmp_path: Path) -> None:
    shutil.copy(root / "sequences" / "carry_mug.glb", tmp_path / "carry_mug.GLB")
    np.testing.assert_array_equal(read(tmp_path).joints_TJ7, motion.joints_TJ7)


def test_joints_are_where_they_were(motion: Motion) -> None:
    order = [motion.skeleton.index(name) for name in MOTION.skeleton.names]
    assert len(motion.skeleton.names) == len(MOTION.skeleton.names)
    assert np.abs(motion.skeleton.rest_J7[order, :3] - MOTION.skeleton.rest_J7[:, :3]).max() < MILLIMETRE
    assert np.abs(motion.joints_TJ7[:, order, :3] - MOTION.joints_TJ7[..., :3]).max() < MILLIMETRE
    dots = np.abs((motion.joints_TJ7[:, order, 3:] * MOTION.joints_TJ7[..., 3:]).sum(axis=-1))
    assert dots.min() > 1 - 1e-5


def test_the_skin_is_where_it_was(motion: Motion) -> None:
    for t in FRAMES:
        before = skinned(MOTION.skin, MOTION.skeleton, MOTION.joints_TJ7[t])
        after = skinned(motion.skin, motion.skeleton, motion.joints_TJ7[t])
        assert cKDTree(after).query(before)[0].max() < MILLIMETRE
        assert cKDTree(before).query(after)[0].max() < MILLIMETRE
    assert dict(zip(motion.skin.parts, motion.skin.colors, strict=True)) == {
        part: pytest.approx(color, abs=1e-3) for part, color in zip(MOTION.skin.parts, MOTION.skin.colors, strict=True)
    }


def test_objects_are_where_they_were(motion: Motion) -> None:
    assert [(prop.name, prop.kind) for prop in motion.props] == [("mug.001", "mug"), ("table", "table")]
    for i, prop in enumerate(motion.props):
        for t in FRAMES:
            before = apply(MOTION.props_TN7[t, i], MOTION.props[i].vertices_V3)
            after = apply(motion.props_TN7[t, i], prop.vertices_V3)
            assert cKDTree(after).query(before)[0].max() < MILLIMETRE
            assert cKDTree(before).query(after)[0].max() < MILLIMETRE


def edited(source: Path, target: Path, edit: Callable[[dict[str, Any]], Any]) -> Path:
    data = source.read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + size])
    edit(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    target.parent.mkdir(exist_ok=True)
    rest = data[20 + size :]
    target.write_bytes(data[:8] + struct.pack("<III", 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest)
    return target.parent


def rebound(source: Path, target: Path, tilt: np.ndarray) -> Path:
    """A copy whose skins are bound, and whose vertices are given, in a space that `tilt` leads to."""
    data = bytearray(source.read_bytes())
    (size,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + size])

    def numbers(index: int, columns: int) -> np.ndarray:
        accessor = document["accessors"][index]
        view = document["bufferViews"][accessor["bufferView"]]
        start = 28 + size + view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        return np.ndarray((accessor["count"], columns), "<f4", data, start)

    for skin in document["skins"]:
        matrices = numbers(skin["inverseBindMatrices"], 16)
        matrices[:] = [(row.reshape(4, 4).T @ np.linalg.inv(tilt)).T.ravel() for row in matrices.astype(float)]
    skinned_meshes = {item["mesh"] for item in document["nodes"] if "skin" in item}
    for mesh in skinned_meshes:
        for primitive in document["meshes"][mesh]["primitives"]:
            vertices = numbers(primitive["attributes"]["POSITION"], 3)
            vertices[:] = vertices @ tilt[:3, :3].T
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(bytes(data))
    return target.parent


def node(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in document["nodes"] if item.get("name") == name)


def stretch(document: dict[str, Any]) -> None:
    """The cup's size follows the keys of its place."""
    index = document["nodes"].index(node(document, "mug.001"))
    for animation in document["animations"]:
        for channel in animation["channels"]:
            if channel["target"] == {"node": index, "path": "translation"}:
                channel["target"]["path"] = "scale"


def animation_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The animation that moves a node."""
    index = document["nodes"].index(node(document, name))
    return next(
        item
        for item in document["animations"]
        if any(channel["target"]["node"] == index for channel in item["channels"])
    )


def second_clip(document: dict[str, Any]) -> None:
    """Another animation of the figure, in which its hips go the way of the cup; also one of the cup alone."""
    cup = animation_of(document, "mug.001")
    hips = document["nodes"].index(node(document, "mixamorig:Hips"))
    channel = next(item for item in cup["channels"] if item["target"]["path"] == "translation")
    animation_of(document, "mixamorig:Hips")["name"] = "Walk"
    moved = {"sampler": 0, "target": {"node": hips, "path": "translation"}}
    document["animations"].append(
        {"name": "Glide", "channels": [moved], "samplers": [cup["samplers"][channel["sampler"]]]}
    )


def test_of_several_animations_of_a_figure_one_is_chosen_by_name(root: Path, motion: Motion, tmp_path: Path) -> None:
    folder = edited(root / "sequences" / "carry_mug.glb", tmp_path / "clips" / "clips.glb", second_clip)
    with pytest.raises(SequenceError, match="that move Armature are several: Glide, Walk") as caught:
        read(folder, "clips")
    assert "scene.human.animation" in caught.value.remedy
    with pytest.raises(SequenceError, match="animation=Dance is none of them"):
        read(folder, "clips", animation="Dance")
    walk, glide = (read(folder, "clips", animation=name) for name in ("Walk", "Glide"))
    np.testing.assert_allclose(walk.joints_TJ7, motion.joints_TJ7, atol=1e-6)
    # The cup, which has one animation, moves in both.
    np.testing.assert_allclose(walk.props_TN7, motion.props_TN7, atol=1e-6)
    np.testing.assert_allclose(glide.props_TN7, motion.props_TN7, atol=1e-6)
    assert np.abs(glide.joints_TJ7 - motion.joints_TJ7)[..., :3].max() > 0.1


def wrapped(document: dict[str, Any]) -> None:
    """All nodes of the scene below one that turns them, as other programs write files."""
    scene = document["scenes"][document.get("scene", 0)]
    half = float(np.sqrt(0.5))
    document["nodes"].append({"name": "Scene", "children": scene["nodes"], "rotation": [0.0, half, 0.0, half]})
    scene["nodes"] = [len(document["nodes"]) - 1]


def test_a_root_above_everything_hides_no_object(root: Path, motion: Motion, tmp_path: Path) -> None:
    folder = edited(root / "sequences" / "carry_mug.glb", tmp_path / "wrapped" / "wrapped.glb", wrapped)
    found = read(folder, "wrapped")
    assert [prop.name for prop in found.props] == [prop.name for prop in motion.props]
    # A quarter turn about the vertical.
    for one, other in ((found.joints_TJ7, motion.joints_TJ7), (found.props_TN7, motion.props_TN7)):
        np.testing.assert_allclose(one[..., [0, 1, 2]], other[..., [1, 0, 2]] * [-1, 1, 1], atol=1e-5)
    placed, before = (item.joints_TJ7[..., 2] - item.skeleton.rest_J7[:, 2] for item in (found, motion))
    np.testing.assert_allclose(placed, before, atol=1e-5)


def test_a_figure_bound_in_another_space_stands_in_the_world(root: Path, motion: Motion, tmp_path: Path) -> None:
    """Inverse bind matrices of a skin that was bound lying, in centimetres: the file's nodes say where it stands."""
    tilt = np.eye(4)
    tilt[:3, :3] = [[100.0, 0, 0], [0, 0, -100.0], [0, 100.0, 0]]

    folder = rebound(root / "sequences" / "carry_mug.glb", tmp_path / "bound" / "bound.glb", tilt)
    found = read(folder, "bound")
    order = [found.skeleton.index(name) for name in motion.skeleton.names]
    np.testing.assert_allclose(found.joints_TJ7[:, order, :3], motion.joints_TJ7[..., :3], atol=1e-4)
    before, after = (skinned(item.skin, item.skeleton, item.joints_TJ7[-1]) for item in (motion, found))
    assert cKDTree(after).query(before)[0].max() < MILLIMETRE


def two_part_cup(document: dict[str, Any]) -> None:
    """The table is part of the cup, and moves in it."""
    cup, table = (node(document, name) for name in ("mug.001", "table"))
    scene = document["scenes"][document.get("scene", 0)]
    scene["nodes"].remove(document["nodes"].index(table))
    cup["children"] = [document["nodes"].index(table)]
    animation = animation_of(document, "mug.001")
    channel = next(item for item in animation["channels"] if item["target"]["path"] == "translation")
    moved = {"sampler": channel["sampler"], "target": {"node": document["nodes"].index(table), "path": "translation"}}
    document["animations"] = [item for item in document["animations"] if item is not animation_of(document, "table")]
    animation["channels"].append(moved)


BAD = {
    "no animation": (lambda d: d.pop("animations"), "animations"),
    "no skin": (lambda d: [item.pop("skin", None) for item in d["nodes"]], "armature"),
    "other bones": (lambda d: node(d, "mixamorig:Hips").update(name="Root"), "armature"),
    "compressed": (lambda d: d.update(extensionsRequired=["KHR_draco_mesh_compression"]), "glb"),
    "numbers missing": (lambda d: [view.update(byteOffset=10**8) for view in d["bufferViews"]], "glb"),
    "circle": (lambda d: node(d, "table").update(children=[d["nodes"].index(node(d, "table"))]), "glb"),
    "object that grows": (stretch, "object mug.001"),
    "object that bends": (two_part_cup, "object mug.001"),
}


@pytest.mark.parametrize(("edit", "field"), BAD.values(), ids=BAD)
def test_bad_files_name_sequence_and_field(
    root: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], Any], field: str
) -> None:
    folder = edited(root / "sequences" / "carry_mug.glb", tmp_path / "bad" / "odd.glb", edit)
    with pytest.raises(SequenceError, match="sequence odd") as caught:
        read(folder, "odd")
    assert caught.value.field == field


def test_a_file_that_is_no_glb_names_sequence_and_field(tmp_path: Path) -> None:
    (tmp_path / "odd.glb").write_bytes(b"no such thing, but long enough")
    with pytest.raises(SequenceError, match=r"sequence odd: glb cannot be read from odd\.glb"):
        read(tmp_path, "odd")


@pytest.mark.parametrize(
    ("program", "said"),
    [("import os; os.abort()", "killed by SIGABRT"), ("raise KeyError('accessors')", "KeyError: 'accessors'")],
)
def test_a_file_that_brings_blender_down_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setattr(importing, "_command", lambda request: [sys.executable, "-c", program])
    shutil.copy(root / "sequences" / "carry_mug.glb", tmp_path / "odd.glb")
    source = open_source("humoto_glb", HumanConfig(root=str(tmp_path)), tmp_path / "cache")
    with pytest.raises(SequenceError, match="sequence odd: glb cannot be read") as caught:
        source.read("odd")
    assert said in caught.value.problem
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_a_file_is_read_once_and_a_damaged_store_is_filled_again(
    root: Path, motion: Motion, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importing, "run_process", None)
        np.testing.assert_array_equal(read(root / "sequences").joints_TJ7, motion.joints_TJ7)
    (stored,) = (root / "cache").rglob("motion.npz")
    stored.write_bytes(stored.read_bytes()[:1000])
    np.testing.assert_array_equal(read(root / "sequences").joints_TJ7, motion.joints_TJ7)
    assert "damaged" in caplog.text


def test_unknown_sequences_and_characters_are_refused(root: Path, tmp_path: Path) -> None:
    source = open_source("humoto_glb", HumanConfig(root=str(root)), tmp_path)
    with pytest.raises(InputError, match="'dance' is unknown"):
        source.read("dance")
    with pytest.raises(InputError, match="'Remy' is unknown"):
        source.read("carry_mug", "Remy")


def test_two_files_of_one_name_are_refused(root: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "walk.glb").write_bytes(b"")
    with pytest.raises(InputError, match="both named walk"):
        open_source("humoto_glb", HumanConfig(root=str(tmp_path)), tmp_path / "cache")


def test_a_turned_figure_is_refused(root: Path, tmp_path: Path) -> None:
    lying = replace(
        MOTION, skeleton=replace(MOTION.skeleton, rest_J7=MOTION.skeleton.rest_J7[:, [1, 2, 0, 3, 4, 5, 6]])
    )
    write_with_blender(tmp_path / "lying.glb", lying)
    with pytest.raises(SequenceError, match="up axis"):
        read(tmp_path, "lying")
