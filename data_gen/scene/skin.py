"""Figures: joints, the surface that is bound to them, and where it is in a pose.

Shape legend: J joints, V vertices, F triangles. Poses as `data_gen.scene.poses` has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_gen.scene.poses import Poses, apply, compose, inverse

LOOK_MESH = "look"
"""Name of the mesh in the file of a figure's look."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints of a figure and their rest pose. A joint's frame is its bone's in Blender: +Y along the bone."""

    names: tuple[str, ...]
    """Mixamo's (`mixamorig:Hips`, ...) wherever the source has them; parents come before children."""
    parents: tuple[int, ...]
    """Index of each joint's parent; -1: none."""
    rest_J7: Poses
    """Pose of each joint in the rest pose, in the world."""

    def index(self, name: str) -> int:
        """Of a joint; `mixamorig:` may be left out. Raises KeyError."""
        for candidate in (name, f"mixamorig:{name}"):
            if candidate in self.names:
                return self.names.index(candidate)
        raise KeyError(name)


@dataclass(frozen=True, eq=False)
class Skin:
    """The surface of a figure in the rest pose, bound to its joints (linear blend skinning)."""

    vertices_V3: NDArray[np.float64]
    """In the world, in the rest pose."""
    triangles_F3: NDArray[np.int64]
    joints_V4: NDArray[np.int64]
    """The joints that each vertex follows."""
    weights_V4: NDArray[np.float64]
    """How much it follows them; each row sums to 1."""
    parts: tuple[str, ...]
    """Materials of the figure: skin, hair, top, bottoms, shoes, ... or as its file names them."""
    part_F: NDArray[np.int64]
    """Index of each triangle's part."""
    colors: tuple[tuple[float, float, float] | None, ...]
    """Linear RGB of each part, the mean where an image colours it; None: a scene draws one."""
    look: Path | None = None
    """Blender file whose only mesh is this surface, vertex by vertex, with texture coordinates, materials and images.
    None: parts have plain colours."""
    shade_F3: NDArray[np.float64] | None = None
    """Linear RGB of each triangle, of few different ones, where there is a look."""


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
