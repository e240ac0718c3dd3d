"""When a hand is on an object: joints of the hand near the object's surface.

Shape legend: T frames, N props, K joints of a hand, P points.
"""

from __future__ import annotations

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from data_gen.human.kinematics import descendants
from data_gen.human.motion import Motion, Prop
from data_gen.scene.poses import Poses, apply, inverse
from data_gen.scene.skin import Skeleton

NEAR = 0.045
"""Metres between a joint inside a hand and a surface that the hand is on."""
SURFACE_POINTS = 4000
"""By which the surface of an object is known."""


def held_frames(motion: Motion, hand: str) -> NDArray[np.bool_]:
    """Frames `(T,)` at which a hand is on any object.

    Args:
        motion: with T frames.
        hand: name of its joint, such as LeftHand.
    """
    joints = descendants(motion.skeleton, motion.skeleton.index(hand))
    near_T = np.zeros(motion.frames, bool)
    for prop, poses_T7 in zip(motion.props, np.moveaxis(motion.props_TN7, 1, 0), strict=True):
        points_TK3 = apply(inverse(poses_T7)[:, None], motion.joints_TJ7[:, joints, :3])
        distance_TK, _ = cKDTree(_surface(prop)).query(points_TK3, distance_upper_bound=NEAR)
        near_T |= (distance_TK <= NEAR).any(axis=-1)
    return near_T


def palm(skeleton: Skeleton, joints_TJ7: Poses, hand: str) -> NDArray[np.float64]:
    """Middle of a hand `(T, 3)`: between the wrist and the root of the middle finger, or the wrist without fingers."""
    wrist_T3 = joints_TJ7[:, skeleton.index(hand), :3]
    try:
        return (wrist_T3 + joints_TJ7[:, skeleton.index(f"{hand}Middle1"), :3]) / 2
    except KeyError:
        return wrist_T3


def _surface(prop: Prop) -> NDArray[np.float64]:
    mesh = trimesh.Trimesh(prop.vertices_V3, prop.triangles_F3, process=False)
    points_P3, _ = trimesh.sample.sample_surface(mesh, SURFACE_POINTS, seed=0)
    return np.concatenate([points_P3, prop.vertices_V3])
