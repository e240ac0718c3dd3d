"""From a few controls to all joints of a figure: hips, lean, feet and hands by inverse kinematics. Forwards is -Y."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from data_gen.human.kinematics import bend_limb, turn_subtree
from data_gen.scene.poses import Poses, apply, conjugate, multiply, rotate
from data_gen.scene.skin import Skeleton

Points = NDArray[np.float64]

SIDES = ("Left", "Right")
SIGNS = (1.0, -1.0)
"""Left is +X."""
PALM = 0.55
"""Where what is held lies: from the wrist to the tip of the middle finger."""
SOLVES = 4
"""Times the wrist is moved so that the palm, which points along the forearm, is where it should be."""
CURL = 0.55
"""Radians by which each finger joint bends around what is held."""

LEANS = 12
"""Times the back is bent further."""
LEVER = 0.3
"""Metres by which a radian of bending brings the shoulders nearer to what is in front."""
CLOSE = 0.004
"""Metres by which a palm may miss its grip."""
SOFT = 5
"""Frames over which bending is smoothed."""


@dataclass(eq=False)
class Controls:
    """What a motion decides, at each of T frames."""

    hips_T3: Points
    """Place of the hips."""
    feet_T23: Points
    """Places of the ankles, left and right."""
    lean_T: Points
    """Radians by which the spine is bent forwards."""
    grips_T23: Points = field(default_factory=lambda: np.zeros((0, 2, 3)))
    """Places of the palms where hands are used."""
    used_T2: Points = field(default_factory=lambda: np.zeros((0, 2)))
    """How much each hand is used: 0 hangs, 1 is at its grip."""
    swing_T2: Points = field(default_factory=lambda: np.zeros((0, 2)))
    """Metres by which a hanging hand is swung forwards."""


def pose_figure(skeleton: Skeleton, controls: Controls) -> Poses:
    """Poses `(T, J, 7)` of all joints."""
    frames = len(controls.hips_T3)
    rest_J7 = skeleton.rest_J7
    joints_TJ7 = np.tile(rest_J7, (frames, 1, 1))
    joints_TJ7[..., :3] += (controls.hips_T3 - rest_J7[skeleton.index("Hips"), :3])[:, None]
    half_T = controls.lean_T / 2
    bend_T4 = np.stack([np.cos(half_T / 2), np.sin(half_T / 2), np.zeros(frames), np.zeros(frames)], axis=-1)
    for joint in ("Spine", "Spine1"):
        joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(joint), bend_T4)
    for k, side in enumerate(SIDES):
        limb = (f"{side}UpLeg", f"{side}Leg", f"{side}Foot")
        joints_TJ7 = bend_limb(
            skeleton, joints_TJ7, limb, controls.feet_T23[:, k], np.array([0.1 * SIGNS[k], -1.0, 0.0])
        )
        joints_TJ7 = _bend_arm(skeleton, joints_TJ7, k, controls)
    return joints_TJ7


def lean_to_reach(skeleton: Skeleton, controls: Controls) -> Controls:
    """The controls, with the back bent further forwards wherever a palm would miss its grip."""
    lean_T = controls.lean_T
    for _ in range(LEANS):
        leaning = replace(controls, lean_T=lean_T)
        joints_TJ7 = pose_figure(skeleton, leaning)
        places_T23 = np.stack([palm_places(skeleton, joints_TJ7, side) for side in SIDES], axis=1)
        missed_T2 = np.linalg.norm(places_T23 - controls.grips_T23, axis=-1) - CLOSE
        missed_T = np.where(controls.used_T2 >= 1, missed_T2, 0.0).max(axis=1).clip(0.0)
        if not missed_T.any():
            break
        around_T = maximum_filter1d(missed_T, 6 * SOFT)
        lean_T = lean_T + gaussian_filter1d(around_T, SOFT, mode="nearest") / LEVER
    return replace(controls, lean_T=lean_T)


def _bend_arm(skeleton: Skeleton, joints_TJ7: Poses, k: int, controls: Controls) -> Poses:
    side, sign = SIDES[k], SIGNS[k]
    limb = (f"{side}Arm", f"{side}ForeArm", f"{side}Hand")
    arm, elbow, wrist = (skeleton.index(name) for name in limb)
    rest_J3 = skeleton.rest_J7[:, :3]
    upper, lower = np.linalg.norm(rest_J3[elbow] - rest_J3[arm]), np.linalg.norm(rest_J3[wrist] - rest_J3[elbow])
    tip = np.linalg.norm(rest_J3[skeleton.index(f"{side}HandMiddle4")] - rest_J3[wrist])
    palm = PALM * float(tip)
    hanging_T3 = joints_TJ7[:, arm, :3] + np.array([0.10 * sign, 0.0, -0.965 * (upper + lower) - palm])
    hanging_T3[:, 1] -= controls.swing_T2[:, k]
    used_T1 = controls.used_T2[:, k, None]
    grips_T3 = hanging_T3 + used_T1 * (controls.grips_T23[:, k] - hanging_T3)
    pole_3 = np.array([0.7 * sign, 0.55, -0.6])
    way_T3 = grips_T3 - joints_TJ7[:, arm, :3]
    forearm_T3 = way_T3 / np.linalg.norm(way_T3, axis=-1, keepdims=True)
    bent_TJ7 = joints_TJ7
    for _ in range(SOLVES):
        bent_TJ7 = bend_limb(skeleton, joints_TJ7, limb, grips_T3 - palm * forearm_T3, pole_3)
        forearm_T3 = bent_TJ7[:, wrist, :3] - bent_TJ7[:, elbow, :3]
        forearm_T3 = forearm_T3 / np.linalg.norm(forearm_T3, axis=-1, keepdims=True)
    turned_T4 = multiply(
        bent_TJ7[:, elbow, 3:],
        np.broadcast_to(
            multiply(conjugate(skeleton.rest_J7[elbow, 3:]), skeleton.rest_J7[wrist, 3:]), bent_TJ7[:, elbow, 3:].shape
        ),
    )
    back_T4 = multiply(turned_T4, conjugate(bent_TJ7[:, wrist, 3:]))
    bent_TJ7 = turn_subtree(skeleton, bent_TJ7, wrist, back_T4)
    return _curl(skeleton, bent_TJ7, side, CURL * (0.25 + 0.75 * controls.used_T2[:, k]))


def _curl(skeleton: Skeleton, joints_TJ7: Poses, side: str, angle_T: Points) -> Poses:
    """Bend the fingers about the axis across the palm."""
    hand = skeleton.index(f"{side}Hand")
    first = skeleton.rest_J7[skeleton.index(f"{side}HandIndex1"), :3] - skeleton.rest_J7[hand, :3]
    last = skeleton.rest_J7[skeleton.index(f"{side}HandPinky1"), :3] - skeleton.rest_J7[hand, :3]
    way = skeleton.rest_J7[skeleton.index(f"{side}HandMiddle2"), :3] - skeleton.rest_J7[hand, :3]
    across_3 = last - first
    across_3 = across_3 - way * (across_3 @ way) / (way @ way)
    across_3 = across_3 / np.linalg.norm(across_3)
    inwards = 1.0 if np.cross(across_3, way)[2] < 0 else -1.0
    local_3 = rotate(conjugate(skeleton.rest_J7[hand, 3:]), across_3 * inwards)
    for k in (1, 2, 3):
        axis_T3 = rotate(joints_TJ7[:, hand, 3:], local_3)
        half_T1 = (angle_T / 2)[:, None]
        turn_T4 = np.concatenate([np.cos(half_T1), np.sin(half_T1) * axis_T3], axis=-1)
        for finger in ("Index", "Middle", "Ring", "Pinky"):
            joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(f"{side}Hand{finger}{k}"), turn_T4)
    return joints_TJ7


def palm_places(skeleton: Skeleton, joints_TJ7: Poses, side: str) -> Points:
    """Where the palm of a hand is: `(T, 3)`, as if the hand were flat."""
    wrist = skeleton.index(f"{side}Hand")
    tip = skeleton.rest_J7[skeleton.index(f"{side}HandMiddle4"), :3] - skeleton.rest_J7[wrist, :3]
    local_3 = rotate(conjugate(skeleton.rest_J7[wrist, 3:]), PALM * tip)
    return apply(joints_TJ7[:, wrist], local_3)
