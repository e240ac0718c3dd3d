"""Surfaces: procedural patterns and smooth shading."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Color = tuple[float, float, float]
SHARP_ANGLE = math.radians(35)
PLACE_OFFSET = 0.1
"""Metres by which patterns are shifted, so that no face lies exactly between two cells."""


def paint(
    material: Any,
    *,
    pattern: str,
    color: Color,
    second: Color,
    cell: float,
    stretch: tuple[float, float, float] | None = None,
) -> None:
    """Give a Blender material with a Principled BSDF a pattern.

    Args:
        material: `bpy.types.Material`.
        pattern: plain, checkered, striped, dotted, mottled (soft patches), wood (grain; in the world: planks) or marble
            (veins).
        color: linear RGB.
        second: linear RGB of the other tiles, stripes, dots, patches, grain or veins.
        cell: size of one tile, stripe or patch, metres.
        stretch: scale of the object that the pattern is fixed to; None: the pattern is fixed to the world.
    """
    if pattern == "plain":
        return
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes["Principled BSDF"]
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    first_input, second_input = (next(s for s in mix.inputs if s.name == name and s.type == "RGBA") for name in "AB")
    first_input.default_value = (*color, 1.0)
    second_input.default_value = (*second, 1.0)
    paint_it = _planks if pattern == "wood" and stretch is None else _PATTERNS[pattern]
    factor = paint_it(nodes, links, _place(nodes, links, stretch), cell)
    links.new(factor, mix.inputs["Factor"])
    links.new(next(s for s in mix.outputs if s.type == "RGBA"), shader.inputs["Base Color"])


def smooth(mesh: Any) -> None:
    """Shade a `bpy.types.Mesh` smoothly but for edges sharper than 35 degrees."""
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=SHARP_ANGLE)


def towards(color: Color, second: Color, share: float) -> Color:
    """The colour that lies this share of the way from the first to the second."""
    red, green, blue = (a + share * (b - a) for a, b in zip(color, second, strict=True))
    return red, green, blue


def _place(nodes: Any, links: Any, stretch: tuple[float, float, float] | None) -> Any:
    """A socket with the place of a surface point in metres."""
    shift = nodes.new("ShaderNodeVectorMath")
    shift.operation = "MULTIPLY_ADD"
    shift.inputs[1].default_value = stretch or (1.0, 1.0, 1.0)
    shift.inputs[2].default_value = (PLACE_OFFSET,) * 3
    if stretch is None:
        links.new(nodes.new("ShaderNodeNewGeometry").outputs["Position"], shift.inputs[0])
    else:
        links.new(nodes.new("ShaderNodeTexCoord").outputs["Object"], shift.inputs[0])
    return shift.outputs["Vector"]


def _textured(nodes: Any, links: Any, place: Any, kind: str, settings: dict[str, float]) -> Any:
    texture = nodes.new(kind)
    for name, value in settings.items():
        texture.inputs[name].default_value = value
    links.new(place, texture.inputs["Vector"])
    return texture


def _stepped(nodes: Any, links: Any, value: Any, low: float, high: float) -> Any:
    """0 below `low`, 1 above `high`, linear between."""
    ramp = nodes.new("ShaderNodeMapRange")
    ramp.inputs["From Min"].default_value = low
    ramp.inputs["From Max"].default_value = high
    links.new(value, ramp.inputs["Value"])
    return ramp.outputs["Result"]


def _checkered(nodes: Any, links: Any, place: Any, cell: float) -> Any:
    return _textured(nodes, links, place, "ShaderNodeTexChecker", {"Scale": 1 / cell}).outputs["Fac"]


def _striped(nodes: Any, links: Any, place: Any, cell: float) -> Any:
    texture = _textured(nodes, links, place, "ShaderNodeTexWave", {"Scale": math.pi / (10 * cell)})
    texture.bands_direction = "DIAGONAL"
    return _stepped(nodes, links, texture.outputs["Fac"], 0.45, 0.55)


def _dotted(nodes: Any, links: Any, place: Any, cell: float) -> Any:
    texture = _textured(nodes, links, place, "ShaderNodeTexVoronoi", {"Scale": 1 / cell, "Randomness": 0.35})
    return _stepped(nodes, links, texture.outputs["Distance"], 0.52, 0.46)


def _mottled(nodes: Any, links: Any, place: Any, cell: float) -> Any:
    return _textured(nodes, links, place, "ShaderNodeTexNoise", {"Scale": 0.9 / cell, "Detail": 2.0}).outputs["Fac"]


def _wood(nodes: Any, links: Any, place: Any, cell: float) -> Any:
    settings = {"Scale": 0.6 / cell, "Distortion": 6.0, "Detail": 2.0, "Detail Scale": 1.2}
    return _textured(nodes, links, place, "ShaderNodeTexWave", settings).outputs["Fac"]


def _planks(nodes: Any, links: Any, place: Any, cell: float) -> Any:
    settings = {"Scale": 1.0, "Mortar Size": 0.008, "Brick Width": 2.5 * cell, "Row Height": 0.3 * cell}
    texture = _textured(nodes, links, place, "ShaderNodeTexBrick", settings)
    for socket, shade in (("Color1", 0.0), ("Color2", 1.0), ("Mortar", 1.0)):
        texture.inputs[socket].default_value = (shade, shade, shade, 1.0)
    return texture.outputs["Color"]


def _marble(nodes: Any, links: Any, place: Any, cell: float) -> Any:
    settings = {"Scale": 1.2 / cell, "Detail": 6.0, "Distortion": 1.5}
    texture = _textured(nodes, links, place, "ShaderNodeTexNoise", settings)
    return _stepped(nodes, links, texture.outputs["Fac"], 0.48, 0.66)


_PATTERNS: dict[str, Callable[[Any, Any, Any, float], Any]] = {
    "checkered": _checkered,
    "striped": _striped,
    "dotted": _dotted,
    "mottled": _mottled,
    "wood": _wood,
    "marble": _marble,
}
