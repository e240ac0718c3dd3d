"""The camera of human scenes: variants v1 to v9 and six motions of the published generator, in a Z-up world.

The published heights and distances are kept, with two corrections: the path of the hips is that of the world, and
motions turn about the point that the camera looks at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_gen.human.config import HumanConfig
from data_gen.scene.camera import SENSOR_WIDTH, CameraPath, Vector, ease, looking_at
from data_gen.seeds import Rng

Interval = tuple[float, float]
FULL_FRAME = 36.0
"""Millimetres: the sensor that `human.lens` is meant for."""
HIPS_HEIGHT = 0.95
"""Metres above the floor of a standing person's hips. The published heights are relative to hips at 0."""
ASIDE = 1.0
"""Metres by which the camera stands to the right of the person."""
LOWEST_TARGET = 0.5
LOWEST_CAMERA = 0.3


@dataclass(frozen=True)
class Variant:
    """How high a camera is and how far its motions go."""

    height: Interval
    """Metres above the published camera's 1.5 m."""
    zoom_in: Interval
    """Fraction of the distance."""
    zoom_out: Interval
    arc: Interval
    """Degrees."""
    lateral: Interval
    """Metres."""


_FALLBACK = Variant((0.5, 1.0), (0.30, 0.45), (0.10, 0.20), (45, 90), (1.5, 3.0))
CAMERAS: dict[str, Variant] = {
    "v1": Variant((0.3, 1.3), (0.35, 0.55), (0.15, 0.30), (60, 110), (2.0, 4.0)),
    "v2": Variant((0.2, 1.6), (0.40, 0.65), (0.20, 0.40), (70, 130), (2.5, 5.0)),
    "v3": Variant((0.1, 2.0), (0.45, 0.72), (0.25, 0.50), (80, 150), (3.0, 6.0)),
    "v4": Variant((0.3, 1.8), (0.40, 0.70), (0.20, 0.45), (75, 140), (2.5, 5.5)),
    "v5": Variant((0.2, 2.2), (0.50, 0.80), (0.30, 0.60), (90, 180), (3.5, 7.0)),
    "v6": Variant((0.0, 2.8), (0.60, 0.85), (0.40, 0.75), (120, 220), (4.5, 9.0)),
    "v7": _FALLBACK,
    "v8": _FALLBACK,
    "v9": _FALLBACK,
}


def sample_camera(
    config: HumanConfig,
    hips_T3: NDArray[np.float64],
    *,
    variant: str,
    frames: int,
    fps: int,
    size: tuple[int, int],
    rng: Rng,
) -> CameraPath:
    """Draw where the camera stands and how it moves; it looks at the same point all the time.

    Args:
        config: distance, lens, motions.
        hips_T3: place of the hips in the world at each frame.
        variant: a key of `CAMERAS`.
        frames: length of the clip.
        fps: frames per second; the camera's path does not depend on it.
        size: height and width in pixels.
        rng: source of all draws.
    """
    limits = CAMERAS[variant]
    low_3, high_3 = hips_T3.min(axis=0), hips_T3.max(axis=0)
    middle_x, middle_y, middle_z = (float(value) for value in (low_3 + high_3) / 2)
    extent = float(np.linalg.norm(high_3 - low_3))
    distance = float(np.clip((extent / 2 + 5.5) * rng.uniform(1.0, 1.4), *config.distance))
    height = 1.5 + float(rng.uniform(*limits.height)) + middle_z - HIPS_HEIGHT
    target = (middle_x, middle_y, max(middle_z - float(rng.uniform(0.0, 0.5)), LOWEST_TARGET))
    start = (middle_x + ASIDE, middle_y - distance, max(height, LOWEST_CAMERA))
    motion = config.motions[int(rng.integers(len(config.motions)))]
    places = _path(motion, start, target, limits, frames, rng)
    return CameraPath(
        motion,
        tuple(places),
        tuple(looking_at(place, target) for place in places),
        config.lens * SENSOR_WIDTH / FULL_FRAME,
        *size,
    )


def _path(motion: str, start: Vector, target: Vector, limits: Variant, frames: int, rng: Rng) -> list[Vector]:
    """Places of the camera, one a frame, or a single one where it does not move."""
    shares = [ease(frame / (frames - 1)) for frame in range(frames)]
    if motion == "static":
        return [start]
    if motion in ("zoom_in", "zoom_out"):
        nearer = motion == "zoom_in"
        change = -float(rng.uniform(*limits.zoom_in)) if nearer else float(rng.uniform(*limits.zoom_out))
        return [_at(start, target, 1 + share * change, 0.0) for share in shares]
    if motion == "circular":
        arc = math.radians(float(rng.uniform(*limits.arc))) * (1 if rng.random() < 0.5 else -1)
        return [_at(start, target, 1.0, share * arc) for share in shares]
    shift = float(rng.uniform(*limits.lateral)) * (1 if motion == "linear_right" else -1)
    x, y, z = start
    return [(x + share * shift, y, z) for share in shares]


def _at(start: Vector, target: Vector, nearness: float, turn: float) -> Vector:
    """`start` after a horizontal move to a multiple of its distance from the target, and a turn about it; radians."""
    x, y = start[0] - target[0], start[1] - target[1]
    cos, sin = math.cos(turn), math.sin(turn)
    return (
        target[0] + nearness * (x * cos - y * sin),
        target[1] + nearness * (x * sin + y * cos),
        start[2],
    )
