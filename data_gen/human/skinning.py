"""Linear blend skinning: where the surface of a figure is in a pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_gen.human.kinematics import apply, compose, inverse
from data_gen.human.motion import Poses, Skeleton, Skin


def skinned(skin: Skin, skeleton: Skeleton, joints_J7: Poses) -> NDArray[np.float64]:
    """Vertices `(V, 3)` of the skin in the world, as Blender's armature modifier places them.

    Args:
        skin: in the rest pose.
        skeleton: that it is bound to.
        joints_J7: pose of each joint in the world.
    """
    moved_J7 = compose(joints_J7, inverse(skeleton.rest_J7))
    vertices_V3 = np.zeros_like(skin.vertices_V3)
    for joints_V, weights_V in zip(skin.joints_V4.T, skin.weights_V4.T, strict=True):
        vertices_V3 += weights_V[:, None] * apply(moved_J7[joints_V], skin.vertices_V3)
    return vertices_V3
