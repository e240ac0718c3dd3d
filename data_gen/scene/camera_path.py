"""Drawing the camera's path: pure functions of the configuration and a random generator.

A dolly or an orbit has two keyframes, the first and the last frame. Between them position and quaternion follow
Blender's default curve, each component by itself (the published generator's camera).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.scene.camera import CameraPath, Quaternion, Vector, around, ease, looking_at
from data_gen.scene.config import CameraConfig
from data_gen.seeds import Rng

SWAYS = 3
"""Sine waves that make up a handheld camera's sway along or about one axis."""
SWAY_RATES = (0.25, 1.2)
"""Hz."""
# Distance, azimuth (radians) and height.
_Place = tuple[float, float, float]


def sample_path(config: CameraConfig, frames: int, fps: int, size: tuple[int, int], rng: Rng) -> CameraPath:
    """Draw where the camera stands and how it moves.

    Args:
        config: distributions.
        frames: length of the clip.
        fps: frames per second.
        size: height and width in pixels.
        rng: source of all draws.
    """
    distance, azimuth, height = (float(rng.uniform(*i)) for i in (config.distance, config.azimuth, config.height))
    place = (distance, math.radians(azimuth), height)
    motion = config.motions[int(rng.integers(len(config.motions)))]
    middle = (0.0, 0.0, config.look_at_height)
    if motion == "static":
        poses = [_pose(place, middle)]
    elif motion == "handheld":
        poses = _handheld(_pose(place, middle), config, frames, fps, rng)
    else:
        poses = _eased(_pose(place, middle), _pose(_END[motion](place, config, rng), middle), frames)
    positions, quaternions = zip(*poses, strict=True)
    return CameraPath(motion, positions, quaternions, config.focal_length, *size)


def _dolly_in(place: _Place, config: CameraConfig, rng: Rng) -> _Place:
    return place[0] * float(rng.uniform(*config.dolly_in)), place[1], place[2]


def _dolly_out(place: _Place, config: CameraConfig, rng: Rng) -> _Place:
    return place[0] * float(rng.uniform(*config.dolly_out)), place[1], place[2]


def _orbit_left(place: _Place, config: CameraConfig, rng: Rng) -> _Place:
    return place[0], place[1] + math.radians(float(rng.uniform(*config.orbit))), place[2]


def _orbit_right(place: _Place, config: CameraConfig, rng: Rng) -> _Place:
    return place[0], place[1] - math.radians(float(rng.uniform(*config.orbit))), place[2]


_END: dict[str, Callable[[_Place, CameraConfig, Rng], _Place]] = {
    "dolly_in": _dolly_in,
    "dolly_out": _dolly_out,
    "orbit_left": _orbit_left,
    "orbit_right": _orbit_right,
}


def _pose(place: _Place, middle: Vector) -> tuple[Vector, Quaternion]:
    position = around(*place)
    return position, looking_at(position, middle)


def _eased(
    start: tuple[Vector, Quaternion], end: tuple[Vector, Quaternion], frames: int
) -> list[tuple[Vector, Quaternion]]:
    first, last = (np.concatenate(pose) for pose in (start, end))
    if first[3:] @ last[3:] < 0:
        last[3:] *= -1
    shares = [ease(frame / (frames - 1)) for frame in range(frames)]
    return [_as_pose(first + share * (last - first)) for share in shares]


def _handheld(
    base: tuple[Vector, Quaternion], config: CameraConfig, frames: int, fps: int, rng: Rng
) -> list[tuple[Vector, Quaternion]]:
    position, (w, x, y, z) = base
    seconds_T = np.arange(frames) / fps
    shift_T3 = config.handheld_shift * _sway(seconds_T, rng)
    turns = Rotation.from_quat([x, y, z, w]) * Rotation.from_rotvec(
        math.radians(config.handheld_turn) * _sway(seconds_T, rng)
    )
    quaternions_T4 = turns.as_quat()[:, [3, 0, 1, 2]]
    return [_as_pose(np.concatenate([position + shift, q])) for shift, q in zip(shift_T3, quaternions_T4, strict=True)]


def _sway(seconds_T: NDArray[np.float64], rng: Rng) -> NDArray[np.float64]:
    """Smooth motion `(T, 3)` of unit root mean square along each of three axes."""
    rates, phases = rng.uniform(*SWAY_RATES, (SWAYS, 3)), rng.uniform(0, 2 * math.pi, (SWAYS, 3))
    waves_TS3 = np.sin(2 * math.pi * rates * seconds_T[:, None, None] + phases)
    return waves_TS3.sum(axis=1) * math.sqrt(2 / SWAYS)


def _as_pose(values_7: NDArray[np.float64]) -> tuple[Vector, Quaternion]:
    x, y, z = (float(value) for value in values_7[:3])
    a, b, c, d = (float(value) for value in values_7[3:] / np.linalg.norm(values_7[3:]))
    return (x, y, z), (a, b, c, d)
