"""Where rays meet the meshes that Blender renders."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import bpy  # noqa: F401  mathutils exists only once bpy is imported
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray


class Surface:
    """The triangles of one object in its own frame: scaled, but neither turned nor moved.

    Args:
        vertices_V3: metres.
        triangles_F3: indices of vertices.
        closed: around the camera, so that every ray meets it.
    """

    def __init__(
        self, vertices_V3: NDArray[np.floating], triangles_F3: NDArray[np.integer], *, closed: bool = True
    ) -> None:
        self.closed = closed
        low, high = vertices_V3.min(axis=0), vertices_V3.max(axis=0)
        self.corners = np.array(list(itertools.product(*zip(low, high, strict=True))), np.float64)
        """Of the box around it, `(8, 3)`."""
        self._tree = BVHTree.FromPolygons(vertices_V3.tolist(), triangles_F3.tolist(), all_triangles=True)

    @classmethod
    def of_object(cls, item: Any) -> Surface:
        """The mesh of a `bpy.types.Object`."""
        return cls(*_triangles(item))

    @classmethod
    def of_room(cls, items: Sequence[Any]) -> Surface:
        """Meshes of objects that are not turned, in the world; rays between them meet none."""
        parts, count = [], 0
        for item in items:
            vertices_V3, triangles_F3 = _triangles(item)
            parts.append((vertices_V3 + np.array(item.location, np.float32), triangles_F3 + count))
            count += len(vertices_V3)
        vertices, triangles = zip(*parts, strict=True)
        return cls(np.concatenate(vertices), np.concatenate(triangles), closed=False)

    def first_met(self, origin: NDArray[np.float64], rays_N3: NDArray[np.float64]) -> NDArray[np.float64]:
        """The points `(N, 3)` at which rays enter the surface.

        A ray that passes beside it gets the surface's point nearest to where the ray passes the object's origin.

        Args:
            origin: of all rays, `(3,)`, in the object's frame.
            rays_N3: unit vectors in the object's frame.
        """
        start = Vector(origin)
        points_N3 = np.empty(rays_N3.shape)
        for index, ray in enumerate(rays_N3):
            point, *_ = self._tree.ray_cast(start, Vector(ray))
            if point is None:
                point, *_ = self._tree.find_nearest(Vector(origin - (origin @ ray) * ray))
            points_N3[index] = point
        return points_N3

    def meets(self, origin: NDArray[np.float64], rays_N3: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each ray meets the surface: bool `(N,)`. Arguments as for `first_met`."""
        start = Vector(origin)
        return np.array([self._tree.ray_cast(start, Vector(ray))[0] is not None for ray in rays_N3], np.bool_)

    def triangles_at(self, points_N3: NDArray[np.float64]) -> NDArray[np.int64]:
        """Index of the triangle nearest to each point `(N,)`."""
        return np.array([self._tree.find_nearest(Vector(point))[2] for point in points_N3], np.int64)


def _triangles(item: Any) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vertices, scaled, and triangles of the mesh of a `bpy.types.Object`."""
    mesh = item.data
    mesh.calc_loop_triangles()
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    triangles = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.vertices.foreach_get("co", vertices)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    return vertices.reshape(-1, 3) * np.array(item.scale, np.float32), triangles.reshape(-1, 3)
