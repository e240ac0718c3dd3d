"""Sky light from an environment image, scaled so that every image lights the floor alike."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np


def sky_level(image: Any) -> float:
    """Light an upright sky sends onto a level floor: the cosine-weighted mean of its upper half (1: a white sky)."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    luminance_HW = pixels.reshape(height, width, 4)[..., :3] @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    elevation = (np.arange(height) + 0.5) / height * np.pi - np.pi / 2
    weight = np.where(elevation > 0, np.sin(elevation) * np.cos(elevation), 0.0)
    return float((luminance_HW.mean(axis=1) * weight).sum() / weight.sum())


def light_sky(renderer: Any, *, file: str, level: float, rotation: float) -> None:
    """Light the scene by an environment image, which is also what the camera sees where there is no floor.

    Args:
        renderer: a `kubric.renderer.Blender`.
        file: the image.
        level: of the light on the floor, see `sky_level`; 0: as the image has it.
        rotation: about the vertical, radians.
    """
    image = bpy.data.images.load(file, check_existing=True)
    turn = (0.0, 0.0, rotation)
    strength = level / sky_level(image) if level else 1.0
    renderer._set_ambient_light_hdri(file, turn, strength)
    renderer._set_background_hdri(file, turn)
    renderer.bg_node.inputs["Strength"].default_value = strength


def project_sky(dome: Any, file: str) -> None:
    """Put an environment image on Kubric's dome, a `bpy.types.Object`, and let the sky's light through it."""
    dome.visible_diffuse = dome.visible_shadow = False
    texture = dome.data.materials[0].node_tree.nodes["Image Texture"]
    texture.image = bpy.data.images.load(file, check_existing=True)
