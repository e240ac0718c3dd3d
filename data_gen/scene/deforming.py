"""The surface of something that bends, for what geometry asks of a scene's pixels.

Shape legend: K numbers that are a pose, V vertices, F triangles, N points.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from data_gen.blender.raycast import Surface

WORLD = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
"""The pose of what is given in the world."""


class Deforming:
    """Triangles whose vertices are somewhere else in each pose.

    Args:
        vertices_of: from a pose `(K,)` to `(V, 3)`, in the world.
        triangles_F3: indices of vertices.
    """

    def __init__(
        self, vertices_of: Callable[[NDArray[np.float64]], NDArray[np.float64]], triangles_F3: NDArray[np.int64]
    ) -> None:
        self.vertices_of = vertices_of
        self.triangles_F3 = triangles_F3
        self._last: tuple[bytes, Surface] | None = None

    def at(self, pose_K: NDArray[np.float64]) -> Surface:
        """The surface in one pose, in the world. The last one is kept."""
        from data_gen.blender.raycast import Surface

        key = pose_K.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = key, Surface(self.vertices_of(pose_K), self.triangles_F3)
        return self._last[1]

    def carried(
        self, points_N3: NDArray[np.float64], before_K: NDArray[np.float64], after_K: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Where points `(N, 3)` of the surface in the pose `before_K` are in the pose `after_K`."""
        corners_N3 = self.triangles_F3[self.at(before_K).triangles_at(points_N3)]
        weights_N3 = _barycentric(points_N3, self.vertices_of(before_K)[corners_N3])
        return (weights_N3[..., None] * self.vertices_of(after_K)[corners_N3]).sum(axis=1)


def _barycentric(points_N3: NDArray[np.float64], corners_N33: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights `(N, 3)` of the corners of triangles at points in their planes; a third each where one has no area."""
    first, second = corners_N33[:, 1] - corners_N33[:, 0], corners_N33[:, 2] - corners_N33[:, 0]
    inside = points_N3 - corners_N33[:, 0]
    normal = np.cross(first, second)
    area_N = (normal**2).sum(axis=-1)
    safe_N = np.where(area_N > 0, area_N, 1.0)
    u_N = (np.cross(inside, second) * normal).sum(axis=-1) / safe_N
    v_N = (np.cross(first, inside) * normal).sum(axis=-1) / safe_N
    weights_N3 = np.stack([1 - u_N - v_N, u_N, v_N], axis=-1)
    return np.where((area_N > 0)[:, None], weights_N3, 1 / 3)
