"""A sequence in the release's layout, written by Blender, is read to the millimetre; bad ones name the field."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from blender_files import write_with_blender
from scipy.spatial import cKDTree
from tiny_motion import carry, figure

from data_gen.human.config import HumanConfig
from data_gen.human.kinematics import to_basis
from data_gen.human.motion import Motion, SequenceError
from data_gen.human.sources import open_source
from data_gen.human.sources.layout import write_figure
from data_gen.scene.poses import apply
from data_gen.scene.skin import skinned
from void.errors import InputError

MOTION = carry()
FRAMES = range(0, MOTION.frames, 2)
MILLIMETRE = 1e-3
NAME = "carry_mug"
RELEASE_ORDER = [3, 4, 5, 6, 0, 1, 2]
"""Quaternion, then location."""


def release_value() -> dict[str, Any]:
    basis_TJ7 = to_basis(MOTION.skeleton, MOTION.joints_TJ7)[..., RELEASE_ORDER].astype(np.float32)
    names = MOTION.skeleton.names
    poses_TN7 = MOTION.props_TN7[..., RELEASE_ORDER]
    body_7 = np.array([1.0, 0, 0, 0, 0, 0, 0])
    return {
        "armature": [dict(zip(names, basis_J7, strict=True)) for basis_J7 in basis_TJ7],
        "objects": {prop.name: list(poses_TN7[:, i]) for i, prop in enumerate(MOTION.props)}
        | {name: [body_7] * MOTION.frames for name in ("Body0", "Body1", "Ch02_Hair")},
    }


def write(path: Path, value: Any) -> None:
    path.write_bytes(pickle.dumps(value, 4))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root; the meshes of the objects are beside it. Nothing of it was written by our own writer."""
    folder = tmp_path_factory.mktemp("release")
    place = folder / "humoto_0805" / NAME
    write_with_blender(place / f"{NAME}.fbx", MOTION)
    write(place / f"{NAME}.pkl", release_value())
    (place / f"{NAME}.yaml").write_text("objects: [mug, table]\nscript: a person carries a mug\n")
    meshes = folder / "humoto_objects_0805" / "kitchen"
    meshes.mkdir(parents=True)
    for prop, suffix in zip(MOTION.props, (".obj", ".glb"), strict=True):
        vertices_V3 = prop.vertices_V3 if suffix == ".obj" else prop.vertices_V3[:, [0, 2, 1]] * [1, 1, -1]
        trimesh.Trimesh(vertices_V3, prop.triangles_F3, process=False).export(meshes / f"{prop.kind}{suffix}")
    return folder / "humoto_0805"


def read(root: Path, character: str | None = None, **config: Any) -> Motion:
    source = open_source("humoto", HumanConfig(root=str(root), **config), root.parent / "cache")
    return source.read(NAME, character)


@pytest.fixture(scope="module")
def motion(release: Path) -> Motion:
    return read(release)


def test_the_case_of_suffixes_says_nothing(release: Path, motion: Motion, tmp_path: Path) -> None:
    """Files renamed to capitals, as some archives unpack them, give the same motion."""
    shutil.copytree(release.parent, tmp_path / "copy")
    for file in [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]:
        file.rename(file.with_name(file.stem + file.suffix.upper()))
    found = read(tmp_path / "copy" / release.name)
    np.testing.assert_array_equal(found.joints_TJ7, motion.joints_TJ7)
    assert [prop.name for prop in found.props] == [prop.name for prop in motion.props]
    for one, other in zip(found.props, motion.props, strict=True):
        np.testing.assert_array_equal(one.vertices_V3, other.vertices_V3)


def test_the_rate_of_the_release_can_be_overruled(release: Path, motion: Motion) -> None:
    faster = read(release, fps=60.0)
    assert faster.fps == 60.0 and faster.seconds == pytest.approx(motion.seconds / 2)


def test_bones_with_the_number_of_a_later_figure_are_mixamos(release: Path, motion: Motion, tmp_path: Path) -> None:
    """Mixamo calls the bones of a second figure mixamorig1:Hips, and so on."""
    shutil.copytree(release.parent, tmp_path / "copy")
    path = tmp_path / "copy" / release.name / NAME / f"{NAME}.pkl"
    value = release_value()
    value["armature"] = [
        {bone.replace("mixamorig:", "mixamorig12:"): basis for bone, basis in frame.items()}
        for frame in value["armature"]
    ]
    write(path, value)
    found = read(tmp_path / "copy" / release.name)
    np.testing.assert_array_equal(found.joints_TJ7, motion.joints_TJ7)


def test_joints_are_where_they_were(motion: Motion) -> None:
    order = [motion.skeleton.index(name) for name in MOTION.skeleton.names]
    assert np.abs(motion.joints_TJ7[:, order, :3] - MOTION.joints_TJ7[..., :3]).max() < MILLIMETRE
    dots = np.abs((motion.joints_TJ7[:, order, 3:] * MOTION.joints_TJ7[..., 3:]).sum(axis=-1))
    assert dots.min() > 1 - 1e-5
    assert (motion.source, motion.fps, motion.frames) == ("humoto", 30.0, MOTION.frames)


def test_the_skin_is_where_it_was(motion: Motion) -> None:
    assert set(motion.skin.parts) == set(MOTION.skin.parts)
    for t in FRAMES:
        before = skinned(MOTION.skin, MOTION.skeleton, MOTION.joints_TJ7[t])
        after = skinned(motion.skin, motion.skeleton, motion.joints_TJ7[t])
        assert cKDTree(after).query(before)[0].max() < MILLIMETRE
        assert cKDTree(before).query(after)[0].max() < MILLIMETRE


def test_objects_are_where_they_were_and_meshes_of_the_body_are_not_among_them(motion: Motion) -> None:
    assert [(prop.name, prop.kind) for prop in motion.props] == [("mug.001", "mug"), ("table", "table")]
    for i, prop in enumerate(motion.props):
        for t in FRAMES:
            before = apply(MOTION.props_TN7[t, i], MOTION.props[i].vertices_V3)
            after = apply(motion.props_TN7[t, i], prop.vertices_V3)
            assert cKDTree(after).query(before)[0].max() < MILLIMETRE
            assert cKDTree(before).query(after)[0].max() < MILLIMETRE


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    for folder in (release, release.parent / "humoto_objects_0805"):
        shutil.copytree(folder, tmp_path / folder.name)
    return tmp_path / release.name


def frame(value: dict[str, Any], bone: str, change: Callable[[np.ndarray], Any]) -> None:
    name = f"mixamorig:{bone}"
    value["armature"][2][name] = change(np.array(value["armature"][2][name]))


def rename(value: dict[str, Any]) -> None:
    for poses in value["armature"]:
        poses["Bip01 Spine"] = poses.pop("mixamorig:Spine")


BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "zero length": (lambda v: v.update(armature=[], objects={"mug": [], "table": []}), "armature", "0 frames"),
    "NaN pose": (lambda v: frame(v, "Spine", lambda p: p * np.nan), "armature.mixamorig:Spine", "finite at frame 2"),
    "no unit": (lambda v: frame(v, "Head", lambda p: p * 2), "armature.mixamorig:Head", "length 2"),
    "short pose": (lambda v: frame(v, "Head", lambda p: p[:5]), "armature.mixamorig:Head", "not a list of numbers"),
    "words": (lambda v: frame(v, "Head", lambda p: "up"), "armature.mixamorig:Head", "not a list of numbers"),
    "unknown bone": (rename, "armature.Bip01 Spine", "no bone of the figure"),
    "bone not in a frame": (lambda v: v["armature"][3].pop("mixamorig:Head"), "armature.mixamorig:Head", "every frame"),
    "no armature": (lambda v: v.pop("armature"), "armature", "is not a list"),
    "no objects": (lambda v: v.update(objects=[1]), "objects", "is not"),
    "short object": (lambda v: v["objects"]["table"].pop(), "objects.table", "has 23 frames"),
    "object NaN": (lambda v: v["objects"]["table"].__setitem__(1, [np.nan] * 7), "objects.table", "finite at frame 1"),
    "missing mesh": (lambda v: v["objects"].update(lamp=v["objects"]["table"]), "object lamp", "no mesh"),
    "bad model": (
        lambda v: v.update(object_models={"lamp": {"mesh": 3}})
        or v["objects"].update(lamp=v["objects"]["table"]), "object_models.lamp", "not a mesh",
    ),
    "notes list more": (lambda v: v["objects"].pop("table"), "yaml.objects", "table"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "field", "problem"), BAD.values(), ids=BAD)
def test_bad_values_name_sequence_and_field(
    copy: Path, spoil: Callable[[dict[str, Any]], Any], field: str, problem: str
) -> None:
    value = release_value()
    spoil(value)
    write(copy / NAME / f"{NAME}.pkl", value)
    with pytest.raises(SequenceError, match=f"sequence {NAME}") as caught:
        read(copy)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert caught.value.remedy


def test_a_mesh_in_the_pickle_serves_where_there_is_no_file(copy: Path) -> None:
    value = release_value()
    table = MOTION.props[1]
    value["objects"]["lamp"] = value["objects"]["table"]
    value["object_models"] = {"lamp": {"mesh": (table.vertices_V3.astype(np.float32), table.triangles_F3)}}
    write(copy / NAME / f"{NAME}.pkl", value)
    prop = next(prop for prop in read(copy).props if prop.name == "lamp")
    assert np.abs(prop.vertices_V3 - table.vertices_V3).max() < 1e-6


@pytest.mark.parametrize("suffix", ["pkl", "fbx"])
def test_a_missing_file_is_named(copy: Path, suffix: str) -> None:
    (copy / NAME / f"{NAME}.{suffix}").unlink()
    with pytest.raises(SequenceError, match="is missing") as caught:
        read(copy)
    assert caught.value.field == suffix


def test_a_damaged_fbx_is_named(copy: Path) -> None:
    (copy / NAME / f"{NAME}.fbx").write_bytes(b"not an FBX file")
    with pytest.raises(SequenceError, match="cannot be read") as caught:
        read(copy)
    assert caught.value.field == "fbx"


def test_a_damaged_mesh_is_named(copy: Path) -> None:
    (copy.parent / "humoto_objects_0805" / "kitchen" / "mug.obj").write_text("v 0 0 0\n")
    with pytest.raises(SequenceError) as caught:
        read(copy)
    assert caught.value.field == "object mug.001"


def test_a_figure_that_lies_is_refused(copy: Path) -> None:
    skeleton, skin = figure()
    lying_J7 = skeleton.rest_J7[:, [1, 2, 0, 3, 4, 5, 6]]
    write_figure(copy / NAME / f"{NAME}.fbx", type(skeleton)(skeleton.names, skeleton.parents, lying_J7), skin)
    value = release_value()
    value["objects"] = {name: poses for name, poses in value["objects"].items() if not name.startswith("Body")}
    write(copy / NAME / f"{NAME}.pkl", value)
    with pytest.raises(SequenceError, match="up axis"):
        read(copy)


def test_missing_folders_say_where_to_request_the_data(tmp_path: Path) -> None:
    for root in ("", str(tmp_path / "none"), str(tmp_path)):
        with pytest.raises(InputError, match=r"docs/human-motion\.md"):
            open_source("humoto", HumanConfig(root=root), tmp_path / "cache")


def test_unknown_kinds_sequences_and_characters_are_refused(release: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="kinect"):
        open_source("kinect", HumanConfig(root=str(release)), tmp_path)
    with pytest.raises(InputError, match=r"scene\.human\.characters\.Remy"):
        read(release, characters={"Remy": str(tmp_path / "remy.fbx")})
    with pytest.raises(InputError, match="'Remy' is unknown"):
        read(release, "Remy")
    with pytest.raises(InputError, match="'dance' is unknown"):
        open_source("humoto", HumanConfig(root=str(release)), tmp_path).read("dance")


def test_two_sequences_of_one_name_are_refused(release: Path, copy: Path) -> None:
    shutil.copytree(copy / NAME, copy / "again" / NAME)
    with pytest.raises(InputError, match=f"both named {NAME}"):
        read(copy)


def test_a_character_plays_the_sequence(release: Path, tmp_path: Path) -> None:
    write_figure(tmp_path / "sophie.fbx", *figure(leg=0.78, arm=0.53, drop=0.3))
    config = {"characters": {"Sophie": str(tmp_path / "sophie.fbx")}}
    played = read(release, "Sophie", **config)
    assert played.character == "Sophie"
    assert 0 < played.hold_error < 5e-3
    assert played.joint("Hips")[0, 2] < read(release).joint("Hips")[0, 2] - 0.03
    again = read(release, "Sophie", **config)
    assert np.array_equal(again.joints_TJ7, played.joints_TJ7)
    assert again.hold_error == played.hold_error
    (tmp_path / "sophie.fbx").write_bytes(b"not an FBX file")
    with pytest.raises(SequenceError) as caught:
        read(release, "Sophie", **config)
    assert caught.value.field == "character Sophie"
