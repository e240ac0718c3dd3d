"""The joints of a figure in its rest pose: a T, facing -Y, feet on the floor. Metres, Z up; left is +X."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_gen.scene.poses import between
from data_gen.scene.skin import Skeleton

PREFIX = "mixamorig:"
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")
ALONG = np.array([0.0, 1.0, 0.0])
"""Direction of a bone in its joint's frame."""

Points = NDArray[np.float64]

# Joint, parent, place and place of its bone's end, as fractions of the height; `limb` and `wide` stretch some of them.
_SPINE = (
    ("Hips", "", 0.530, 0.575),
    ("Spine", "Hips", 0.575, 0.640),
    ("Spine1", "Spine", 0.640, 0.710),
    ("Spine2", "Spine1", 0.710, 0.815),
    ("Neck", "Spine2", 0.815, 0.865),
    ("Head", "Neck", 0.865, 0.990),
    ("HeadTop_End", "Head", 0.990, 1.000),
)
_SHOULDER_Z = 0.800
_FINGER_BASE = {"Thumb": (0.022, -0.018), "Index": (0.050, -0.014), "Middle": (0.052, -0.004), "Ring": (0.050, 0.006),
                "Pinky": (0.046, 0.015)}  # fmt: skip
_PHALANX = 0.014


def make_skeleton(height: float, *, arms: float = 1.0, legs: float = 1.0, shoulders: float = 1.0) -> Skeleton:
    """The 65 joints of a figure.

    Args:
        height: metres.
        arms, legs, shoulders: lengths of arms, of legs, and width of the shoulders, relative to the usual ones.
    """
    joints: list[tuple[str, str, Points, Points]] = []
    hips = 0.530 * legs
    # Longer legs push up what is above them; the whole is scaled back to the height.
    lift = hips - 0.530
    for name, parent, low, high in _SPINE:
        joints.append((name, parent, np.array([0, 0, low + lift]), np.array([0, 0, high + lift])))
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        joints += _arm(side, sign, _SHOULDER_Z + lift, arms, shoulders)
        joints += _leg(side, sign, hips)
    scale = height / (1.0 + lift)
    names = tuple(f"{PREFIX}{name}" for name, *_ in joints)
    parents = tuple(names.index(f"{PREFIX}{parent}") if parent else -1 for _, parent, *_ in joints)
    heads_J3 = np.array([head for *_, head, _ in joints]) * scale
    ways_J3 = np.array([tail - head for *_, head, tail in joints])
    turns_J4 = between(np.broadcast_to(ALONG, ways_J3.shape), ways_J3)
    return Skeleton(names, parents, np.concatenate([heads_J3, turns_J4], axis=-1))


def _arm(side: str, sign: float, z: float, arms: float, shoulders: float) -> list[tuple[str, str, Points, Points]]:
    shoulder, elbow = 0.103 * shoulders, 0.103 * shoulders + 0.165 * arms
    wrist = elbow + 0.150 * arms
    places = {
        "Shoulder": (0.018, z, shoulder), "Arm": (shoulder, z, elbow), "ForeArm": (elbow, z, wrist),
        "Hand": (wrist, z, wrist + 0.05 * arms),
    }  # fmt: skip
    parents = {"Shoulder": "Spine2", "Arm": f"{side}Shoulder", "ForeArm": f"{side}Arm", "Hand": f"{side}ForeArm"}
    found = [
        (f"{side}{name}", parents[name], np.array([sign * x, 0, height]), np.array([sign * end, 0, height]))
        for name, (x, height, end) in places.items()
    ]
    for finger in FINGERS:
        start, across = _FINGER_BASE[finger]
        way = np.array([sign * 0.7, -0.7, 0.0]) if finger == "Thumb" else np.array([sign, 0.0, 0.0])
        place = np.array([sign * (wrist + start * arms), across, z])
        for k in range(1, 5):
            parent = f"{side}Hand" if k == 1 else f"{side}Hand{finger}{k - 1}"
            found.append((f"{side}Hand{finger}{k}", parent, place, place + _PHALANX * way))
            place = place + _PHALANX * way
    return found


def _leg(side: str, sign: float, hips: float) -> list[tuple[str, str, Points, Points]]:
    x = sign * 0.055
    knee, ankle = 0.285 * hips / 0.53, 0.045
    points = {
        "UpLeg": (0.0, hips - 0.02), "Leg": (-0.004, knee), "Foot": (0.006, ankle), "ToeBase": (-0.075, 0.014),
        "Toe_End": (-0.115, 0.014), "": (-0.125, 0.014),
    }  # fmt: skip
    names = list(points)
    found = []
    for k, name in enumerate(names[:-1]):
        parent = "Hips" if k == 0 else f"{side}{names[k - 1]}"
        head, tail = (np.array([x, *points[key]]) for key in (name, names[k + 1]))
        found.append((f"{side}{name}", parent, head, tail))
    return found
