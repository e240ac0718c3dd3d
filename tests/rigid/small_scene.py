"""A small rigid scene: five frames of 48 x 64 pixels."""

from __future__ import annotations

from data_gen.config import SceneConfig


def small_scene(**changes: object) -> SceneConfig:
    """The smallest legal clip; objects start near the target, so that they meet within 5 frames."""
    values: dict = {
        "frames": 5,
        "height": 48,
        "width": 64,
        "object_counts": [3],
        "ring_radius": (1.4, 1.6),
        "drop_height": (0.0, 0.2),
        "speed": (5.0, 6.0),
        "object_size": (0.5, 0.6),
        "target_size": (0.6, 0.7),
        "max_attempts": 200,
    }
    config = SceneConfig(**(values | changes))
    config.accept.min_divergence = 0.01
    config.accept.contact_window = (0.1, 0.9)
    config.render.samples = 4
    return config
