"""The camera: where points appear in the picture, and its path through a clip.

World: metres, Z up. Quaternions are (w, x, y, z); a camera looks along its own -Z axis, +Y upwards, as Blender's do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
SENSOR_WIDTH = 32.0
"""Millimetres."""


@dataclass(frozen=True)
class CameraSpec:
    """A camera at one moment; sensor 32 mm wide, horizontal fit."""

    position: Vector
    quaternion: Quaternion
    focal_length: float
    """Millimetres."""
    height: int
    width: int

    def project(self, points_N3: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Image positions `(N, 2)` (x right, y down, 0..1 in view) and depths `(N,)` (metres, negative: behind)."""
        rays = np.asarray(points_N3, np.float64) - self.position
        across, upwards, depth = self.axes @ rays.T
        scale = self.focal_length / SENSOR_WIDTH / np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        x = 0.5 + scale * across
        y = 0.5 - scale * upwards * self.width / self.height
        return np.stack([x, y], axis=-1), depth

    def rays(self, places_N2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unit vectors `(N, 3)` in the world from the camera through image positions `(N, 2)` as `project` has them."""
        x, y = (places_N2 - 0.5).T * SENSOR_WIDTH / self.focal_length
        rays_N3 = np.stack([x, -y * self.height / self.width, np.ones_like(x)], axis=-1) @ self.axes
        return rays_N3 / np.linalg.norm(rays_N3, axis=-1, keepdims=True)

    @property
    def axes(self) -> NDArray[np.float64]:
        """Unit vectors in the world, one a row: to the right, upwards and forwards in the picture."""
        w, x, y, z = self.quaternion
        right, up, backward = Rotation.from_quat([x, y, z, w]).as_matrix().T
        return np.stack([right, up, -backward])


@dataclass(frozen=True)
class CameraPath:
    """The camera of a clip: one pose a frame, or a single one for a camera at rest."""

    motion: str
    positions: tuple[Vector, ...]
    quaternions: tuple[Quaternion, ...]
    focal_length: float
    height: int
    width: int

    def at(self, frame: int) -> CameraSpec:
        """The camera at a frame."""
        place = frame if len(self.positions) > 1 else 0
        return CameraSpec(self.positions[place], self.quaternions[place], self.focal_length, self.height, self.width)


def looking_at(position: Vector, target: Vector) -> Quaternion:
    """The turn of a camera at `position` that has `target` in the middle of its picture and the horizon level."""
    forward = np.subtract(target, position)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    x, y, z, w = Rotation.from_matrix(np.stack([right, up, -forward], axis=-1)).as_quat()
    return float(w), float(x), float(y), float(z)


def ease(share: float) -> float:
    """How far a move between two keyframes has come, as Blender's default curve eases it: 3s^2 - 2s^3."""
    return share * share * (3 - 2 * share)


def around(distance: float, azimuth: float, height: float) -> Vector:
    """A place at a horizontal distance from the middle of the scene; azimuth in radians, clockwise seen from above."""
    return distance * math.cos(azimuth), -distance * math.sin(azimuth), height
