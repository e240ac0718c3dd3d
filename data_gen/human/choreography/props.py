"""What procedural motions handle: one mesh a kind, built in centimetres, given in metres. Own frame: base at z = 0."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import trimesh
from numpy.typing import NDArray

from data_gen.assets.solids import Solid, bend, block, cylinder, hull, join, lathe, vessel
from data_gen.human.motion import Prop

CENTIMETRE = 0.01
HOLLOW = ("basket", "deep_plate", "mixing_bowl", "mug", "vase")
"""Kinds that are full to a hand, which holds them from outside."""

Points = NDArray[np.float64]


def _mug() -> Solid:
    cup = vessel([(3.6, 0), (4.2, 1), (4.2, 9.5)], [(3.2, 1), (3.6, 1.8), (3.7, 9.5)])
    return join(cup, bend(2.6, 0.6, -80, 80).moved(x=4.1, z=4.8))


def _bowl() -> Solid:
    return vessel([(4, 0), (9, 3), (12.5, 8)], [(3.5, 1), (8.2, 3.6), (11.8, 8)])


def _plate() -> Solid:
    return vessel([(6, 0), (10, 0.8), (13, 2.2)], [(6, 0.8), (9.8, 1.4), (12.6, 2.4)])


def _bottle() -> Solid:
    return lathe([(3.4, 0), (3.8, 1), (3.8, 14), (1.4, 19), (1.4, 23)])


def _vase() -> Solid:
    return vessel([(5, 0), (8.5, 8), (7, 18), (4, 24), (5, 27)], [(4.2, 1), (7.7, 8), (6.2, 18), (3.3, 24), (4.4, 27)])


def _basket() -> Solid:
    floor = block(36, 26, 1)
    sides = [block(36, 1, 20).moved(y=sign * 12.5, z=0.5) for sign in (-1, 1)]
    ends = [block(1, 25, 20).moved(x=sign * 17.5, z=0.5) for sign in (-1, 1)]
    return join(floor, *sides, *ends)


def _tray() -> Solid:
    rims = [block(46, 1.2, 3).moved(y=sign * 15) for sign in (-1, 1)]
    ends = [block(1.2, 30, 3).moved(x=sign * 22.4) for sign in (-1, 1)]
    return join(block(45, 30, 1), *rims, *ends)


def _table() -> Solid:
    legs = [block(5, 5, 71).moved(x=a * 52, y=b * 30) for a in (-1, 1) for b in (-1, 1)]
    return join(block(120, 75, 4).moved(z=70), *legs)


def _side_table() -> Solid:
    return join(cylinder(24, 3).moved(z=52), cylinder(3, 52.5), cylinder(16, 2.5))


def _chair() -> Solid:
    legs = [block(4, 4, 44).moved(x=a * 19, y=b * 19) for a in (-1, 1) for b in (-1, 1)]
    posts = [block(4, 4, 46).moved(x=a * 19, y=19, z=46) for a in (-1, 1)]
    return join(block(44, 44, 4).moved(z=43), *legs, *posts, block(42, 3, 22).moved(y=19, z=68))


def _cart() -> Solid:
    posts = [block(3, 3, 84).moved(x=a * 27, y=b * 40, z=10) for a in (-1, 1) for b in (-1, 1)]
    decks = [block(58, 84, 3).moved(z=z) for z in (14, 80)]
    wheels = [
        cylinder(6, 3).moved(z=-1.5).turned(90, "y").moved(x=a * 27, y=b * 38, z=6) for a in (-1, 1) for b in (-1, 1)
    ]
    axles = [block(56, 2, 9).moved(y=b * 38, z=6) for b in (-1, 1)]
    handle = [block(57, 3, 3).moved(y=40, z=93)]
    return join(*posts, *decks, *wheels, *axles, *handle)


def _cabinet() -> Solid:
    walls = [block(2, 45, 70).moved(x=a * 24) for a in (-1, 1)]
    shelves = [block(50, 45, 2).moved(z=z) for z in (0, 46, 68)]
    return join(*walls, *shelves, block(50, 2, 70).moved(y=21.5))


def _drawer() -> Solid:
    floor = block(44, 38, 1.5)
    sides = [block(1.5, 38, 18).moved(x=a * 21.2) for a in (-1, 1)]
    ends = [block(44, 1.5, 18).moved(y=b * 18.2) for b in (-1, 1)]
    return join(floor, *sides, *ends, block(14, 4, 2).moved(y=-20.5, z=10))


def _bat() -> Solid:
    return lathe([(2.2, 0), (1.5, 3), (1.6, 30), (3.2, 60), (3.4, 78), (2.2, 83)])


def _ball() -> Solid:
    angles = np.linspace(-np.pi / 2, np.pi / 2, 13)
    return lathe([(11 * float(np.cos(a)) + 0.01, 11 + 11 * float(np.sin(a))) for a in angles])


def _apple() -> Solid:
    angles = np.linspace(-np.pi / 2, np.pi / 2, 11)
    return lathe([(3.9 * float(np.cos(a)) + 0.01, 3.5 + 3.5 * float(np.sin(a))) for a in angles])


def _book() -> Solid:
    return block(16, 22, 3)


def _box() -> Solid:
    return block(32, 26, 24, 0.4)


def _toy_house() -> Solid:
    roof = hull([[x, y, 14] for x in (-9, 9) for y in (-8, 8)] + [[x, 0, 22] for x in (-9, 9)])
    return join(block(16, 14, 14.2), roof)


_BUILDERS: dict[str, Callable[[], Solid]] = {
    "apple": _apple,
    "ball": _ball,
    "bat": _bat,
    "basket": _basket,
    "book": _book,
    "bottle": _bottle,
    "box": _box,
    "cabinet": _cabinet,
    "chair": _chair,
    "deep_plate": _plate,
    "drawer": _drawer,
    "mixing_bowl": _bowl,
    "mug": _mug,
    "side_table": _side_table,
    "table": _table,
    "toy_house": _toy_house,
    "tray": _tray,
    "utility_cart": _cart,
    "vase": _vase,
}
KINDS = tuple(_BUILDERS)


@cache
def make_prop(kind: str, name: str = "") -> Prop:
    """An object of a kind; `name` where a motion has several."""
    mesh = _BUILDERS[kind]().visual
    vertices_V3 = np.asarray(mesh.vertices, np.float64) * CENTIMETRE
    vertices_V3 = vertices_V3 - [0.0, 0.0, vertices_V3[:, 2].min()]
    return Prop(name or kind, kind, vertices_V3, np.asarray(mesh.faces, np.int64))


@cache
def filled_pieces(kind: str) -> tuple[trimesh.Trimesh, ...]:
    """Convex pieces of a kind, in metres and in its own frame; the hull where it is hollow."""
    solid = _BUILDERS[kind]()
    solid = solid.moved(z=-float(solid.visual.bounds[0, 2]))
    pieces = (solid.visual.convex_hull,) if kind in HOLLOW else solid.pieces
    return tuple(piece.copy().apply_scale(CENTIMETRE) for piece in pieces)


def size(kind: str) -> tuple[float, float, float]:
    """Sides of the bounding box, metres."""
    x, y, z = (float(side) for side in np.ptp(make_prop(kind).vertices_V3, axis=0))
    return x, y, z
