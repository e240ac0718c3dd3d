"""Surfaces: procedural floor patterns and smooth shading."""

from __future__ import annotations

import math
from typing import Any

Color = tuple[float, float, float]
SHARP_ANGLE = math.radians(35)
SECOND_SHARE = 0.45
"""How far a pattern goes from the first towards the second colour."""


def paint_floor(material: Any, *, pattern: str, color: Color, second: Color) -> None:
    """Give a Blender material with a Principled BSDF a pattern in world coordinates.

    Args:
        material: `bpy.types.Material`.
        pattern: plain, checkered (tiles of 0.8 m) or mottled (soft patches).
        color: linear RGB.
        second: linear RGB of the other tiles or patches.
    """
    if pattern == "plain":
        return
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes["Principled BSDF"]
    place = nodes.new("ShaderNodeNewGeometry")
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    first_input, second_input = (next(s for s in mix.inputs if s.name == name and s.type == "RGBA") for name in "AB")
    first_input.default_value = (*color, 1.0)
    second_input.default_value = (*_towards(color, second), 1.0)
    if pattern == "checkered":
        texture = nodes.new("ShaderNodeTexChecker")
        texture.inputs["Scale"].default_value = 1.25
        factor = texture.outputs["Fac"]
        # The floor's surface lies exactly between two layers of cubes.
        shift = nodes.new("ShaderNodeVectorMath")
        shift.inputs[1].default_value = (0.0, 0.0, 0.1)
        links.new(place.outputs["Position"], shift.inputs[0])
        links.new(shift.outputs["Vector"], texture.inputs["Vector"])
    else:
        texture = nodes.new("ShaderNodeTexNoise")
        texture.inputs["Scale"].default_value = 1.1
        texture.inputs["Detail"].default_value = 2.0
        factor = texture.outputs["Fac"]
        links.new(place.outputs["Position"], texture.inputs["Vector"])
    links.new(factor, mix.inputs["Factor"])
    links.new(next(s for s in mix.outputs if s.type == "RGBA"), shader.inputs["Base Color"])


def smooth(mesh: Any) -> None:
    """Shade a `bpy.types.Mesh` smoothly but for edges sharper than 35 degrees."""
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=SHARP_ANGLE)


def _towards(color: Color, second: Color) -> Color:
    red, green, blue = (a + SECOND_SHARE * (b - a) for a, b in zip(color, second, strict=True))
    return red, green, blue
