"""Hands that hold: where the hand is in the frame of what it holds, and how far each finger bends until it touches.

Each finger bends in a plane of its own, towards where the palm looks. A hand's own frame is its joint's: +Y along the
fingers. Shape legend: V vertices of the skin, K the three joints of a finger, B candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from data_gen.human.choreography.contact import depths
from data_gen.human.choreography.props import Points
from data_gen.human.figure.skeleton import FINGERS
from data_gen.human.kinematics import turn_subtree
from data_gen.scene.poses import Poses, apply, conjugate, inverse, multiply, rotate
from data_gen.scene.skin import Skeleton, Skin

PALM_REST = np.array([0.0, 0.0, -1.0])
"""Where the palms look in the rest pose."""
PALM_AT = 0.38
"""The middle of the palm: from the wrist to the tip of the middle finger."""
RELAXED = 0.25
"""Radians by which each joint of a free finger bends."""
CURLS = np.linspace(-0.3, 1.35, 34)
"""Radians by which a joint of a finger may bend."""
TOUCH = 0.002
"""Metres by which the flesh of a hand gives way where it holds."""
REACH, HALVINGS = 0.4, 18
"""Metres around its place in which a palm is brought to what it holds, and halvings of them."""


@dataclass(frozen=True, eq=False)
class Finger:
    """Bones and skin of a finger, straight, in the hand's frame, metres."""

    places_K3: Points
    axis_3: Points
    """About which it bends inwards."""
    vertices_V3: Points
    weights_VK: Points
    """How much the skin follows each joint; the rest of it follows the palm."""

    def bent(self, curls_BK: Points) -> Points:
        """Skin `(B, V, 3)` at angles `(B, K)` in radians."""
        half_BK1 = np.cumsum(curls_BK, axis=-1)[..., None] / 2
        turns_BK4 = np.concatenate([np.cos(half_BK1), np.sin(half_BK1) * self.axis_3], axis=-1)
        place_B3 = np.broadcast_to(self.places_K3[0], (len(curls_BK), 3))
        skin_BV3 = (1 - self.weights_VK.sum(axis=-1))[:, None] * self.vertices_V3
        for k, joint_3 in enumerate(self.places_K3):
            if k:
                place_B3 = place_B3 + rotate(turns_BK4[:, k - 1], joint_3 - self.places_K3[k - 1])
            own_BV3 = rotate(turns_BK4[:, None, k], self.vertices_V3 - joint_3) + place_B3[:, None]
            skin_BV3 = skin_BV3 + self.weights_VK[:, k, None] * own_BV3
        return skin_BV3


@dataclass(frozen=True, eq=False)
class Hand:
    """A hand of a figure, in its own frame, metres."""

    palm_3: Points
    """Middle of the palm, within the hand."""
    looks_3: Points
    """Direction in which the palm looks."""
    skin_V3: Points
    """Of the palm and the back of the hand."""
    fingers: tuple[Finger, ...]
    """In the order of `FINGERS`."""


@dataclass(frozen=True, eq=False)
class Grip:
    """How a hand holds something."""

    hand_7: Poses
    """Pose of the hand's joint in the frame of what it holds."""
    curls_5K: Points
    """Radians by which the joints of each finger bend, in the order of `FINGERS`."""


def make_hand(skeleton: Skeleton, skin: Skin, side: str) -> Hand:
    """The hand of a figure; side is Left or Right."""
    wrist = skeleton.index(f"{side}Hand")
    home_7 = inverse(skeleton.rest_J7[wrist])
    places_J3 = apply(home_7, skeleton.rest_J7[:, :3])
    looks_3 = rotate(home_7[3:], PALM_REST)
    main_V = skin.joints_V4[np.arange(len(skin.joints_V4)), skin.weights_V4.argmax(axis=1)]
    fingers = []
    for name in FINGERS:
        chain = [skeleton.index(f"{side}Hand{name}{k}") for k in (1, 2, 3)]
        axis_3 = np.cross(places_J3[chain[1]] - places_J3[chain[0]], looks_3)
        own_V = np.isin(main_V, chain)
        follows_VK = np.stack([(skin.weights_V4 * (skin.joints_V4 == j)).sum(axis=1)[own_V] for j in chain], axis=-1)
        vertices_V3 = apply(home_7, skin.vertices_V3[own_V])
        fingers.append(Finger(places_J3[chain], axis_3 / np.linalg.norm(axis_3), vertices_V3, follows_VK))
    tip_3 = places_J3[skeleton.index(f"{side}HandMiddle4")]
    return Hand(PALM_AT * tip_3, looks_3, apply(home_7, skin.vertices_V3[main_V == wrist]), tuple(fingers))


def facing(hand: Hand, out_3: Points, fingers_3: Points) -> Points:
    """Turn of a hand whose palm looks against a direction, its fingers as nearly along another as that allows."""
    ahead_3 = fingers_3 - out_3 * (fingers_3 @ out_3) / (out_3 @ out_3)
    turn, _ = Rotation.align_vectors(
        [ahead_3 / np.linalg.norm(ahead_3), -out_3 / np.linalg.norm(out_3)], [[0.0, 1.0, 0.0], hand.looks_3]
    )
    return turn.as_quat()[[3, 0, 1, 2]]


def find_grip(hand: Hand, planes_PF4: Points, at_3: Points, out_3: Points, fingers_3: Points) -> Grip:
    """Bring a palm to a prop along a line until it touches, then bend each finger until it touches.

    Args:
        hand: of the figure.
        planes_PF4: the prop's, see `planes_of`.
        at_3: a point of the line, in the prop's frame, metres.
        out_3: its direction, away from the prop; the palm looks against it.
        fingers_3: direction in which the fingers shall point, as nearly as the palm allows.
    """
    turn_4 = facing(hand, out_3, fingers_3)
    out_3 = out_3 / np.linalg.norm(out_3)
    start_3 = at_3 - rotate(turn_4, hand.palm_3)
    # The fingers are straightened out of the way, as far as they go.
    opened = [finger.bent(np.array([[CURLS[0], 0.0, 0.0]]))[0] for finger in hand.fingers]
    skin_V3 = rotate(turn_4, np.concatenate([hand.skin_V3, *opened])) + start_3
    low, high = -REACH, REACH
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        free = depths(skin_V3 + middle * out_3, planes_PF4).max() <= TOUCH
        low, high = (low, middle) if free else (middle, high)
    hand_7 = np.concatenate([start_3 + high * out_3, turn_4])
    return Grip(hand_7, np.stack([_curls(finger, hand_7, planes_PF4) for finger in hand.fingers]))


def _curls(finger: Finger, hand_7: Poses, planes_PF4: Points) -> Points:
    """One joint after the other, from the palm outwards, bends as far as the finger stays out of the prop."""
    curls_K = np.zeros(3)
    touched = False
    for k in range(3):
        candidates_BK = np.tile(curls_K, (len(CURLS), 1))
        candidates_BK[:, k] = CURLS
        deep_B = depths(apply(hand_7, finger.bent(candidates_BK)), planes_PF4).max(axis=-1)
        free_B = deep_B <= TOUCH
        if not free_B.any():
            curls_K[k] = CURLS[deep_B.argmin()]
            continue
        first = int(free_B.argmax())
        blocked_B = ~free_B[first:]
        touched = touched or bool(blocked_B.any())
        curls_K[k] = CURLS[first + int(blocked_B.argmax()) - 1] if blocked_B.any() else CURLS[-1]
    return curls_K if touched else np.full(3, RELAXED)


def bend_fingers(skeleton: Skeleton, joints_TJ7: Poses, side: str, hand: Hand, curls_T5K: Points) -> Poses:
    """Bend the straight fingers of a figure by angles in radians."""
    wrist = skeleton.index(f"{side}Hand")
    for f, (name, finger) in enumerate(zip(FINGERS, hand.fingers, strict=True)):
        axis_T3 = rotate(joints_TJ7[:, wrist, 3:], finger.axis_3)
        for k in range(3):
            half_T1 = curls_T5K[:, f, k, None] / 2
            turn_T4 = np.concatenate([np.cos(half_T1), np.sin(half_T1) * axis_T3], axis=-1)
            joints_TJ7 = turn_subtree(skeleton, joints_TJ7, skeleton.index(f"{side}Hand{name}{k + 1}"), turn_T4)
    return joints_TJ7


def share_twist(skeleton: Skeleton, joints_TJ7: Poses, side: str, share: float) -> Poses:
    """Let a forearm take a share of its hand's turn about it, as radius and ulna do."""
    elbow, wrist = skeleton.index(f"{side}ForeArm"), skeleton.index(f"{side}Hand")
    turned_T4, hand_T4 = (
        multiply(joints_TJ7[:, j, 3:], np.broadcast_to(conjugate(skeleton.rest_J7[j, 3:]), joints_TJ7[:, j, 3:].shape))
        for j in (elbow, wrist)
    )
    along_T3 = joints_TJ7[:, wrist, :3] - joints_TJ7[:, elbow, :3]
    along_T3 = along_T3 / np.linalg.norm(along_T3, axis=-1, keepdims=True)
    between_T4 = multiply(hand_T4, conjugate(turned_T4))
    angle_T = 2 * np.arctan2(np.sum(between_T4[:, 1:] * along_T3, axis=-1), between_T4[:, 0])
    angle_T = np.unwrap((angle_T + np.pi) % (2 * np.pi) - np.pi)
    half_T1 = share * angle_T[:, None] / 2
    twist_T4 = np.concatenate([np.cos(half_T1), np.sin(half_T1) * along_T3], axis=-1)
    twisted_TJ7 = joints_TJ7.copy()
    twisted_TJ7[:, elbow, 3:] = multiply(twist_T4, joints_TJ7[:, elbow, 3:])
    return twisted_TJ7
