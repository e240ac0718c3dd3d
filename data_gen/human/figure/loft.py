"""Closed surfaces around curves: what limbs, torso and head are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Points = NDArray[np.float64]
Station = tuple[tuple[float, float, float], float, float]
"""Middle, half width and half depth of a ring."""


def loft(
    stations: Sequence[Station], side_3: Sequence[float], *, steps: int = 4, around: int = 24
) -> tuple[Points, NDArray[np.int64]]:
    """A closed surface through elliptic rings: vertices `(V, 3)` and triangles `(F, 3)`, outwards.

    Args:
        stations: the rings in their order along the curve; metres.
        side_3: direction of the rings' width; about perpendicular to the curve.
        steps: rings from each station to the next, smooth in between.
        around: vertices of a ring.
    """
    table_KN = np.array([[*middle, width, depth] for middle, width, depth in stations])
    along_K = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(table_KN[:, :3], axis=0), axis=1) + 1e-6)])
    fine = np.interp(np.arange((len(stations) - 1) * steps + 1) / steps, np.arange(len(stations)), along_K)
    rows_RN = PchipInterpolator(along_K, table_KN)(fine)
    middles_R3, width_R1, depth_R1 = rows_RN[:, :3], rows_RN[:, 3:4], rows_RN[:, 4:5]
    ways_R3 = np.gradient(middles_R3, axis=0)
    ways_R3 /= np.linalg.norm(ways_R3, axis=1, keepdims=True)
    across_R3 = np.asarray(side_3) - ways_R3 * (ways_R3 @ np.asarray(side_3))[:, None]
    across_R3 /= np.linalg.norm(across_R3, axis=1, keepdims=True)
    deep_R3 = np.cross(ways_R3, across_R3)
    angles = np.linspace(0, 2 * np.pi, around, endpoint=False)
    rings = [middles_R3 + np.cos(angle) * width_R1 * across_R3 + np.sin(angle) * depth_R1 * deep_R3 for angle in angles]
    vertices_V3 = np.stack(rings, axis=1).reshape(-1, 3)
    return np.concatenate([vertices_V3, middles_R3[[0, -1]]]), _triangles(len(fine), around)


def _triangles(rings: int, around: int) -> NDArray[np.int64]:
    ring, place = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    a, b = ring * around + place, ring * around + (place + 1) % around
    c, d = a + around, b + around
    sides = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
    circle = np.arange(around)
    first, top = rings * around, (rings - 1) * around
    low = np.stack([np.full(around, first), (circle + 1) % around, circle], -1)
    high = np.stack([np.full(around, first + 1), top + circle, top + (circle + 1) % around], -1)
    return np.concatenate([sides, low, high])
