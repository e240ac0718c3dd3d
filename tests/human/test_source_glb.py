"""A .glb file that Blender's exporter wrote is read to the millimetre; damaged ones are errors that name the field."""

from __future__ import annotations

import json
import shutil
import struct
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
from data_gen.human.sources import open_source
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


def read(root: Path, name: str = "carry_mug") -> Motion:
    return open_source("humoto_glb", HumanConfig(root=str(root)), root.parent / "cache").read(name)


@pytest.fixture(scope="module")
def motion(root: Path) -> Motion:
    return read(root / "sequences")


def test_there_are_as_many_frames_at_the_rate_of_the_keys(motion: Motion) -> None:
    assert (motion.frames, motion.fps) == (MOTION.frames, 24.0)
    assert motion.source == "humoto_glb"


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


def node(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in document["nodes"] if item.get("name") == name)


def stretch(document: dict[str, Any]) -> None:
    """The cup's size follows the keys of its place."""
    index = document["nodes"].index(node(document, "mug.001"))
    for animation in document["animations"]:
        for channel in animation["channels"]:
            if channel["target"] == {"node": index, "path": "translation"}:
                channel["target"]["path"] = "scale"


BAD = {
    "no animation": (lambda d: d.pop("animations"), "animations"),
    "no skin": (lambda d: [item.pop("skin", None) for item in d["nodes"]], "armature"),
    "other bones": (lambda d: node(d, "mixamorig:Hips").update(name="Root"), "armature"),
    "compressed": (lambda d: d.update(extensionsRequired=["KHR_draco_mesh_compression"]), "glb"),
    "numbers missing": (lambda d: [view.update(byteOffset=10**8) for view in d["bufferViews"]], "glb"),
    "circle": (lambda d: node(d, "table").update(children=[d["nodes"].index(node(d, "table"))]), "glb"),
    "object that grows": (stretch, "object mug.001"),
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
    with pytest.raises(SequenceError, match="not a binary glTF"):
        read(tmp_path, "odd")


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
