"""Ramps, shelves and the like. Centimetres."""

from __future__ import annotations

from data_gen.assets.recipe import Recipe
from data_gen.assets.solids import Solid, block, extrude, join


def _ramp() -> Solid:
    """A wedge that falls along +x by 20 degrees; its low edge is 2 cm high."""
    return extrude([(-50, 0), (50, 0), (50, 2), (-50, 38.4)], 50)


def _shelf() -> Solid:
    """A board on two legs at its ends, open along y."""
    legs = [block(6, 40, 44).moved(x=x) for x in (-42, 42)]
    return join(block(100, 42, 6, 0.6).moved(z=43), *legs)


def _arch() -> Solid:
    """Two pillars and a lintel."""
    pillars = [block(16, 24, 40).moved(x=x) for x in (-27, 27)]
    return join(block(70, 24, 14, 0.8).moved(z=39), *pillars)


def _steps() -> Solid:
    """Three steps that rise along +x."""
    corners = [(-30, 0), (30, 0), (30, 30), (10, 30), (10, 20), (-10, 20), (-10, 10), (-30, 10)]
    parts = [
        [(-30 + 20 * i, 0), (-10 + 20 * i, 0), (-10 + 20 * i, 10 * i + 10), (-30 + 20 * i, 10 * i + 10)]
        for i in range(3)
    ]
    return extrude(corners, 50, parts)


RECIPES = {
    "arch": Recipe("arch", ("structure", "flat_top"), _arch),
    "domino": Recipe("domino", ("structure", "domino", "box", "flat_top"), lambda: block(9, 25, 50, 1.2)),
    "plank": Recipe("plank", ("structure", "plank", "box", "flat_top"), lambda: block(100, 22, 5, 0.4)),
    "ramp": Recipe("ramp", ("structure",), _ramp),
    "shelf": Recipe("shelf", ("structure", "flat_top"), _shelf),
    "steps": Recipe("steps", ("structure",), _steps),
    "wall": Recipe("wall", ("structure", "box", "flat_top"), lambda: block(100, 10, 50, 0.8)),
}
