"""How deep points are in a prop, from the planes of its convex pieces. Shape legend: P pieces, F planes, N points."""

from __future__ import annotations

from functools import cache

import numpy as np
import trimesh

from data_gen.human.choreography.props import Points, filled_pieces

OUTSIDE = 1e3
"""Offset of a plane that only fills up an array, metres."""


@cache
def planes_of(kind: str) -> Points:
    """Planes `(P, F, 4)` of a kind of prop, in its own frame: outward normal, and offset along it in metres."""
    pieces = [_planes(mesh) for mesh in filled_pieces(kind)]
    planes_PF4 = np.zeros((len(pieces), max(map(len, pieces)), 4))
    planes_PF4[..., 3] = OUTSIDE
    for padded_F4, planes_F4 in zip(planes_PF4, pieces, strict=True):
        padded_F4[: len(planes_F4)] = planes_F4
    return planes_PF4


def depths(points_N3: Points, planes_PF4: Points) -> Points:
    """How deep each point is in the piece that it is deepest in, metres; `(..., 3)` gives `(...)`.

    Inside a piece this is the distance to its nearest plane. Outside it is negative, and no further from zero than the
    true distance.
    """
    deepest = np.full(points_N3.shape[:-1], -np.inf)
    for planes_F4 in planes_PF4:
        inside_NF = planes_F4[:, 3] - points_N3 @ planes_F4[:, :3].T
        np.maximum(deepest, inside_NF.min(axis=-1), out=deepest)
    return deepest


def _planes(mesh: trimesh.Trimesh) -> Points:
    normals_F3 = np.asarray(mesh.face_normals, np.float64)
    offsets_F = np.einsum("fk,fk->f", normals_F3, mesh.triangles[:, 0])
    # Triangles of one flat face share a plane.
    return np.unique(np.concatenate([normals_F3, offsets_F[:, None]], axis=-1).round(5), axis=0)
