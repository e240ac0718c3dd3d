"""Poses and turns: pure functions on arrays.

A pose is 7 numbers, position in metres and unit quaternion (w, x, y, z); `(..., 7)` arrays broadcast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Poses = NDArray[np.float64]
IDENTITY: Poses = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
TINY = 1e-12


def multiply(first_4: Points, second_4: Points) -> Points:
    """Product of quaternions: the turn by the second, then by the first."""
    w, x, y, z = np.moveaxis(first_4, -1, 0)
    a, b, c, d = np.moveaxis(second_4, -1, 0)
    parts = (
        w * a - x * b - y * c - z * d,
        w * b + x * a + y * d - z * c,
        w * c - x * d + y * a + z * b,
        w * d + x * c - y * b + z * a,
    )
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def conjugate(quaternion_4: Points) -> Points:
    """The turn back."""
    return quaternion_4 * np.array([1.0, -1.0, -1.0, -1.0])


def rotate(quaternion_4: Points, points_3: Points) -> Points:
    """Points turned by quaternions."""
    w, axis = quaternion_4[..., :1], quaternion_4[..., 1:]
    twice = 2 * np.cross(axis, points_3)
    return points_3 + w * twice + np.cross(axis, twice)


def compose(first_7: Poses, second_7: Poses) -> Poses:
    """The pose `second_7`, given in the frame of `first_7`, in the frame that `first_7` is given in."""
    position = first_7[..., :3] + rotate(first_7[..., 3:], second_7[..., :3])
    turn = multiply(first_7[..., 3:], second_7[..., 3:])
    return np.concatenate([np.broadcast_to(position, (*turn.shape[:-1], 3)), turn], axis=-1)


def inverse(pose_7: Poses) -> Poses:
    """The pose whose composition with `pose_7` is the identity."""
    back = conjugate(pose_7[..., 3:])
    return np.concatenate([-rotate(back, pose_7[..., :3]), back], axis=-1)


def apply(pose_7: Poses, points_3: Points) -> Points:
    """Points in the frame of a pose, in the frame that the pose is given in."""
    return pose_7[..., :3] + rotate(pose_7[..., 3:], points_3)


def between(first_3: Points, second_3: Points) -> Points:
    """Quaternions of the smallest turns that bring the directions of the first vectors to those of the second."""
    first, second = (v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), TINY) for v in (first_3, second_3))
    w = 1 + np.sum(first * second, axis=-1, keepdims=True)
    # Opposite directions: half a turn about any axis across them.
    across = np.cross(first, np.where(np.abs(first[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    opposite = w < 1e-9
    turn = np.concatenate([np.where(opposite, 0.0, w), np.where(opposite, across, np.cross(first, second))], axis=-1)
    return turn / np.linalg.norm(turn, axis=-1, keepdims=True)
