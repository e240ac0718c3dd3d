"""A small figure with Mixamo's names, that carries a cup past a table: for tests of readers and of retargeting."""

from __future__ import annotations

import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from data_gen.human.kinematics import bend_limb, forward, turn_subtree
from data_gen.human.motion import Motion, Prop
from data_gen.scene.poses import compose, inverse
from data_gen.scene.skin import Skeleton, Skin

FRAMES, FPS = 24, 24.0
STRIDE, LIFT = 0.3, 0.08
PARTS, COLORS = ("skin", "bottoms"), ((0.6, 0.4, 0.3), (0.1, 0.2, 0.5))


def quaternion(turn: Rotation) -> np.ndarray:
    return turn.as_quat()[..., [3, 0, 1, 2]]


def figure(
    leg: float = 0.84, arm: float = 0.56, drop: float = 0.0, roll: float = 0.0, yaw: float = 0.0
) -> tuple[Skeleton, Skin]:
    """A figure that faces -Y.

    Args:
        leg: length, metres.
        arm: length, metres.
        drop: radians by which the arms hang at rest; 0: T-pose.
        roll: radians about its own axis by which each bone's frame is turned.
        yaw: radians by which the figure is turned about +Z.
    """
    hips = leg + 0.08
    bones: dict[str, tuple[str, tuple[float, float, float], tuple[float, float, float]]] = {
        "Hips": ("", (0, 0, hips), (0, 0, hips + 0.12)),
        "Spine": ("Hips", (0, 0, hips + 0.12), (0, 0, hips + 0.5)),
        "Head": ("Spine", (0, 0, hips + 0.55), (0, 0, hips + 0.78)),
    }
    for side, x in (("Left", 1), ("Right", -1)):
        shoulder = np.array([0.17 * x, 0, hips + 0.45])
        along = np.array([x * np.cos(drop), 0, -np.sin(drop)])
        places = [shoulder + along * arm * share for share in (0, 0.5, 1, 1.18, 1.3)]
        for name, parent, k in (
            ("Arm", "Spine", 0), ("ForeArm", "Arm", 1), ("Hand", "ForeArm", 2), ("HandMiddle1", "Hand", 3),
        ):  # fmt: skip
            bones[side + name] = (parent if parent == "Spine" else side + parent, places[k], places[k + 1])
        knee, ankle = (0.1 * x, -0.005, leg / 2 + 0.08), (0.1 * x, 0, 0.08)
        bones[f"{side}UpLeg"] = ("Hips", (0.1 * x, 0, hips), knee)
        bones[f"{side}Leg"] = (f"{side}UpLeg", knee, ankle)
        bones[f"{side}Foot"] = (f"{side}Leg", ankle, (0.1 * x, -0.15, 0.02))
    names = list(bones)
    parents = tuple(names.index(parent) if parent else -1 for parent, _, _ in bones.values())
    turned = Rotation.from_euler("z", yaw)
    rests, vertices, triangles, joints, weights, part_F = [], [], [], [], [], []
    for j, (_, head, tail) in enumerate(bones.values()):
        start, end = turned.apply(head), turned.apply(tail)
        along = (end - start) / np.linalg.norm(end - start)
        side = turned.apply([0.0, 1.0, 0.0]) if abs(along[2]) > 0.7 else np.array([0.0, 0.0, 1.0])
        x = np.cross(along, side) / np.linalg.norm(np.cross(along, side))
        turn = Rotation.from_matrix(np.stack([x, along, np.cross(x, along)], axis=-1)) * Rotation.from_euler("y", roll)
        rests.append([*start, *quaternion(turn)])
        length = np.linalg.norm(end - start)
        box = trimesh.creation.box(
            (0.08, length, 0.08), transform=trimesh.transformations.translation_matrix((0, length / 2, 0))
        )
        first = len(vertices)
        for corner in box.vertices:
            vertices.append(start + turn.apply(corner))
            near = parents[j] >= 0 and corner[1] < 0.01
            joints.append([j, max(parents[j], 0), 0, 0])
            weights.append([0.5, 0.5, 0, 0] if near else [1, 0, 0, 0])
        triangles += (box.faces + first).tolist()
        part_F += [int("Leg" in names[j])] * len(box.faces)
    skin = Skin(
        np.array(vertices), np.array(triangles), np.array(joints), np.array(weights, float), PARTS, np.array(part_F),
        COLORS,
    )  # fmt: skip
    return Skeleton(tuple(f"mixamorig:{name}" for name in names), parents, np.array(rests)), skin


def box_prop(name: str, size: tuple[float, float, float]) -> Prop:
    """A box with one corner cut off, so that its mirror image is another body."""
    mesh = trimesh.creation.box(size)
    vertices = np.array(mesh.vertices)
    vertices[-1] *= 0.5
    return Prop(name, name.split(".")[0], vertices, np.array(mesh.faces))


def carry(frames: int = FRAMES) -> Motion:
    """The figure walks along -Y: one foot stands while the other swings. Its right hand carries a cup."""
    skeleton, skin = figure()
    time_T = np.arange(frames) / frames
    basis_TJ7 = np.tile([0.0, 0, 0, 1, 0, 0, 0], (frames, len(skeleton.names), 1))
    joints_TJ7 = forward(skeleton, basis_TJ7)
    joints_TJ7[..., 1] -= (STRIDE * time_T)[:, None]
    joints_TJ7[..., 2] -= 0.03
    sway_T4 = quaternion(Rotation.from_rotvec(0.2 * np.sin(2 * np.pi * time_T)[:, None] * [0.0, 0.0, 1.0]))
    joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index("Spine"), sway_T4)
    for side, first in (("Left", 0.0), ("Right", 0.5)):
        share_T = np.clip((time_T - first) / 0.4, 0, 1)
        path_T3 = np.tile(skeleton.rest_J7[skeleton.index(f"{side}Foot"), :3], (frames, 1))
        path_T3[:, 1] -= STRIDE * (share_T**2 * (3 - 2 * share_T))
        path_T3[:, 2] += LIFT * np.sin(np.pi * share_T)
        joints_TJ7 = bend_limb(
            skeleton, joints_TJ7, [f"{side}{joint}" for joint in ("UpLeg", "Leg", "Foot")], path_T3,
            np.array([0.0, -1.0, 0.0]),
        )  # fmt: skip
    hand_T3 = joints_TJ7[:, 0, :3] + [-0.2, -0.4, 0.25]
    arm = ("RightArm", "RightForeArm", "RightHand")
    joints_TJ7 = bend_limb(skeleton, joints_TJ7, arm, hand_T3, np.array([-0.5, 0.5, -1.0]))
    cup, table = box_prop("mug.001", (0.08, 0.08, 0.1)), box_prop("table", (1.0, 0.6, 0.7))
    hand_T7 = joints_TJ7[:, skeleton.index("RightHand")]
    upright_7 = np.array([*(hand_T7[0, :3] + [0.0, -0.06, 0.0]), 1, 0, 0, 0])
    in_hand_7 = compose(inverse(hand_T7[0]), upright_7)
    table_7 = np.array([1.2, -0.5, 0.35, *quaternion(Rotation.from_euler("x", np.pi / 2))])
    props_TN7 = np.stack([compose(hand_T7, in_hand_7), np.tile(table_7, (frames, 1))], axis=1)
    return Motion("humoto", "carry_mug", "tiny", FPS, skeleton, skin, joints_TJ7, (cup, table), props_TN7)
