"""A rigid scene as plain data: enough to simulate and render it again, and JSON both ways.

World: metres, Z up, floor at z = 0. Quaternions are (w, x, y, z).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Role = Literal["target", "removed", "launched", "resting"]
Pattern = Literal["plain", "checkered", "mottled"]
SENSOR_WIDTH = 32.0
"""Millimetres."""


@dataclass(frozen=True)
class ObjectSpec:
    """One object at time 0."""

    kind: str
    """Shape: a key of the asset catalogue, and the word for it in captions."""
    role: Role
    color: str
    """Name of a colour of the palette; no two objects of a scene share one."""
    scale: float
    """Multiplies the shape's own bounds."""
    extents: Vector
    """Sides of the bounding box before rotation, metres."""
    mass: float
    friction: float
    restitution: float
    roughness: float
    position: Vector
    quaternion: tuple[float, float, float, float]
    velocity: Vector

    @property
    def radius(self) -> float:
        """Half the diagonal of the bounding box: nothing of the object is farther from its middle."""
        return float(np.linalg.norm(self.extents)) / 2


@dataclass(frozen=True)
class CameraSpec:
    """A camera at rest; sensor 32 mm wide, horizontal fit."""

    position: Vector
    look_at: Vector
    focal_length: float
    height: int
    width: int

    def project(self, points_N3: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Image positions `(N, 2)` (x right, y down, 0..1 in view) and depths `(N,)` (metres, negative: behind)."""
        rays = np.asarray(points_N3, np.float64) - self.position
        across, upwards, depth = self._axes @ rays.T
        scale = self.focal_length / SENSOR_WIDTH / np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        x = 0.5 + scale * across
        y = 0.5 - scale * upwards * self.width / self.height
        return np.stack([x, y], axis=-1), depth

    def rays(self, places_N2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unit vectors `(N, 3)` in the world from the camera through image positions `(N, 2)` as `project` has them."""
        x, y = (places_N2 - 0.5).T * SENSOR_WIDTH / self.focal_length
        rays_N3 = np.stack([x, -y * self.height / self.width, np.ones_like(x)], axis=-1) @ self._axes
        return rays_N3 / np.linalg.norm(rays_N3, axis=-1, keepdims=True)

    @property
    def _axes(self) -> NDArray[np.float64]:
        """Unit vectors in the world, one a row: to the right, upwards and forwards in the picture."""
        forward = np.subtract(self.look_at, self.position)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])


@dataclass(frozen=True)
class FloorSpec:
    """Look and feel of the floor."""

    pattern: Pattern
    color: str
    second_color: str
    roughness: float
    friction: float
    restitution: float


@dataclass(frozen=True)
class LightSpec:
    """Sky and sun."""

    hdri: str
    """Name of an environment image of Blender."""
    rotation: float
    """Of the sky about the vertical, radians."""
    level: float
    sun: float
    """Irradiance, W/m2."""
    sun_position: Vector
    """The sun shines from here to the origin."""


@dataclass(frozen=True)
class SceneSpec:
    """Everything about a scene."""

    family: str
    seed: int
    index: int
    attempt: int
    frames: int
    fps: int
    samples: int
    view_transform: str
    render_seed: int
    objects: tuple[ObjectSpec, ...]
    camera: CameraSpec
    floor: FloorSpec
    light: LightSpec

    @property
    def removed(self) -> tuple[int, ...]:
        """Indices of the objects that the counterfactual lacks."""
        return tuple(i for i, item in enumerate(self.objects) if item.role == "removed")

    @property
    def survivors(self) -> tuple[int, ...]:
        """Indices of the objects in both worlds."""
        return tuple(i for i, item in enumerate(self.objects) if item.role != "removed")

    @property
    def target(self) -> int:
        """Index of the target."""
        return next(i for i, item in enumerate(self.objects) if item.role == "target")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SceneSpec:
        """The inverse of `to_dict`, also after a trip through JSON."""
        return cls(
            **{
                **data,
                "objects": tuple(ObjectSpec(**_tuples(item)) for item in data["objects"]),
                "camera": CameraSpec(**_tuples(data["camera"])),
                "floor": FloorSpec(**data["floor"]),
                "light": LightSpec(**_tuples(data["light"])),
            }
        )


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
