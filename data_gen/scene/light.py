"""Drawing sky and sun: pure functions of the configuration and a random generator."""

from __future__ import annotations

import math

from data_gen.scene.camera import CameraPath
from data_gen.scene.config import LightConfig
from data_gen.scene.spec import LightSpec
from data_gen.seeds import Rng

SUN_DISTANCE = 10.0
"""Metres from the origin; the sun is infinitely far, only the direction counts."""
Interval = tuple[float, float]


def sample_light(
    config: LightConfig, skies: tuple[str, ...], camera: CameraPath, rng: Rng, *, aside: Interval, elevation: Interval
) -> LightSpec:
    """Draw a sky and a sun.

    Args:
        config: strengths, skies to leave out.
        skies: ids of environment images.
        camera: of the clip; its first place counts.
        rng: source of all draws.
        aside: degrees to either side between the directions from the origin to the camera and to the sun.
        elevation: of the sun above the horizon, degrees.
    """
    sky = str(rng.choice(usable_skies(config, skies)))
    turn = float(rng.uniform(0, 2 * math.pi))
    x, y, _ = camera.positions[0]
    azimuth = math.atan2(y, x) + math.radians(float(rng.uniform(*aside))) * (1 if rng.random() < 0.5 else -1)
    height = math.radians(float(rng.uniform(*elevation)))
    sun = (
        SUN_DISTANCE * math.cos(height) * math.cos(azimuth),
        SUN_DISTANCE * math.cos(height) * math.sin(azimuth),
        SUN_DISTANCE * math.sin(height),
    )
    return LightSpec(sky, turn if config.turn_sky else 0.0, config.level, config.sun, sun)


def usable_skies(config: LightConfig, skies: tuple[str, ...]) -> list[str]:
    """The skies of `light.skies` that are not dark; all of them where only dark ones are left, in the given order."""
    chosen = [sky for sky in skies if not config.skies or sky in config.skies] or list(skies)
    bright = [sky for sky in chosen if not any(mark in sky for mark in config.dark)]
    return bright or chosen
