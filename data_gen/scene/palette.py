"""Colours by name."""

from __future__ import annotations

OBJECT_COLORS = {
    "red": "#d0282e",
    "orange": "#e8761a",
    "yellow": "#f0c419",
    "green": "#2f9e44",
    "teal": "#18a5a0",
    "blue": "#2456d6",
    "purple": "#7b3fc4",
    "pink": "#e667a8",
    "lime": "#9acd32",
    "navy": "#1f2f6b",
    "maroon": "#7a1f2b",
    "olive": "#7c7a2a",
    "cyan": "#38c6e8",
    "black": "#26262a",
}
WOOD_COLORS = {"pine": "#c89a5e", "oak": "#a0733f", "walnut": "#5e4029"}
FLOOR_COLORS = {
    "grey": "#8f9194",
    "white": "#cfcdc8",
    "beige": "#c2ab8a",
    "brown": "#80604a",
    "slate": "#5b6770",
    "sage": "#93a08a",
}

MATERIAL_COLORS = {
    "steel": "#a9adb3",
    "brass": "#b08d57",
    "charcoal": "#3a3b40",
    "cream": "#ece4d2",
    "terracotta": "#b5603f",
    "sky blue": "#8fb7d6",
    "mint": "#a9d3bf",
    "mustard": "#c79a2c",
    "brick": "#9c4534",
    "denim": "#46618c",
    "tan": "#a87b4f",
    "cardboard": "#b98f5f",
    "ivory": "#e4dfd3",
}
"""Of what people use: for objects of motions, clothes and walls."""
SKIN_COLORS = {"fair": "#e8c3a6", "light": "#d9a983", "medium": "#b97f57", "brown": "#8a5a3b", "dark": "#55351f"}
HAIR_COLORS = {"black hair": "#1d1916", "brown hair": "#4a3324", "blond hair": "#b58b51", "grey hair": "#8d8a86"}
_COLORS = OBJECT_COLORS | FLOOR_COLORS | WOOD_COLORS | MATERIAL_COLORS | SKIN_COLORS | HAIR_COLORS


def linear_rgb(name: str) -> tuple[float, float, float]:
    """Linear-light RGB in [0, 1] of a named colour (the hex values are sRGB)."""
    text = _COLORS[name]
    encoded = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded)
    return red, green, blue
