"""From where feet and hands are to the pose of every joint.

Shape legend: T frames, J joints. Metres, radians, Z up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from data_gen.human.figure.skeleton import FINGERS
from data_gen.human.kinematics import bend_limb, conjugate, multiply, rotate, turn_subtree
from data_gen.human.motion import Poses, Skeleton
from data_gen.human.procedural.gait import SIDES, Gait, Points

GRIP, THICK = 0.034, 0.0135
"""Where the palm is: along the hand from the wrist, and out of the bone's line; fractions of the height."""
SOLE = 0.006
"""How far the ankle is behind the hips at rest, as a fraction of the height."""
STRETCH = 0.97
"""Share of its length that a limb may be stretched to."""
EFFORTS = np.linspace(0.0, 1.0, 41)
SMOOTH = 4.0
"""Frames over which the trunk's motion is smoothed."""


@dataclass(frozen=True, eq=False)
class Hand:
    """What a hand does."""

    palm_T3: Points
    """Where the middle of its palm is."""
    fingers_T3: Points
    """Direction of its fingers."""
    normal_T3: Points
    """Direction that its palm faces."""
    weight_T: Points
    """1: the hand is there; 0: it hangs and swings."""
    curl: float = 0.45
    """By which each joint of a finger is bent where the weight is 1."""


@dataclass(frozen=True, eq=False)
class Act:
    """What a figure does."""

    gait: Gait
    hands: Mapping[str, Hand] = field(default_factory=dict)
    """By side."""
    drop_T: Points | None = None
    """By which the hips are lower than in standing."""
    lean_T: Points | None = None
    """By which the trunk is bent forward, more than reaching takes."""
    twist_T: Points | None = None
    """By which the chest is turned to the left of the hips."""


def pose(skeleton: Skeleton, act: Act) -> Poses:
    """Poses `(T, J, 7)` of all joints in the world."""
    gait = act.gait
    height = float(skeleton.rest_J7[skeleton.index("HeadTop_End"), 2]) / 0.99
    effort_T = _effort(skeleton, act, height)
    zero_T = np.zeros(gait.frames)
    lean_T = _lean(effort_T) + (zero_T if act.lean_T is None else act.lean_T)
    drop_T = _drop(effort_T, height) + (zero_T if act.drop_T is None else act.drop_T)
    joints_TJ7 = np.repeat(skeleton.rest_J7[None], gait.frames, axis=0)
    for side, sign in _signs():
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(f"{side}Arm"), _turns("y", 1.33 * sign + zero_T))
        swing_T = -0.1 - sign * gait.swing_T
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(f"{side}Arm"), _turns("x", swing_T))
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(f"{side}ForeArm"), _turns("x", zero_T - 0.3))
    for joint, share in (("Hips", 0.25), ("Spine", 0.25), ("Spine1", 0.25), ("Spine2", 0.25), ("Neck", -0.25)):
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(joint), _turns("x", share * lean_T))
        if act.twist_T is not None and joint.startswith("Spine"):
            joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(joint), _turns("z", act.twist_T / 3))
    joints_TJ7 = _placed(skeleton, joints_TJ7, gait, _hips(skeleton, gait, height) - drop_T, lean_T, height)
    joints_TJ7 = _legs(skeleton, joints_TJ7, gait)
    for side, hand in act.hands.items():
        joints_TJ7 = _arm(skeleton, joints_TJ7, side, hand, gait, height)
    return joints_TJ7


def forward(heading_T: Points) -> Points:
    """Directions `(T, 3)` that headings face."""
    return np.stack([np.sin(heading_T), -np.cos(heading_T), np.zeros_like(heading_T)], axis=-1)


def leftward(heading_T: Points) -> Points:
    """Directions `(T, 3)` to the left of headings."""
    return np.stack([np.cos(heading_T), np.sin(heading_T), np.zeros_like(heading_T)], axis=-1)


def _signs() -> tuple[tuple[str, float], ...]:
    return tuple(zip(SIDES, (1.0, -1.0), strict=True))


def _turns(axis: str, angle_T: Points) -> Points:
    return np.asarray(Rotation.from_euler(axis, angle_T).as_quat()[:, [3, 0, 1, 2]])


def _lean(effort_T: Points) -> Points:
    return 1.35 * effort_T


def _drop(effort_T: Points, height: float) -> Points:
    """Knees bend from a quarter of the effort on."""
    return 0.27 * height * np.clip((effort_T - 0.25) / 0.75, 0.0, 1.0)


def _effort(skeleton: Skeleton, act: Act, height: float) -> Points:
    """The least bending `(T,)` of trunk and knees that brings the shoulders near enough to what the hands are on."""
    gait = act.gait
    reach = STRETCH * _length(skeleton, "LeftArm", "LeftForeArm", "LeftHand")
    need_T = np.zeros(gait.frames)
    hips_T = _hips(skeleton, gait, height)
    for side, sign in _signs():
        hand = act.hands.get(side)
        if hand is None:
            continue
        wrist_T3 = _wrist(hand, height)
        wide = sign * abs(float(skeleton.rest_J7[skeleton.index(f"{side}Arm"), 0]))
        trunk = float(skeleton.rest_J7[skeleton.index("LeftArm"), 2] - skeleton.rest_J7[skeleton.index("Hips"), 2])
        best_T = np.full(gait.frames, EFFORTS[-1])
        for effort in EFFORTS[::-1]:
            lean_T = _lean(np.full(gait.frames, effort)) + (0.0 if act.lean_T is None else act.lean_T)
            drop_T = _drop(np.full(gait.frames, effort), height) + (0.0 if act.drop_T is None else act.drop_T)
            # The spine is a bow: its chord leans by about two thirds, less what the hips give way.
            out_T = trunk * np.sin(0.62 * lean_T) - _back(lean_T, height)
            up_T = hips_T - drop_T + trunk * np.cos(0.62 * lean_T)
            shoulder_T3 = gait_place(gait) + out_T[:, None] * forward(gait.root_T3[:, 2])
            shoulder_T3 = shoulder_T3 + wide * leftward(gait.root_T3[:, 2]) + up_T[:, None] * np.array([0.0, 0.0, 1.0])
            best_T = np.where(np.linalg.norm(wrist_T3 - shoulder_T3, axis=-1) < reach, effort, best_T)
        need_T = np.maximum(need_T, best_T * (hand.weight_T > 0.5))
    return gaussian_filter1d(maximum_filter1d(need_T, 13), SMOOTH, mode="nearest")


def gait_place(gait: Gait) -> Points:
    """The hips' places `(T, 3)` on the floor."""
    return np.concatenate([gait.root_T3[:, :2], np.zeros((gait.frames, 1))], axis=-1)


def _back(lean_T: Points, height: float) -> Points:
    """Who bends forward moves the hips back."""
    return 0.07 * height * np.sin(np.minimum(lean_T, 1.5))


def _length(skeleton: Skeleton, *limb: str) -> float:
    places = [skeleton.rest_J7[skeleton.index(name), :3] for name in limb]
    return float(sum(np.linalg.norm(b - a) for a, b in zip(places, places[1:], strict=False)))


def _hips(skeleton: Skeleton, gait: Gait, height: float) -> Points:
    """Height of the hips `(T,)` at which both legs reach their feet, knees a little bent."""
    rest = skeleton.rest_J7
    hip, ankle = rest[skeleton.index("LeftUpLeg")], rest[skeleton.index("LeftFoot")]
    reach = 0.985 * _length(skeleton, "LeftUpLeg", "LeftLeg", "LeftFoot")
    drop = float(rest[skeleton.index("Hips"), 2] - hip[2])
    high_T = np.full(gait.frames, np.inf)
    for side, sign in _signs():
        joint_T2 = gait.root_T3[:, :2] + sign * abs(hip[0]) * leftward(gait.root_T3[:, 2])[:, :2]
        foot_T5 = gait.feet_T5[side]
        away_T = np.linalg.norm(foot_T5[:, :2] - joint_T2, axis=-1)
        lift_T = float(ankle[2]) + foot_T5[:, 2]
        high_T = np.minimum(high_T, lift_T + np.sqrt(np.maximum(reach**2 - away_T**2, 0.01)))
    return gaussian_filter1d(-maximum_filter1d(-high_T, 9), 2.5, mode="nearest") + drop


def _placed(skeleton: Skeleton, joints_TJ7: Poses, gait: Gait, hips_T: Points, lean_T: Points, height: float) -> Poses:
    """The figure turned to its heading with its hips where they belong."""
    turned_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index("Hips"), _turns("z", gait.root_T3[:, 2]))
    place_T3 = gait_place(gait) - _back(lean_T, height)[:, None] * forward(gait.root_T3[:, 2])
    place_T3[:, 2] = hips_T
    turned_TJ7[..., :3] += (place_T3 - turned_TJ7[:, skeleton.index("Hips"), :3])[:, None]
    return turned_TJ7


def _legs(skeleton: Skeleton, joints_TJ7: Poses, gait: Gait) -> Poses:
    for side in SIDES:
        foot_T5 = gait.feet_T5[side]
        foot = skeleton.index(f"{side}Foot")
        toes = skeleton.rest_J7[foot, 1] - skeleton.rest_J7[skeleton.index(f"{side}Toe_End"), 1]
        target_T3 = np.concatenate([foot_T5[:, :2], np.zeros((gait.frames, 1))], axis=-1)
        target_T3[:, 2] = skeleton.rest_J7[foot, 2] + foot_T5[:, 2] + toes * np.sin(np.maximum(foot_T5[:, 4], 0.0))
        pole_T3 = forward(gait.root_T3[:, 2])
        joints_TJ7 = bend_limb(skeleton, joints_TJ7, (f"{side}UpLeg", f"{side}Leg", f"{side}Foot"), target_T3, pole_T3)
        flat_T4 = multiply(_turns("z", foot_T5[:, 3]), _turns("x", foot_T5[:, 4]))
        wanted_T4 = multiply(flat_T4, np.broadcast_to(skeleton.rest_J7[foot, 3:], flat_T4.shape))
        back_T4 = multiply(wanted_T4, conjugate(joints_TJ7[:, foot, 3:]))
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, foot, back_T4)
    return joints_TJ7


def _wrist(hand: Hand, height: float) -> Points:
    return hand.palm_T3 - GRIP * height * hand.fingers_T3 - THICK * height * hand.normal_T3


def _arm(skeleton: Skeleton, joints_TJ7: Poses, side: str, hand: Hand, gait: Gait, height: float) -> Poses:
    sign = 1.0 if side == "Left" else -1.0
    wrist = skeleton.index(f"{side}Hand")
    weight_T1 = hand.weight_T[:, None]
    target_T3 = weight_T1 * _wrist(hand, height) + (1 - weight_T1) * joints_TJ7[:, wrist, :3]
    heading_T = gait.root_T3[:, 2]
    pole_T3 = 0.45 * sign * leftward(heading_T) - 0.5 * forward(heading_T) - np.array([0.0, 0.0, 0.8])
    names = (f"{side}Arm", f"{side}ForeArm", f"{side}Hand")
    joints_TJ7 = bend_limb(skeleton, joints_TJ7, names, target_T3, pole_T3)
    axes_T33 = np.stack(
        [sign * hand.fingers_T3, np.cross(-hand.normal_T3, sign * hand.fingers_T3), -hand.normal_T3], -1
    )
    turn_T4 = Rotation.from_matrix(axes_T33).as_quat()[:, [3, 0, 1, 2]]
    wanted_T4 = multiply(turn_T4, np.broadcast_to(skeleton.rest_J7[wrist, 3:], turn_T4.shape))
    there_T4 = multiply(wanted_T4, conjugate(joints_TJ7[:, wrist, 3:]))
    part = Rotation.from_rotvec(Rotation.from_quat(there_T4[:, [1, 2, 3, 0]]).as_rotvec() * weight_T1)
    joints_TJ7 = turn_subtree(skeleton, joints_TJ7, wrist, part.as_quat()[:, [3, 0, 1, 2]])
    now_T4 = multiply(joints_TJ7[:, wrist, 3:], conjugate(np.broadcast_to(skeleton.rest_J7[wrist, 3:], turn_T4.shape)))
    across_T3 = rotate(now_T4, np.array([0.0, sign, 0.0]))
    bend_T = 0.2 + (hand.curl - 0.2) * hand.weight_T
    for finger in FINGERS[1:]:
        for k in (1, 2, 3):
            turn_T4 = Rotation.from_rotvec(across_T3 * bend_T[:, None]).as_quat()[:, [3, 0, 1, 2]]
            joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(f"{side}Hand{finger}{k}"), turn_T4)
    return joints_TJ7
