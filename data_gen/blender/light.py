"""Sky light from an environment image, scaled so that every image lights the floor alike."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from data_gen.blender.engine import hdri_path


def sky_level(image: Any) -> float:
    """Light an upright sky sends onto a level floor: the cosine-weighted mean of its upper half (1: a white sky)."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    luminance_HW = pixels.reshape(height, width, 4)[..., :3] @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    elevation = (np.arange(height) + 0.5) / height * np.pi - np.pi / 2
    weight = np.where(elevation > 0, np.sin(elevation) * np.cos(elevation), 0.0)
    return float((luminance_HW.mean(axis=1) * weight).sum() / weight.sum())


def light_sky(renderer: Any, *, hdri: str, level: float, rotation: float) -> None:
    """Light the scene by an environment image, which is also what the camera sees where there is no floor.

    Args:
        renderer: a `kubric.renderer.Blender`.
        hdri: name of a bundled image.
        level: of the light on the floor, see `sky_level`.
        rotation: about the vertical, radians.
    """
    path = hdri_path(hdri)
    image = bpy.data.images.load(path, check_existing=True)
    turn = (0.0, 0.0, rotation)
    strength = level / sky_level(image)
    renderer._set_ambient_light_hdri(path, turn, strength)
    renderer._set_background_hdri(path, turn)
    renderer.bg_node.inputs["Strength"].default_value = strength
