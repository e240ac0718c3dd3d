"""Light of human scenes: the sky above, and a sun that no wall hides."""

from __future__ import annotations

from data_gen.scene import light
from data_gen.scene.camera import CameraPath
from data_gen.scene.config import LightConfig
from data_gen.scene.spec import BackdropSpec, LightSpec
from data_gen.seeds import Rng

ASIDE = (20.0, 75.0)
"""Degrees between the direction from which the camera looks and the sun, to either side."""
ELEVATION = (35.0, 65.0)
HIGH = (50.0, 70.0)
"""Degrees above the horizon, in the open and above walls."""


def sample_light(
    config: LightConfig, skies: tuple[str, ...], camera: CameraPath, backdrop: BackdropSpec, rng: Rng
) -> LightSpec:
    """Draw a sky and a sun, which shines from the camera's side: there no wall stands. See `data_gen.scene.light`."""
    return light.sample_light(config, skies, camera, rng, aside=ASIDE, elevation=HIGH if backdrop.room else ELEVATION)
