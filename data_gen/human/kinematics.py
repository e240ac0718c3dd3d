"""The kinematics of skeletons: pure functions on arrays. Shape legend: T frames, J joints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_gen.scene.poses import TINY, Points, Poses, between, compose, conjugate, inverse, multiply, rotate
from data_gen.scene.skin import Skeleton


def forward(skeleton: Skeleton, basis_TJ7: Poses) -> Poses:
    """Poses `(T, J, 7)` in the world from Blender's pose-bone basis.

    A bone's pose is parent pose x (rest relative to the parent's rest) x basis, as Blender evaluates armatures.

    Args:
        skeleton: of the figure.
        basis_TJ7: location and turn of each joint relative to its rest, in its own frame.
    """
    joints_TJ7 = np.empty_like(basis_TJ7)
    for j, parent in enumerate(skeleton.parents):
        rest_7 = skeleton.rest_J7[j]
        if parent >= 0:
            local_7 = compose(inverse(skeleton.rest_J7[parent]), rest_7)
            rest_7 = compose(joints_TJ7[:, parent], local_7)
        joints_TJ7[:, j] = compose(rest_7, basis_TJ7[:, j])
    return joints_TJ7


def to_basis(skeleton: Skeleton, joints_TJ7: Poses) -> Poses:
    """The inverse of `forward`."""
    basis_TJ7 = np.empty_like(joints_TJ7)
    for j, parent in enumerate(skeleton.parents):
        rest_7 = skeleton.rest_J7[j]
        if parent >= 0:
            local_7 = compose(inverse(skeleton.rest_J7[parent]), rest_7)
            rest_7 = compose(joints_TJ7[:, parent], local_7)
        basis_TJ7[:, j] = compose(inverse(rest_7), joints_TJ7[:, j])
    return basis_TJ7


def descendants(skeleton: Skeleton, joint: int) -> list[int]:
    """Indices of the joints that hang on a joint, itself first."""
    found = [joint]
    for j, parent in enumerate(skeleton.parents):
        if parent in found:
            found.append(j)
    return found


def turn_subtree(skeleton: Skeleton, joints_TJ7: Poses, joint: int, turn_T4: Points) -> Poses:
    """Turn a joint, and what hangs on it, about its own place by quaternions of the world."""
    turned_TJ7 = joints_TJ7.copy()
    chain = descendants(skeleton, joint)
    pivot_T13, turn_T14 = joints_TJ7[:, None, joint, :3], turn_T4[:, None]
    turned_TJ7[:, chain, :3] = pivot_T13 + rotate(turn_T14, joints_TJ7[:, chain, :3] - pivot_T13)
    turned_TJ7[:, chain, 3:] = multiply(
        np.broadcast_to(turn_T14, joints_TJ7[:, chain, 3:].shape), joints_TJ7[:, chain, 3:]
    )
    return turned_TJ7


def bend_limb(
    skeleton: Skeleton,
    joints_TJ7: Poses,
    limb: Sequence[str],
    targets_T3: Points,
    pole_3: Points | None = None,
) -> Poses:
    """Two-bone inverse kinematics: the last joint of a limb goes to its targets, as far as the limb reaches.

    The middle joint bends in the plane through `pole_3`, or in the one it bends in already. Lengths are kept, and the
    last joint keeps its turn in the world.

    Args:
        skeleton: of the figure.
        joints_TJ7: poses in the world.
        limb: names of three joints, such as LeftArm, LeftForeArm, LeftHand.
        targets_T3: places for the last one, metres.
        pole_3: direction `(3,)` or `(T, 3)` in which the middle joint shall lie.
    """
    upper, middle, end = (skeleton.index(name) for name in limb)
    start_T3, joint_T3, end_T3 = (joints_TJ7[:, j, :3] for j in (upper, middle, end))
    first_T1, second_T1 = (
        np.linalg.norm(b - a, axis=-1, keepdims=True) for a, b in ((start_T3, joint_T3), (joint_T3, end_T3))
    )
    way_T3 = targets_T3 - start_T3
    far_T1 = np.linalg.norm(way_T3, axis=-1, keepdims=True)
    along_T3 = way_T3 / np.maximum(far_T1, TINY)
    reach_T1 = np.clip(far_T1, np.abs(first_T1 - second_T1) + 1e-6, (first_T1 + second_T1) * (1 - 1e-6))
    hint_T3 = joint_T3 - start_T3 if pole_3 is None else np.broadcast_to(pole_3, way_T3.shape)
    side_T3 = hint_T3 - np.sum(hint_T3 * along_T3, axis=-1, keepdims=True) * along_T3
    side_T3 = side_T3 / np.maximum(np.linalg.norm(side_T3, axis=-1, keepdims=True), TINY)
    # Law of cosines: how far along the way the middle joint is, and how far beside it.
    share_T1 = (first_T1**2 - second_T1**2 + reach_T1**2) / (2 * reach_T1)
    beside_T1 = np.sqrt(np.maximum(first_T1**2 - share_T1**2, 0.0))
    elbow_T3 = start_T3 + share_T1 * along_T3 + beside_T1 * side_T3
    bent_TJ7 = turn_subtree(skeleton, joints_TJ7, upper, between(joint_T3 - start_T3, elbow_T3 - start_T3))
    reached_T3 = start_T3 + reach_T1 * along_T3
    now_T3 = bent_TJ7[:, end, :3] - bent_TJ7[:, middle, :3]
    bent_TJ7 = turn_subtree(skeleton, bent_TJ7, middle, between(now_T3, reached_T3 - bent_TJ7[:, middle, :3]))
    back_T4 = multiply(joints_TJ7[:, end, 3:], conjugate(bent_TJ7[:, end, 3:]))
    return turn_subtree(skeleton, bent_TJ7, end, back_T4)
