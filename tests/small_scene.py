"""A small rigid scene: five frames of 48 x 64 pixels."""

from __future__ import annotations

from data_gen.config import SceneConfig


def small_scene(**changes: object) -> SceneConfig:
    """The smallest legal clip, a camera at rest; objects start near the target, so that they meet within 5 frames."""
    values: dict = {"frames": 5, "height": 48, "width": 64, "max_attempts": 200, "caption": "short"}
    config = SceneConfig(**(values | changes))
    config.camera.motions = ["static"]
    variable = config.families.variable
    variable.counts, variable.contact_window = [3], (0.1, 0.9)
    variable.ring_radius, variable.drop_height, variable.speed = (1.4, 1.6), (0.0, 0.2), (5.0, 6.0)
    variable.size, variable.target_size = (0.5, 0.6), (0.6, 0.7)
    config.accept.min_divergence = 0.01
    return config
