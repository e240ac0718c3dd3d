"""A .bvh file that Blender's exporter wrote is read to the millimetre, and a figure of ours plays it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from blender_files import write_with_blender
from bvh_files import write_bvh
from tiny_motion import FPS, carry

from data_gen.human.config import HumanConfig
from data_gen.human.holds import palm
from data_gen.human.motion import Motion, SequenceError
from data_gen.human.retarget import leg_length, retarget
from data_gen.human.sources import open_source
from data_gen.human.sources.bvh import recorded_motion
from data_gen.human.sources.joint_names import mixamo_bone, mixamo_names
from data_gen.scene.poses import apply, compose, inverse
from void.errors import InputError

MOTION = carry()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bvh")
    write_with_blender(folder / "sequences" / "carry.bvh", MOTION)
    trimesh.creation.box((0.1, 0.2, 0.06)).export(folder / "book.obj")
    return folder


def read(root: Path, name: str = "carry", joint: str = "RightHand") -> Motion:
    config = HumanConfig(root=str(root), bvh_object=str(root.parent / "book.obj"), bvh_joint=joint)
    return open_source("bvh", config, root.parent / "cache").read(name)


@pytest.fixture(scope="module")
def motion(root: Path) -> Motion:
    return read(root / "sequences")


def test_joints_are_where_they_were(root: Path) -> None:
    legs = leg_length(MOTION.skeleton)
    recorded = recorded_motion(root / "sequences" / "carry.bvh", "carry", MOTION.skin, legs)
    assert recorded.fps == pytest.approx(FPS, rel=1e-4)
    own = [MOTION.skeleton.index(name) for name in ("Hips", "Head", "LeftHand", "RightForeArm", "LeftFoot", "RightLeg")]
    order = [recorded.skeleton.index(MOTION.skeleton.names[j]) for j in own]
    moved_TJ3 = recorded.joints_TJ7[:, order, :3] - MOTION.joints_TJ7[:, own, :3]
    # Over the floor the file's own place is kept but for one shift.
    assert np.abs(moved_TJ3 - moved_TJ3[0, 0]).max() < 1e-3
    foot = recorded.skeleton.index("LeftFoot")
    assert recorded.joints_TJ7[:, foot, 2].min() == pytest.approx(recorded.skeleton.rest_J7[foot, 2], abs=1e-3)
    assert recorded.skeleton.rest_J7[:, 2].min() == pytest.approx(0, abs=1e-9)


def test_our_figure_turns_its_limbs_alike_and_stands_on_the_floor(motion: Motion) -> None:
    assert len(motion.skeleton.names) == 65
    for first, second in (("LeftArm", "LeftForeArm"), ("RightForeArm", "RightHand"), ("LeftUpLeg", "LeftLeg")):
        directions = [
            item.joint(second)[:, :3] - item.joint(first)[:, :3] for item in (motion, MOTION)
        ]  # fmt: skip
        ours_T3, theirs_T3 = (d / np.linalg.norm(d, axis=-1, keepdims=True) for d in directions)
        assert np.abs(ours_T3 - theirs_T3).max() < (0.15 if "Leg" in first else 1e-3)
    lowest = min(motion.joint(f"{side}Foot")[:, 2].min() for side in ("Left", "Right"))
    assert lowest == pytest.approx(motion.skeleton.rest_J7[motion.skeleton.index("LeftFoot"), 2], abs=0.02)


def test_the_object_is_in_the_hand_at_every_frame(motion: Motion) -> None:
    (book,) = motion.props
    assert book.name == "book"
    centre_T3 = apply(motion.props_TN7[:, 0], np.zeros(3))
    away_T = np.linalg.norm(centre_T3 - palm(motion.skeleton, motion.joints_TJ7, "RightHand"), axis=-1)
    assert away_T.max() < 1e-6
    assert np.allclose(motion.props_TN7[0, 0, 3:], [1, 0, 0, 0])


def test_the_rate_of_the_file_can_be_overruled(root: Path, motion: Motion) -> None:
    config = HumanConfig(root=str(root / "sequences"), bvh_object=str(root / "book.obj"), fps=2 * FPS)
    faster = open_source("bvh", config, root / "cache").read("carry")
    assert motion.fps == pytest.approx(FPS, rel=1e-4)
    assert (faster.fps, faster.frames) == (2 * FPS, motion.frames)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ("Hips LHipJoint LeftUpLeg LeftLeg LeftFoot LeftToeBase LeftShoulder LeftArm LeftForeArm LeftHand",
         {"LeftUpLeg": "LeftUpLeg", "LeftLeg": "LeftLeg", "LeftFoot": "LeftFoot", "LeftToeBase": "LeftToeBase",
          "LeftShoulder": "LeftShoulder", "LeftArm": "LeftArm", "LeftHand": "LeftHand"}),
        ("Hips LeftHip LeftKnee LeftAnkle LeftToe LeftCollar LeftShoulder LeftElbow LeftWrist",
         {"LeftUpLeg": "LeftHip", "LeftLeg": "LeftKnee", "LeftFoot": "LeftAnkle", "LeftToeBase": "LeftToe",
          "LeftShoulder": "LeftCollar", "LeftArm": "LeftShoulder", "LeftForeArm": "LeftElbow",
          "LeftHand": "LeftWrist"}),
        ("Bip01_Pelvis Bip01_L_Thigh Bip01_L_Calf Bip01_L_Foot Bip01_L_Toe0 Bip01_L_Clavicle Bip01_L_UpperArm",
         {"Hips": "Bip01_Pelvis", "LeftUpLeg": "Bip01_L_Thigh", "LeftLeg": "Bip01_L_Calf",
          "LeftFoot": "Bip01_L_Foot", "LeftToeBase": "Bip01_L_Toe0", "LeftShoulder": "Bip01_L_Clavicle",
          "LeftArm": "Bip01_L_UpperArm"}),
        ("pelvis L_Hip L_Knee L_Ankle L_Foot L_Collar L_Shoulder L_Elbow L_Wrist L_Hand",
         {"Hips": "pelvis", "LeftUpLeg": "L_Hip", "LeftFoot": "L_Ankle", "LeftToeBase": "L_Foot",
          "LeftArm": "L_Shoulder", "LeftShoulder": "L_Collar", "LeftHand": "L_Wrist"}),
        ("hip lThigh lShin lFoot lCollar lShldr lForeArm lHand",
         {"Hips": "hip", "LeftUpLeg": "lThigh", "LeftLeg": "lShin", "LeftFoot": "lFoot", "LeftArm": "lShldr",
          "LeftShoulder": "lCollar", "LeftForeArm": "lForeArm", "LeftHand": "lHand"}),
        ("mixamorig:Hips mixamorig:LeftUpLeg mixamorig:LeftLeg mixamorig:LeftHandIndex2",
         {"Hips": "mixamorig:Hips", "LeftLeg": "mixamorig:LeftLeg", "LeftHandIndex2": "mixamorig:LeftHandIndex2"}),
    ],
    ids=["CMU", "Biovision", "3ds Max", "SMPL", "Daz", "Mixamo"],
)  # fmt: skip
def test_names_of_other_systems_are_understood(names: str, wanted: dict[str, str]) -> None:
    listed = names.split()
    found = mixamo_names(listed, list(range(-1, len(listed) - 1)))
    assert {name: listed[found[name]] for name in wanted} == wanted


@pytest.mark.parametrize("name", ["mixamorig:Hips", "mixamorig9:Hips", "mixamorigHips", "mixamorig1_Hips"])
def test_mixamos_prefixes(name: str) -> None:
    assert mixamo_bone(name) == "mixamorig:Hips"
    assert mixamo_bone("Hips") == "Hips"


@pytest.mark.parametrize(
    ("spine", "wanted"),
    [
        (["Chest"], {"Spine": "Chest"}),
        (["LowerBack", "Spine"], {"Spine": "LowerBack", "Spine2": "Spine"}),
        (["a", "b", "c", "d"], {"Spine": "a", "Spine1": "b", "Spine2": "d"}),
    ],
)
def test_the_spine_is_found_by_its_place(spine: list[str], wanted: dict[str, str]) -> None:
    listed = ["Hips", *spine, "Neck", "Head"]
    found = mixamo_names(listed, list(range(-1, len(listed) - 1)))
    assert {name: listed[j] for name, j in found.items() if name.startswith("Spine")} == wanted


def upper_keywords(text: str) -> str:
    """The text with keywords and channels in upper case; names of joints as they are."""
    head, motion = text.split("MOTION")
    words = ("rotation", "position", "Site", "End")
    for word in words:
        head = head.replace(word, word.upper())
    return head + "MOTION" + motion.replace("Frames", "FRAMES").replace("Frame Time", "FRAME TIME")


def motion_of(text: str) -> str:
    return "MOTION" + text.split("MOTION")[1]


SPELLINGS = {
    "Rotation, Position": lambda text: text.replace("rotation", "Rotation").replace("position", "Position"),
    "lower case channels": lambda text: re.sub(r"[XYZ](position|rotation)", lambda found: found[0].lower(), text),
    "capitals": upper_keywords,
    "lower case keywords": lambda text: re.sub(
        r"HIERARCHY|ROOT|JOINT|OFFSET|CHANNELS|End Site|MOTION|Frames|Frame Time", lambda found: found[0].lower(), text
    ),
    "byte order mark, Windows lines": lambda text: "\ufeff" + text.replace("\n", "\r\n"),
    "no space after colons": lambda text: text.replace("Frames: ", "Frames:").replace("Frame Time: ", "Frame Time:"),
    "a joint named Motion": lambda text: text.replace("JOINT mixamorig:LeftHandMiddle1", "JOINT MOTION"),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_the_case_of_words_says_nothing(root: Path, tmp_path: Path, spell: Callable[[str], str]) -> None:
    source = root / "sequences" / "carry.bvh"
    plain = recorded_motion(source, "carry", MOTION.skin, 0.8)
    changed = spell(source.read_text())
    assert changed != source.read_text()
    (tmp_path / "odd.bvh").write_bytes(changed.encode())
    found = recorded_motion(tmp_path / "odd.bvh", "odd", MOTION.skin, 0.8)
    np.testing.assert_array_equal(found.joints_TJ7, plain.joints_TJ7)
    assert np.ptp(found.joint("Hips")[:, 1]) > 0.2  # It still walks.


def test_the_case_of_suffixes_says_nothing(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "sequences" / "carry.bvh", tmp_path / "carry.BVH")
    shutil.copy(root / "book.obj", tmp_path / "BOOK.OBJ")
    (tmp_path / "._carry.bvh").write_bytes(b"what macOS leaves behind")
    config = HumanConfig(root=str(tmp_path), bvh_object=str(tmp_path / "BOOK.OBJ"))
    source = open_source("bvh", config, tmp_path / "cache")
    assert source.sequences == ("carry",)
    motion = source.read("carry")
    assert motion.props[0].name == "BOOK"
    np.testing.assert_allclose(np.ptp(motion.props[0].vertices_V3, axis=0), (0.1, 0.2, 0.06))


BAD = {
    "unknown channel": (lambda text: text.replace("Zrotation", "Wrotation", 1), "bvh", "channel 'Wrotation' at joint"),
    "scale channel": (lambda text: text.replace("Zrotation", "Zscale", 1), "bvh", "channel 'Zscale' at joint"),
    "channel twice": (
        lambda text: re.sub(r"Xrotation Yrotation", "Xrotation Xrotation", text, count=1),
        "bvh",
        "channel Xrotation twice",
    ),
    "ends in the channels": (lambda text: "ROOT a\n{\nCHANNELS 9 Xposition\n" + motion_of(text), "bvh", "too early"),
    "ends in an offset": (lambda text: "ROOT a\n{\nOFFSET 0 0\n" + motion_of(text), "bvh", "too early"),
    "no open joint": (lambda text: "HIERARCHY\n}\n" + motion_of(text), "bvh", "not a BVH file"),
    "infinite offset": (lambda text: re.sub(r"OFFSET \S+", "OFFSET inf", text), "bvh", "OFFSET that is not finite"),
    "infinite time": (lambda text: re.sub(r"Frame Time: \S+", "Frame Time: inf", text), "bvh", "no time"),
    "damaged": (lambda text: text[: len(text) - 200], "bvh", "numbers, not"),
    "no BVH": (lambda _: "hello", "bvh", "not a BVH file"),
    "no frames": (lambda text: text.split("MOTION")[0] + "MOTION\nFrames: 0\nFrame Time: 0.04\n", "Frames", "= 0"),
    "NaN": (lambda text: text.rstrip().rsplit(" ", 1)[0] + " nan\n", "MOTION", "finite at frame 23"),
    "unknown joint": (lambda text: text.replace("LeftForeArm", "Tentacle"), "HIERARCHY", "LeftForeArm"),
}


@pytest.mark.parametrize(("spoil", "field", "problem"), BAD.values(), ids=BAD)
def test_bad_files_name_sequence_and_field(root: Path, tmp_path: Path, spoil, field: str, problem: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "odd.bvh").write_text(spoil((root / "sequences" / "carry.bvh").read_text()))
    with pytest.raises(SequenceError, match="sequence odd") as caught:
        recorded_motion(tmp_path / "odd.bvh", "odd", MOTION.skin, 0.8)
    assert caught.value.field == field
    assert problem in caught.value.problem


@pytest.mark.filterwarnings("ignore:Gimbal lock")
@pytest.mark.parametrize("unit", [1.0, 0.01, 0.0563, 0.001])
@pytest.mark.parametrize(("up", "lying"), [("Z", False), ("Y", False), ("Y", True)])
def test_any_unit_axis_and_zero_pose_gives_the_same_motion(tmp_path: Path, up: str, lying: bool, unit: float) -> None:
    write_bvh(tmp_path / "odd.bvh", MOTION, up=up, lying=lying, unit=unit)
    recorded = recorded_motion(tmp_path / "odd.bvh", "odd", MOTION.skin, leg_length(MOTION.skeleton))
    order = [recorded.skeleton.index(name) for name in MOTION.skeleton.names]
    moved_TJ3 = recorded.joints_TJ7[:, order, :3] - MOTION.joints_TJ7[..., :3]
    assert np.abs(moved_TJ3 - moved_TJ3[0, 0]).max() < 1e-4
    # The figure of ours turns its limbs as they were turned, however the file's joints are.
    played = retarget(recorded, MOTION.skeleton, MOTION.skin, "ours")
    for first, second in (("LeftArm", "LeftForeArm"), ("RightForeArm", "RightHand"), ("Hips", "Head")):
        ours_T3, theirs_T3 = (item.joint(second)[:, :3] - item.joint(first)[:, :3] for item in (played, MOTION))
        assert np.abs(ours_T3 - theirs_T3).max() < (0.06 if lying and first == "Hips" else 2e-3)


@pytest.mark.filterwarnings("ignore:Gimbal lock")
def test_recordings_in_which_nobody_stands_are_refused(tmp_path: Path) -> None:
    write_bvh(tmp_path / "x.bvh", MOTION, up="X")
    with pytest.raises(SequenceError, match=r"over the hips along \+X"):
        recorded_motion(tmp_path / "x.bvh", "x", MOTION.skin, 0.84)
    hips_7 = MOTION.joints_TJ7[:, :1]
    bow_7 = np.array([*np.zeros(3), np.cos(0.3), np.sin(0.3), 0, 0])
    bent = replace(MOTION, joints_TJ7=compose(compose(hips_7, bow_7), compose(inverse(hips_7), MOTION.joints_TJ7)))
    write_bvh(tmp_path / "bent.bvh", bent, lying=True)
    with pytest.raises(SequenceError, match="nobody standing"):
        recorded_motion(tmp_path / "bent.bvh", "bent", MOTION.skin, 0.84)


def test_missing_objects_and_joints_are_refused(root: Path, tmp_path: Path) -> None:
    note = tmp_path / "book.txt"
    note.write_text("no mesh")
    for value in ("", str(note)):
        with pytest.raises(InputError, match="not a mesh file"):
            open_source("bvh", HumanConfig(root=str(root), bvh_object=value), tmp_path)
    with pytest.raises(InputError, match="bvh_joint=Tail"):
        read(root / "sequences", joint="Tail")
