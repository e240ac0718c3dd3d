"""Boxes, gems, stars, gears and other simple forms. Centimetres."""

from __future__ import annotations

import itertools
import math

import numpy as np
import trimesh

from data_gen.assets.recipe import variants
from data_gen.assets.solids import (
    PIECE_SIDES,
    Points,
    Solid,
    ball,
    bend,
    block,
    carve,
    cylinder,
    extrude,
    hull,
    join,
    lathe,
    prism,
    regular,
    rod,
    spline,
)


def _gift_box() -> Solid:
    ribbons = (block(16.4, 2.6, 12.4, 0.1), block(2.6, 16.4, 12.4, 0.1))
    lid = block(17, 17, 3.4, 0.2).moved(z=9.2)
    loops = [bend(2.3, 0.7, 0, 360, 1).turned(turn, "y").moved(x=x, z=14) for turn, x in ((25, 2.3), (-25, -2.3))]
    return join(block(16, 16, 12, 0.2), lid, *ribbons, *loops)


def _crate() -> Solid:
    """A box of slats: two boards on each side, edges that stand out."""
    core = block(20, 15, 14).moved(z=0.5)
    posts = [block(2.2, 2.2, 15, 0.2).moved(x, y) for x in (-9.6, 9.6) for y in (-7.1, 7.1)]
    rails = [block(21, 16, 2.6, 0.2).moved(z=z).without_pieces() for z in (0.0, 6.2, 12.4)]
    return join(core, *posts, *rails)


def _book() -> Solid:
    covers = join(block(15, 21, 0.5, 0.1), block(15, 21, 0.5, 0.1).moved(z=3.3), block(0.6, 21, 3.8, 0.1).moved(x=-7.4))
    return Solid(join(covers, block(14.2, 20, 3.4).moved(x=-0.2, z=0.2)).visual, block(15.4, 21, 3.8).pieces)


def _suitcase() -> Solid:
    body = block(30, 10, 20, 1.5)
    straps = [block(1.6, 10.5, 20.4, 0.6).moved(x=x, z=-0.2).without_pieces() for x in (-9, 9)]
    return join(body, *straps, bend(3.2, 0.6, 0, 180, 3).moved(z=19.6)).moved(z=0.2)


def _brick() -> Solid:
    holes = [cylinder(1.1, 10).moved(x=x, z=-1) for x in (-5.4, 0, 5.4)]
    return carve(block(20, 9.5, 6.5, 0.25), *holes)


def _toy_brick() -> Solid:
    studs = [cylinder(1.25, 1.0, 0.15, 24).moved(x, y, 4.7) for x in (-4.8, -1.6, 1.6, 4.8) for y in (-1.6, 1.6)]
    return join(block(12.8, 6.4, 4.8, 0.1), *studs)


def _die() -> Solid:
    """A cube with cut corners and pips."""
    third = 3.0
    corners = [(a, b) for a in (-third, third) for b in (-third, third)]
    spots: dict[str, list[tuple[float, float]]] = {
        "z": [(0, 0)],
        "-z": [(-third, -third), (third, third)],
        "x": [(-third, third), (0, 0), (third, -third)],
        "-x": corners,
        "y": [*corners, (0, 0)],
        "-y": [(a, b) for a in (-third, third) for b in (-third, 0, third)],
    }
    pips = []
    for side, places in spots.items():
        axis, sign = "xyz".index(side[-1]), -1 if side[0] == "-" else 1
        for a, b in places:
            centre = np.insert(np.array([a, b], dtype=float), axis, sign * 5.9)
            pips.append(_pip(centre))
    body = hull(
        [np.roll((x, y, z), k) for x in (-5.5, 5.5) for y in (-4.9, 4.9) for z in (-4.9, 4.9) for k in range(3)]
    )
    return carve(body, *pips)


def _pip(centre_3: Points) -> Solid:
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=1.1)
    return Solid(mesh, ()).moved(*centre_3)


def _traffic_cone() -> Solid:
    return join(block(22, 22, 2, 0.4), lathe([(9, 1.5), (2.2, 32), (1.8, 32.4)]))


def _party_hat() -> Solid:
    return join(lathe([(7, 0), (0.5, 19)]), ball(1.7, z=19.2))


def _bowling_pin() -> Solid:
    return lathe(
        spline(
            [(2.6, 0), (4.3, 4.5), (6.0, 11.5), (4.4, 20), (2.4, 25.5), (2.3, 28), (3.2, 33), (2.4, 36.5), (0.6, 38)]
        )
    )


def _skittle() -> Solid:
    return join(lathe(spline([(3.6, 0), (4.4, 6), (2.0, 15), (2.2, 17)])), ball(3.4, z=19.2))


def _diamond() -> Solid:
    """Cut as a brilliant, standing on its table."""
    levels = ((4.4, 0.0), (7.5, 3.2), (7.5, 3.8))
    points = [(r * math.cos(a), r * math.sin(a), z) for r, z in levels for a in np.linspace(0, 2 * np.pi, 8, False)]
    return hull([*points, (0, 0, 11.5)])


def _icosahedron() -> Solid:
    mesh = trimesh.creation.icosahedron()
    upright_44 = trimesh.geometry.align_vectors(mesh.face_normals[0], (0, 0, -1))
    return hull(trimesh.transform_points(mesh.vertices * 6, upright_44))


def _crystal() -> Solid:
    main = join(prism(regular(3.2, 6), 13), prism(regular(3.2, 6), 5, top=0.05).moved(z=13))
    leaning = join(prism(regular(2, 6), 8), prism(regular(2, 6), 3.4, top=0.05).moved(z=8)).turned(28, "y").moved(x=1.6)
    other = (
        join(prism(regular(1.7, 6), 6), prism(regular(1.7, 6), 3, top=0.05).moved(z=6)).turned(-35, "x").moved(y=1.5)
    )
    return join(cylinder(5, 2.2, 0.6, 12), main, leaning, other)


def _star(depth: float, inner: float, points: int) -> Solid:
    rim = regular(9, points, 90, inner * 9)
    kites = [(rim[2 * i - 1], rim[2 * i], rim[(2 * i + 1) % len(rim)], (0.0, 0.0)) for i in range(points)]
    return extrude(rim, depth, kites)


def _puffy_star() -> Solid:
    """A five-pointed star with a raised middle, standing on two points."""
    rim = [(x, 0.0, z) for x, z in regular(9, 5, 90, 4.0)]
    peaks = [(0.0, -2.6, 0.0), (0.0, 2.6, 0.0)]
    return join(*(hull([rim[2 * i - 1], rim[2 * i], rim[(2 * i + 1) % 10], *peaks]) for i in range(5)))


def _gear(teeth: int, radius: float, depth: float) -> Solid:
    """Lying flat, with a bore and lightening holes."""
    step = 2 * np.pi / teeth
    profile = ((-0.32, 0.82), (-0.18, 1.0), (0.18, 1.0), (0.32, 0.82))
    tooth = [
        [(radius * r * math.cos((i + a) * step), radius * r * math.sin((i + a) * step)) for a, r in profile]
        for i in range(teeth)
    ]
    body = extrude(
        [corner for corners in tooth for corner in corners], depth, [*tooth, regular(0.82 * radius, PIECE_SIDES)]
    )
    bore = rod((0, -depth, 0), (0, depth, 0), 0.2 * radius)
    holes = [rod((x, -depth, z), (x, depth, z), 0.13 * radius) for x, z in regular(0.52 * radius, 5)]
    return carve(body, bore, *holes).turned(90, "x")


def _nut() -> Solid:
    return carve(prism(regular(6, 6), 4.4), cylinder(3.2, 6).moved(z=-1))


def _bolt() -> Solid:
    threads = [lathe([(1.9, z), (2.3, z + 0.5), (1.9, z + 1.0)]).without_pieces() for z in np.arange(6.0, 15, 1.5)]
    return join(prism(regular(4.2, 6), 3.2), cylinder(2.1, 13.4).moved(z=3), *threads)


def _heart() -> Solid:
    t = np.linspace(0, 2 * np.pi, 49)[:-1]
    rim = np.stack(
        [16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)], axis=-1
    )
    rim = rim[::-1] * 0.5
    right = [point for point in rim if point[0] >= 0]
    left = [point for point in rim if point[0] <= 0]
    return extrude(rim, 5, [right, left])


def _cross() -> Solid:
    return join(block(4.4, 4.4, 14, 0.3), block(14, 4.4, 4.4, 0.3).moved(z=4.8), block(4.4, 14, 4.4, 0.3).moved(z=4.8))


def _moon() -> Solid:
    outer = regular(8, 48)
    inner = regular(6.4, 48) + np.array([4.2, 0])
    outside = [p for p in outer if np.hypot(*(p - (4.2, 0))) > 6.4]
    inside = [p for p in inner if np.hypot(*p) < 8]
    outside.sort(key=lambda p: math.atan2(p[1], p[0]) % (2 * math.pi))
    inside.sort(key=lambda p: -(math.atan2(p[1], p[0] - 4.2) % (2 * math.pi)))
    rim = np.array([*outside, *inside])
    marks = np.linspace(0, 1, 8)
    parts = [
        [
            _along(outside, a),
            _along(outside, (a + b) / 2),
            _along(outside, b),
            _along(inside, 1 - b),
            _along(inside, 1 - a),
        ]
        for a, b in itertools.pairwise(marks)
    ]
    return extrude(rim, 3.6, parts).turned(90, "x")


def _along(points: list[Points], share: float) -> Points:
    return points[round(share * (len(points) - 1))]


def _pyramid() -> Solid:
    steps = [block(side, side, 2.6, 0.1).moved(z=z) for side, z in ((18, 0), (13.6, 2.5), (9.2, 5.0), (4.8, 7.5))]
    return join(*steps)


def _spinning_top() -> Solid:
    return lathe(
        [
            (0.4, 0),
            (1.0, 1.2),
            *spline([(1.4, 2.2), (6.8, 6.4), (7.0, 7.6), (1.4, 9.6)]),
            (1.0, 9.8),
            (0.9, 13),
            (0.6, 13.4),
        ]
    )


def _spool() -> Solid:
    return lathe([(4.6, 0), (4.8, 0.4), (4.8, 1.4), (2.6, 2.6), (2.6, 9.4), (4.8, 10.6), (4.8, 11.6), (4.6, 12)])


def _drum() -> Solid:
    rims = [bend(8.9, 0.6, 0, 360, 1).turned(90, "x").moved(z=z).without_pieces() for z in (0.6, 12.4)]
    return join(cylinder(9.2, 13), *rims)


def _hourglass() -> Solid:
    plates = [cylinder(5.4, 1.2, 0.2).moved(z=z) for z in (0.0, 16.8)]
    posts = [rod((x, y, 1), (x, y, 17), 0.5) for x, y in regular(4.6, 3, 30)]
    return join(*plates, *posts, lathe(spline([(3.6, 1), (3.2, 4.5), (0.7, 9), (3.2, 13.5), (3.6, 17)])))


RECIPES = (
    variants("gift box", _gift_box)
    | variants("crate", _crate, tags=("box", "flat_top"))
    | variants(
        "cardboard box", lambda: block(22, 16, 14, 0.3), lambda: block(12, 12, 18, 0.2), tags=("box", "flat_top")
    )
    | variants("book", _book, tags=("box", "flat_top"))
    | variants("suitcase", _suitcase)
    | variants("brick", _brick, tags=("box", "flat_top"))
    | variants("toy brick", _toy_brick, tags=("flat_top",))
    | variants("die", _die, tags=("box", "flat_top"))
    | variants("traffic cone", _traffic_cone)
    | variants("party hat", _party_hat)
    | variants("bowling pin", _bowling_pin)
    | variants("skittle", _skittle)
    | variants("gem", _diamond, _icosahedron)
    | variants("crystal", _crystal)
    | variants("star", lambda: _star(4, 0.48, 5), lambda: _star(3.4, 0.62, 8), _puffy_star)
    | variants("gear", lambda: _gear(12, 9, 3), lambda: _gear(9, 7, 4.6))
    | variants("nut", _nut)
    | variants("bolt", _bolt)
    | variants("heart", _heart)
    | variants("cross", _cross)
    | variants("moon", _moon)
    | variants("step pyramid", _pyramid)
    | variants("spinning top", _spinning_top)
    | variants("spool", _spool, tags=("flat_top",))
    | variants("drum", _drum, tags=("flat_top",))
    | variants("hourglass", _hourglass, tags=("flat_top",))
    | variants("ring", lambda: bend(6.5, 2.4, 0, 360, 14))
)
