"""From a few controls to all joints of a figure: hips, lean, feet and hands by inverse kinematics. Forwards is -Y."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from data_gen.human.choreography.gait import min_jerk
from data_gen.human.choreography.hand import RELAXED, Hand, bend_fingers, facing, share_twist
from data_gen.human.choreography.props import Points
from data_gen.human.figure.skeleton import ALONG
from data_gen.human.kinematics import bend_limb, turn_subtree
from data_gen.scene.poses import TINY, Poses, between, conjugate, multiply, rotate
from data_gen.scene.skin import Skeleton

FORWARDS = np.array([0.0, -1.0, 0.0])
SIDES = ("Left", "Right")
SIGNS = (1.0, -1.0)
"""Left is +X."""
ELBOW = np.array([1.0, 0.55, -0.6])
"""Where the left elbow points."""
EARLY, LATE = (0.0, 0.45), (0.15, 0.75)
"""Parts of the way of a hand from hanging to its grip in which it rises, and in which it goes sideways."""
WRIST = np.radians(65)
"""How far the wrist of a free hand bends."""
TWIST = 0.6
"""Share of a hand's turn about the forearm that the forearm takes."""

LEANS = 12
"""Times the back is bent further."""
LEVER = 0.3
"""Metres by which a radian of bending brings the shoulders nearer to what is in front."""
CLOSE = 0.001
"""Metres by which a wrist may miss its place."""
SOFT = 5
"""Frames over which bending is smoothed."""

GAZE = np.radians(50)
"""How far the head turns from where the chest looks."""
NECK = 0.4
"""Share of it that the neck takes."""
SETTLE = 8
"""Frames over which the gaze is smoothed."""


@dataclass(eq=False)
class Controls:
    """What a motion decides, at each of T frames."""

    hips_T3: Points
    """Place of the hips."""
    feet_T23: Points
    """Places of the ankles, left and right."""
    lean_T: Points
    """Radians by which the spine is bent forwards."""
    hands_T27: Poses
    """Poses of the hands' joints where hands are used."""
    curls_T253: Points
    """Radians by which the joints of the fingers bend where hands are used."""
    used_T2: Points
    """How much each hand is used: 0 hangs, 1 is at its grip."""
    swing_T2: Points
    """Metres by which a hanging hand is swung forwards."""
    gaze_T3: Points
    """Where the eyes look."""


def pose_figure(skeleton: Skeleton, hands: tuple[Hand, Hand], controls: Controls) -> Poses:
    """Poses `(T, J, 7)` of all joints."""
    joints_TJ7 = _turn_head(skeleton, _pose_limbs(skeleton, hands, controls), controls.gaze_T3)
    for k, side in enumerate(SIDES):
        joints_TJ7 = share_twist(skeleton, joints_TJ7, side, TWIST)
        used_T11 = controls.used_T2[:, k, None, None]
        curls_T53 = RELAXED + used_T11 * (controls.curls_T253[:, k] - RELAXED)
        joints_TJ7 = bend_fingers(skeleton, joints_TJ7, side, hands[k], curls_T53)
    return joints_TJ7


def leg(side: str) -> tuple[str, str, str]:
    """Joints of a leg."""
    return f"{side}UpLeg", f"{side}Leg", f"{side}Foot"


def knee_pole(k: int) -> Points:
    """Where the knee of a side points."""
    return np.array([0.1 * SIGNS[k], -1.0, 0.0])


def lean_to_reach(skeleton: Skeleton, hands: tuple[Hand, Hand], controls: Controls) -> Controls:
    """The controls, with the back bent further forwards wherever a hand would miss its grip."""
    lean_T = controls.lean_T
    wrists = [skeleton.index(f"{side}Hand") for side in SIDES]
    for _ in range(LEANS):
        joints_TJ7 = _pose_limbs(skeleton, hands, replace(controls, lean_T=lean_T))
        missed_T2 = np.linalg.norm(joints_TJ7[:, wrists, :3] - controls.hands_T27[..., :3], axis=-1) - CLOSE
        missed_T = np.where(controls.used_T2 >= 1, missed_T2, 0.0).max(axis=1).clip(0.0)
        if not missed_T.any():
            break
        around_T = maximum_filter1d(missed_T, 6 * SOFT)
        lean_T = lean_T + gaussian_filter1d(around_T, SOFT, mode="nearest") / LEVER
    return replace(controls, lean_T=lean_T)


def _pose_limbs(skeleton: Skeleton, hands: tuple[Hand, Hand], controls: Controls) -> Poses:
    frames = len(controls.hips_T3)
    rest_J7 = skeleton.rest_J7
    joints_TJ7 = np.tile(rest_J7, (frames, 1, 1))
    joints_TJ7[..., :3] += (controls.hips_T3 - rest_J7[skeleton.index("Hips"), :3])[:, None]
    half_T = controls.lean_T / 2
    bend_T4 = np.stack([np.cos(half_T / 2), np.sin(half_T / 2), np.zeros(frames), np.zeros(frames)], axis=-1)
    for joint in ("Spine", "Spine1"):
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(joint), bend_T4)
    for k, side in enumerate(SIDES):
        joints_TJ7 = bend_limb(skeleton, joints_TJ7, leg(side), controls.feet_T23[:, k], knee_pole(k))
        joints_TJ7 = _bend_arm(skeleton, joints_TJ7, k, hands[k], controls)
    return joints_TJ7


def _bend_arm(skeleton: Skeleton, joints_TJ7: Poses, k: int, hand: Hand, controls: Controls) -> Poses:
    side, sign = SIDES[k], SIGNS[k]
    limb = (f"{side}Arm", f"{side}ForeArm", f"{side}Hand")
    arm, elbow, wrist = (skeleton.index(name) for name in limb)
    rest_J3 = skeleton.rest_J7[:, :3]
    length = np.linalg.norm(rest_J3[elbow] - rest_J3[arm]) + np.linalg.norm(rest_J3[wrist] - rest_J3[elbow])
    hanging_T3 = joints_TJ7[:, arm, :3] + np.array([0.10 * sign, 0.0, -0.965 * length])
    hanging_T3[:, 1] -= controls.swing_T2[:, k]
    # Up first, then forwards: over the edge of a table, not through it.
    early_T1, late_T1 = (min_jerk((controls.used_T2[:, k, None] - a) / (b - a)) for a, b in (EARLY, LATE))
    shares_T3 = np.concatenate([late_T1, late_T1, early_T1], axis=-1)
    wrists_T3 = hanging_T3 + shares_T3 * (controls.hands_T27[:, k, :3] - hanging_T3)
    hangs_4 = facing(hand, np.array([sign, 0.3, 0.0]), np.array([0.1 * sign, -0.15, -1.0]))
    held_T4 = controls.hands_T27[:, k, 3:]
    # Of the two quaternions of a turn, the one nearer to the hanging hand's.
    held_T4 = held_T4 * np.where(held_T4 @ hangs_4 < 0, -1.0, 1.0)[:, None]
    turn_T1 = min_jerk(controls.used_T2[:, k, None] / LATE[1])
    turns_T4 = hangs_4 + turn_T1 * (held_T4 - hangs_4)
    turns_T4 = turns_T4 / np.linalg.norm(turns_T4, axis=-1, keepdims=True)
    turned_TJ7 = turn_subtree(skeleton, joints_TJ7, wrist, multiply(turns_T4, conjugate(joints_TJ7[:, wrist, 3:])))
    bent_TJ7 = bend_limb(skeleton, turned_TJ7, limb, wrists_T3, ELBOW * np.array([sign, 1.0, 1.0]))
    return _ease_wrist(skeleton, bent_TJ7, elbow, wrist, 1 - min_jerk((controls.used_T2[:, k] - 0.8) / 0.2))


def _ease_wrist(skeleton: Skeleton, joints_TJ7: Poses, elbow: int, wrist: int, free_T: Points) -> Poses:
    """Turn a hand back towards its forearm where the wrist is bent too far, as far as the hand is free."""
    hand_T3 = rotate(joints_TJ7[:, wrist, 3:], ALONG)
    forearm_T3 = joints_TJ7[:, wrist, :3] - joints_TJ7[:, elbow, :3]
    turn_T4 = between(hand_T3, forearm_T3)
    angle_T1 = 2 * np.arccos(np.clip(turn_T4[:, :1], -1.0, 1.0))
    excess_T1 = free_T[:, None] * (angle_T1 - WRIST).clip(0.0)
    return turn_subtree(skeleton, joints_TJ7, wrist, _about(turn_T4[:, 1:], excess_T1))


def _about(axis_T3: Points, angle_T1: Points) -> Points:
    """Quaternions of turns about axes of any length, by angles in radians."""
    unit_T3 = axis_T3 / np.maximum(np.linalg.norm(axis_T3, axis=-1, keepdims=True), TINY)
    return np.concatenate([np.cos(angle_T1 / 2), np.sin(angle_T1 / 2) * unit_T3], axis=-1)


def _turn_head(skeleton: Skeleton, joints_TJ7: Poses, gaze_T3: Points) -> Poses:
    """Turn neck and head towards what the eyes look at, as far as they go."""
    neck, head = skeleton.index("Neck"), skeleton.index("Head")
    ahead_T3 = rotate(multiply(joints_TJ7[:, head, 3:], conjugate(skeleton.rest_J7[head, 3:])[None]), FORWARDS)
    way_T3 = gaussian_filter1d(gaze_T3 - joints_TJ7[:, head, :3], SETTLE, axis=0, mode="nearest")
    turn_T4 = between(ahead_T3, way_T3)
    angle_T1 = 2 * np.arccos(np.clip(turn_T4[:, :1], -1.0, 1.0))
    eased_T1 = GAZE * np.tanh(angle_T1 / GAZE)
    for joint, share in ((neck, NECK), (head, 1 - NECK)):
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, joint, _about(turn_T4[:, 1:], share * eased_T1))
    return joints_TJ7
