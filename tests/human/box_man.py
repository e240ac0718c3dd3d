"""A small figure of boxes with a skin that bends at its joints, and a scene of it beside a cube."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from data_gen.assets.library import Library
from data_gen.human.motion import Motion
from data_gen.human.workshop import FIGURE, HumanWorkshop
from data_gen.scene.camera import CameraPath, Vector, looking_at
from data_gen.scene.simulate import World
from data_gen.scene.skin import Skeleton, Skin
from data_gen.scene.spec import (
    BackdropSpec,
    LightSpec,
    ObjectSpec,
    PersonSpec,
    RenderSpec,
    RoomSpec,
    SceneSpec,
    SurfaceSpec,
)

FRAMES = 3
CUBE, PERSON = 0, 1
RINGS = 4
BONES = (
    # name, parent, head, tail, half width, part
    ("Hips", -1, (0.0, 0.0, 0.9), (0.0, 0.0, 1.1), 0.15, 1),
    ("Spine", 0, (0.0, 0.0, 1.1), (0.0, 0.0, 1.5), 0.14, 1),
    ("Head", 1, (0.0, 0.0, 1.55), (0.0, 0.0, 1.8), 0.1, 0),
    ("LeftArm", 1, (0.2, 0.0, 1.45), (0.5, 0.0, 1.45), 0.06, 1),
    ("LeftForeArm", 3, (0.5, 0.0, 1.45), (0.8, 0.0, 1.45), 0.05, 0),
    ("RightArm", 1, (-0.2, 0.0, 1.45), (-0.5, 0.0, 1.45), 0.06, 1),
    ("RightForeArm", 5, (-0.5, 0.0, 1.45), (-0.8, 0.0, 1.45), 0.05, 0),
    ("LeftUpLeg", 0, (0.1, 0.0, 0.9), (0.1, 0.0, 0.45), 0.08, 2),
    ("LeftLeg", 7, (0.1, 0.0, 0.45), (0.1, 0.0, 0.0), 0.07, 2),
    ("RightUpLeg", 0, (-0.1, 0.0, 0.9), (-0.1, 0.0, 0.45), 0.08, 2),
    ("RightLeg", 9, (-0.1, 0.0, 0.45), (-0.1, 0.0, 0.0), 0.07, 2),
)


def rest_pose(head: tuple[float, ...], tail: tuple[float, ...]) -> np.ndarray:
    """A frame at the head whose +Y points to the tail."""
    along = np.subtract(tail, head) / np.linalg.norm(np.subtract(tail, head))
    side = np.array([0.0, 1.0, 0.0])
    turn = Rotation.from_matrix(np.stack([np.cross(along, side), along, side], axis=-1))
    return np.array([*head, *turn.as_quat()[[3, 0, 1, 2]]])


def box_man() -> tuple[Skeleton, Skin]:
    names, parents, heads, tails, widths, parts = zip(*BONES, strict=True)
    rest_J7 = np.array([rest_pose(*ends) for ends in zip(heads, tails, strict=True)])
    vertices, triangles, joints, weights, part_F = [], [], [], [], []
    for j, (head, tail, width) in enumerate(zip(heads, tails, widths, strict=True)):
        turn, length = Rotation.from_quat(rest_J7[j, [4, 5, 6, 3]]), np.linalg.norm(np.subtract(tail, head))
        first = len(vertices)
        for ring in range(RINGS):
            share = ring / (RINGS - 1)
            for x, z in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                vertices.append(head + turn.apply((x * width, share * length, z * width)))
                # Half of the skin at a bone's head follows the parent.
                parent_weight = max(0.0, 0.5 - share) if parents[j] >= 0 else 0.0
                joints.append([j, max(parents[j], 0), 0, 0])
                weights.append([1 - parent_weight, parent_weight, 0.0, 0.0])
        quads = [(4 * r + k, 4 * r + (k + 1) % 4, 4 * r + 4 + (k + 1) % 4, 4 * r + 4 + k)
                 for r in range(RINGS - 1) for k in range(4)]  # fmt: skip
        last = 4 * (RINGS - 1)
        quads += [(3, 2, 1, 0), (last, last + 1, last + 2, last + 3)]
        faces = [face for a, b, c, d in quads for face in ((a, c, b), (a, d, c))]
        triangles += [[first + corner for corner in face] for face in faces]
        part_F += [parts[j]] * len(faces)
    skin = Skin(
        np.array(vertices), np.array(triangles), np.array(joints), np.array(weights), ("skin", "top", "bottoms"),
        np.array(part_F), ((0.6, 0.35, 0.25), None, None),
    )  # fmt: skip
    return Skeleton(tuple(f"mixamorig:{name}" for name in names), tuple(parents), rest_J7), skin


SKELETON, SKIN = box_man()


def turned(poses_K7: np.ndarray, about: np.ndarray, turn: Rotation, shift: np.ndarray) -> np.ndarray:
    """Poses turned about a point of the world, then shifted."""
    places = about + turn.apply(poses_K7[:, :3] - about) + shift
    quaternions = (turn * Rotation.from_quat(poses_K7[:, [4, 5, 6, 3]])).as_quat()[:, [3, 0, 1, 2]]
    return np.concatenate([places, quaternions], axis=-1)


def walk(frames: int = FRAMES) -> np.ndarray:
    """Joints `(T, J, 7)`: the figure goes along x, turns, raises its left arm and bends its left knee."""
    result = []
    for t in range(frames):
        joints_J7 = SKELETON.rest_J7.copy()
        arm, leg = [3, 4], [8]
        joints_J7[arm] = turned(joints_J7[arm], joints_J7[3, :3], Rotation.from_euler("y", -0.6 * t), np.zeros(3))
        joints_J7[4:5] = turned(joints_J7[4:5], joints_J7[4, :3], Rotation.from_euler("z", 1.1 * t), np.zeros(3))
        joints_J7[leg] = turned(joints_J7[leg], joints_J7[8, :3], Rotation.from_euler("x", 0.7 * t), np.zeros(3))
        result.append(turned(joints_J7, np.zeros(3), Rotation.from_euler("z", 0.4 * t), np.array([0.15 * t, 0.0, 0.0])))
    return np.array(result)


def motion(joints_TJ7: np.ndarray) -> Motion:
    props_TN7 = np.zeros((len(joints_TJ7), 0, 7))
    return Motion("procedural", "walk", "box man", 12.0, SKELETON, SKIN, joints_TJ7, (), props_TN7)


def plain(color: str) -> SurfaceSpec:
    return SurfaceSpec("plain", color, "white", 0.5)


def resting_camera(position: Vector, look_at: Vector) -> CameraPath:
    return CameraPath("static", (position,), (looking_at(position, look_at),), 35.0, 96, 128)


LIGHT = LightSpec("city", 0.0, 0.5, 1.0, (1.0, 1.0, 1.0))


def figure_object() -> ObjectSpec:
    return ObjectSpec(
        FIGURE, "person", "removed", None, (1.0, 1.0, 1.0), (1.6, 0.4, 1.8), 70.0, 0.5, 0.1, (0.0, 0.0, 0.9)
    )


ROOM = BackdropSpec(
    "room", plain("beige"), 0.5, 0.2, RoomSpec((-2.0, -6.0), (2.5, 2.0), 2.7, ("-x", "+y"), plain("sage"))
)


def scene(frames: int = FRAMES, **changes: Any) -> SceneSpec:
    """A cube at x = 1, and the person."""
    cube = ObjectSpec(
        "cube", "box", "target", plain("red"), (0.25,) * 3, (0.5,) * 3, 1.0, 0.4, 0.3, (1.0, 0.0, 0.25)
    )  # fmt: skip
    spec = SceneSpec(
        "human", 0, 0, 0, frames, 10, (cube, figure_object()),
        resting_camera((0.5, -5.0, 1.7), (0.3, 0.0, 0.9)),
        BackdropSpec("floor", plain("grey"), 0.5, 0.2),
        LIGHT,
        RenderSpec(4, 2, "Standard", 0),
        PersonSpec("procedural", "walk", None, 0.0, False, 0, ("", "red", "navy")),
    )  # fmt: skip
    return replace(spec, **changes)


def world(joints_TJ7: np.ndarray) -> World:
    count = len(joints_TJ7)
    upright = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
    return World(
        {CUBE: np.tile([1.0, 0.0, 0.25], (count, 1)), PERSON: joints_TJ7[:, 0, :3]},
        {CUBE: upright, PERSON: upright},
        (),
        joints={PERSON: joints_TJ7},
    )


def workshop(library: Library, textures: Path | None = None) -> HumanWorkshop:
    return HumanWorkshop(library, motion(walk()), {}, textures)
