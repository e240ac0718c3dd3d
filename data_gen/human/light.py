"""Light of human scenes: the sky above, and a sun that no wall hides."""

from __future__ import annotations

import math

import numpy as np

from data_gen.rigid.sample import SUN_DISTANCE, usable_skies
from data_gen.scene.camera import CameraPath
from data_gen.scene.config import LightConfig
from data_gen.scene.spec import BackdropSpec, LightSpec

ASIDE = (20.0, 75.0)
"""Degrees between the direction from which the camera looks and the sun, to either side."""
ELEVATION = (35.0, 65.0)
HIGH = (50.0, 70.0)
"""Degrees above the horizon, in the open and above walls."""


def sample_light(
    config: LightConfig, skies: tuple[str, ...], camera: CameraPath, backdrop: BackdropSpec, rng: np.random.Generator
) -> LightSpec:
    """Draw a sky and a sun, which shines from the camera's side: there no wall stands.

    Args:
        config: strengths, skies to leave out.
        skies: ids of environment images.
        camera: of the clip; its first place counts.
        backdrop: with walls or without.
        rng: source of all draws.
    """
    sky = str(rng.choice(usable_skies(config, skies)))
    turn = float(rng.uniform(0, 2 * math.pi))
    x, y, _ = camera.positions[0]
    side = 1 if rng.random() < 0.5 else -1
    azimuth = math.atan2(y, x) + math.radians(float(rng.uniform(*ASIDE))) * side
    elevation = math.radians(float(rng.uniform(*(HIGH if backdrop.room else ELEVATION))))
    position = (
        SUN_DISTANCE * math.cos(elevation) * math.cos(azimuth),
        SUN_DISTANCE * math.cos(elevation) * math.sin(azimuth),
        SUN_DISTANCE * math.sin(elevation),
    )
    return LightSpec(sky, turn if config.turn_sky else 0.0, config.level, config.sun, position)
