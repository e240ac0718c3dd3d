"""Small furniture, tools, food and other things of a home. Centimetres."""

from __future__ import annotations

import numpy as np

from data_gen.assets.recipe import variants
from data_gen.assets.solids import (
    Solid,
    ball,
    bend,
    block,
    carve,
    cylinder,
    egg,
    extrude,
    hull,
    join,
    lathe,
    prism,
    regular,
    rod,
    spline,
    vessel,
)


def _legs(x: float, y: float, height: float, radius: float, splay: float = 0.0) -> list[Solid]:
    """Four round legs under the corners (+-x, +-y), their feet further out by `splay`."""
    return [
        rod((a * (x + splay), b * (y + splay), 0), (a * x, b * y, height), 0.75 * radius, radius)
        for a in (-1, 1)
        for b in (-1, 1)
    ]


def _chair() -> Solid:
    seat = block(14, 14, 1.4, 0.3).moved(z=13)
    posts = [block(1.4, 1.4, 15, 0.1).moved(-6.2, y, 14) for y in (-6, 6)]
    rails = [block(1.0, 12, 2.6, 0.1).moved(x=-6.2, z=z) for z in (18.4, 25)]
    return join(seat, *posts, *rails, *_legs(5.8, 5.8, 13.4, 0.95, 0.6))


def _armchair() -> Solid:
    base = block(18, 18, 8, 0.8)
    arms = [block(16, 3.6, 12.6, 0.9).moved(1.0, y, 0) for y in (-8, 8)]
    return join(base, *arms, block(4.2, 18, 20, 1.0).moved(x=-8), block(12, 11.6, 2.6, 0.8).moved(x=0.8, z=7.6))


def _table() -> Solid:
    return join(block(30, 19, 1.4, 0.2).moved(z=15), block(26, 15, 1.8).moved(z=13.4), *_legs(12.2, 7, 14, 1.0))


def _round_table() -> Solid:
    column = lathe(spline([(6.6, 0), (2.0, 2.4), (1.4, 8), (2.4, 15)]))
    return join(column, cylinder(12, 1.4, 0.3).moved(z=14.6))


def _stool() -> Solid:
    rungs = [rod((-5, y, 5), (5, y, 5), 0.6) for y in (-5, 5)]
    return join(cylinder(7.6, 1.9, 0.4).moved(z=14.6), *_legs(4.2, 4.2, 15, 0.95, 1.4), *rungs)


def _bench() -> Solid:
    return join(block(32, 9, 1.6, 0.2).moved(z=10), *(block(1.8, 8, 10.4, 0.1).moved(x=x) for x in (-12.4, 12.4)))


def _cupboard() -> Solid:
    body = carve(block(17, 10, 26, 0.2), block(0.5, 2, 22).moved(y=-5, z=2))
    knobs = [ball(0.8, x, -5.2, 14) for x in (-1.6, 1.6)]
    return join(body, block(18.4, 11.4, 1.2, 0.2).moved(z=25.6), *knobs)


def _lamp() -> Solid:
    foot = lathe([(5.2, 0), (5.2, 0.8), *spline([(1.6, 1.6), (2.8, 6), (0.8, 12), (0.7, 17)])])
    return join(foot, lathe([(8, 14.6), (4.6, 25)]))


def _light_bulb() -> Solid:
    thread = [lathe([(1.7, z), (1.95, z + 0.4), (1.7, z + 0.8)]).without_pieces() for z in (1.2, 2.0, 2.8)]
    return join(
        lathe([(0.8, 0), (1.8, 1), (1.8, 4)]),
        lathe(spline([(1.8, 3.8), (2.2, 6), (4.2, 10), (3.6, 13.4), (0.5, 15)])),
        *thread,
    )


def _candlestick() -> Solid:
    foot = lathe(
        [
            (4.8, 0),
            (4.8, 0.8),
            *spline([(1.2, 1.8), (1.0, 4.6), (2.0, 6), (0.9, 8), (1.6, 9.6)]),
            (2.8, 10),
            (2.8, 10.6),
        ]
    )
    return join(foot, cylinder(1.2, 9).moved(z=10.4), rod((0, 0, 19), (0, 0, 20.4), 0.25))


def _bell() -> Solid:
    shell = lathe([*spline([(6.4, 0), (4.6, 3.4), (3.6, 8), (1.0, 10)])])
    return join(shell, lathe(spline([(1.0, 9.6), (0.9, 11), (1.5, 14.6), (0.7, 16)])))


def _lantern() -> Solid:
    posts = [rod((x, y, 1), (x, y, 14), 0.6) for x in (-3.6, 3.6) for y in (-3.6, 3.6)]
    roof = prism(regular(7.0, 4, 45), 4.4, top=0.3).moved(z=13.4)
    return join(
        block(10, 10, 1.6, 0.2), *posts, cylinder(2.2, 8).moved(z=1.4), roof, bend(1.2, 0.35, 0, 180, 2).moved(z=17.6)
    )


def _hammer() -> Solid:
    head = join(block(11, 3.2, 3.2, 0.4), rod((5, 0, 1.6), (7, 0, 1.6), 2.0), hull(_claw())).moved(z=26)
    return join(head, lathe(spline([(1.5, 0), (1.4, 8), (1.0, 18), (1.2, 28)]))).turned(90, "x").moved(z=2)


def _claw() -> list[tuple[float, float, float]]:
    return [(-5, y, z) for y in (-1.6, 1.6) for z in (0, 3.2)] + [(-9.4, y, z) for y in (-1.6, 1.6) for z in (0.0, 0.5)]


def _mallet() -> Solid:
    return join(rod((-6, 0, 0), (6, 0, 0), 4), rod((0, 0, -2), (0, 0, -25), 1.2)).turned(90, "x")


def _dumbbell() -> Solid:
    ends = [prism(regular(5.4, 6), 6).moved(z=-3).turned(90, "y").moved(x=x) for x in (-9, 9)]
    return join(rod((-9, 0, 0), (9, 0, 0), 1.5), *ends)


def _kettlebell() -> Solid:
    arch = join(
        bend(3.6, 1.1, 0, 180, 4).moved(z=14.6), *(rod((1.2 * x, 0, 10.4), (x, 0, 14.6), 1.3, 1.1) for x in (-3.6, 3.6))
    )
    return join(egg(6.6, 6.6, 6.4, 0.85).moved(z=5.4), arch)


def _anvil() -> Solid:
    horn = rod((5, 0, 10), (14.4, 0, 10.4), 2.2, 0.4)
    waist = prism(np.asarray(regular(1, 4, 45)) * (7, 4.6), 5.0, top=0.6).moved(z=2.6)
    return join(block(14, 9, 2.8, 0.3), waist, block(14, 6, 5, 0.3).moved(x=-1.4, z=7.2), horn)


def _padlock() -> Solid:
    keyhole = join(rod((0, -5, 5.4), (0, -1, 5.4), 0.9), block(0.9, 3, 3).moved(y=-2, z=2.4))
    body = carve(block(9, 4, 8.4, 0.8), keyhole)
    legs = [rod((x, 0, 8), (x, 0, 11), 0.85) for x in (-2.9, 2.9)]
    return join(body, *legs, bend(2.9, 0.85, 0, 180, 5).moved(z=10.8))


def _key() -> Solid:
    bits = [block(1.3, 1.2, 2.6).moved(x=x, z=-2.8) for x in (7.6, 9.8)]
    return join(bend(3.2, 0.8, 0, 360, 8).moved(x=-5), rod((-1.9, 0, 0), (11, 0, 0), 0.8), *bits).turned(90, "x")


def _horseshoe() -> Solid:
    return bend(6.6, 1.2, -60, 240, 10).stretched(1, 0.7, 1.1).turned(90, "x")


def _magnet() -> Solid:
    ends = [block(3.6, 3.6, 7, 0.2).moved(x=x) for x in (-5, 5)]
    rim = np.concatenate([regular(6.8, 48)[:25], regular(3.2, 48)[24::-1]])
    arc = extrude(
        rim, 3.6, [np.concatenate([regular(6.8, 48)[k : k + 5], regular(3.2, 48)[k : k + 5]]) for k in range(0, 24, 4)]
    )
    return join(arc.moved(z=6.9), *ends)


def _trophy() -> Solid:
    cup = carve(
        lathe(spline([(0.9, 9), (3.4, 11), (5.4, 16), (5.8, 21)])),
        lathe(spline([(2.6, 12.5), (4.8, 16), (5.2, 21.01)])),
    )
    handles = [bend(2.8, 0.55, -100, 100, 4).moved(x=4.8, z=16.4).turned(turn, "z") for turn in (0, 180)]
    return join(block(8, 8, 4, 0.4), lathe(spline([(2.8, 3.8), (0.9, 6), (0.9, 9.4)])), cup, *handles)


def _camera() -> Solid:
    lens = lathe([(3.6, 0), (3.6, 4), (3.2, 4.4), (3.2, 6)]).turned(90, "x").moved(y=-2.4, z=4.6)
    return join(
        block(14, 5.4, 9, 0.6), lens, block(5, 4.4, 1.8, 0.4).moved(z=8.6), cylinder(1.1, 1.0).moved(x=-4.8, z=8.8)
    )


def _radio() -> Solid:
    grille = [block(0.5, 1, 6).moved(x=x, y=-3.2, z=2.6) for x in np.arange(-8.2, -0.8, 1.2)]
    dial = rod((5, -2, 6.6), (5, -3.9, 6.6), 2.4)
    return join(
        carve(block(20, 6, 11, 0.9), *grille),
        dial,
        rod((7.6, 0, 10), (10.4, 0, 20), 0.35),
        bend(4.6, 0.6, 0, 180, 4).stretched(1, 1, 0.6).moved(x=-3, z=10.8),
    )


def _television() -> Solid:
    body = carve(block(22, 13, 16, 0.9).moved(z=3), block(15, 2, 11, 0.1).moved(x=-2.2, y=-6.6, z=5.6))
    aerials = [rod((0, 0, 18.6), (x, 0, 27), 0.35) for x in (-6, 6)]
    knobs = [rod((8.4, -6, z), (8.4, -7.4, z), 1.0) for z in (11, 15)]
    return join(body, *aerials, *knobs, *_legs(8, 4, 3.6, 0.8))


def _alarm_clock() -> Solid:
    feet = [rod((3.6 * s, 2.2 * t, 0), (2.6 * s, 0.8 * t, 3), 0.6) for s in (-1, 1) for t in (-1, 1)]
    bells = [egg(2.3, 2.3, 1.7).turned(30 * s, "y").moved(4.0 * s, 0, 13.4) for s in (-1, 1)]
    face = lathe([(6, -2.6), (6, 2.6), (5.4, 2.9), (5.0, 2.3)]).turned(90, "x").moved(z=7.6)
    return join(face, *feet, *bells, bend(2.4, 0.4, 0, 180, 3).moved(z=13.6), rod((0, -2.2, 7.6), (0, -2.8, 7.6), 0.7))


def _hat() -> Solid:
    return lathe([(10, 0), (10, 0.9), (6.2, 1.2), (5.8, 9), (6.4, 13), (6.2, 13.4)])


def _crown() -> Solid:
    spike = hull([(r, y, 4.6) for r in (5.9, 6.6) for y in (-2.3, 2.3)] + [(6.9, 0, 9.2)])
    tipped = join(spike, ball(0.7, 6.9, 0, 8.9)).visual
    spikes = [Solid(tipped, hull(tipped.vertices).pieces).turned(360 * k / 7, "z") for k in range(7)]
    return join(vessel([(6.4, 0), (6.7, 5)], [(5.7, 0.6), (5.9, 5)], sectors=8), *spikes)


def _apple() -> Solid:
    body = lathe(spline([(1.6, 0), (3.4, 0.5), (5.2, 5), (4.6, 8), (2.6, 9.4), (0.9, 8.6)]))
    return join(body, rod((0, 0, 8), (0.9, 0, 11), 0.3))


def _pear() -> Solid:
    return join(
        lathe(spline([(1.6, 0), (4.0, 1.4), (4.9, 4.6), (2.6, 9.4), (1.9, 11.4), (0.6, 12.6)])),
        rod((0, 0, 12), (0.8, 0, 14.6), 0.3),
    )


def _pumpkin() -> Solid:
    lobe = egg(4.0, 4.1, 5.4, 0.85)
    return join(
        *(lobe.moved(x=4.2).turned(60 * k, "z").moved(z=4.6) for k in range(6)),
        egg(5, 5, 4.6).moved(z=4.6).without_pieces(),
        rod((0, 0, 8), (1.0, 0, 12), 1.2, 0.8),
    )


def _mushroom() -> Solid:
    return join(
        lathe(spline([(2.8, 0), (2.4, 3), (2.0, 8)])),
        lathe([(4.6, 7.2), *spline([(6.4, 7.6), (6.0, 10), (3.6, 12.6), (0.6, 13.4)])]),
    )


def _carrot() -> Solid:
    leaves = [rod((11.6, 0, 0), (16, y, z), 0.8, 0.4) for y, z in ((-2, 0.6), (2, 0.6), (0, 2.2), (0, -0.4))]
    return join(
        lathe(spline([(0.3, 0), (1.4, 5), (2.6, 18), (2.3, 19.6), (0.8, 20.4)])).turned(90, "y").moved(x=-8), *leaves
    )


def _cake() -> Solid:
    tiers = [cylinder(radius, 5, 0.5).moved(z=z) for radius, z in ((9, 1), (6.6, 5.8), (4.2, 10.6))]
    return join(cylinder(10.4, 1.2, 0.3), *tiers, ball(1.3, z=16.4))


def _cupcake() -> Solid:
    case = prism(np.asarray(regular(1.0, 20, inner=0.92)) * 3.4, 5, top=1.36)
    swirl = lathe([(5.0, 5), (5.2, 6.2), (4.2, 7.2), (4.3, 7.8), (3.1, 8.8), (3.1, 9.4), (1.6, 10.4), (0.3, 12)])
    return join(case, swirl, ball(1.2, z=12))


def _ice_cream() -> Solid:
    cone = join(
        lathe([(2.6, 0), (2.3, 3.4), (3.6, 3.6), (4.0, 6.4)]),
        bend(3.9, 0.4, 0, 360, 1).turned(90, "x").moved(z=6.2).without_pieces(),
    )
    scoops = (ball(3.7, z=8.4), ball(3.1, z=13))
    return join(cone, *scoops, ball(0.9, z=16.4))


def _cheese() -> Solid:
    holes = [
        ball(1.5, 2, -3.0, 4.6),
        ball(1.1, -4, -3.6, 2.4),
        ball(1.3, -1, 3.4, 5.4),
        ball(1.1, 0.5, 0, 7.2),
        ball(1.2, 6, -2.4, 2.4),
    ]
    wedge = extrude([(-8, -4.6), (10, 0), (-8, 4.6)], 7.2).turned(-90, "x").moved(z=3.6)
    return carve(wedge, *holes)


def _bone() -> Solid:
    knobs = [ball(2.1, x, y, 0) for x in (-7.4, 7.4) for y in (-1.7, 1.7)]
    return join(rod((-7.4, 0, 0), (7.4, 0, 0), 1.5), *knobs)


def _soap_dish() -> Solid:
    return join(
        hull([(x * s, y * s, z) for s, z in ((0.8, 0), (1, 1.6)) for x in (-7, 7) for y in (-4.6, 4.6)]),
        egg(4.8, 3.2, 1.8).moved(z=2.4),
    )


RECIPES = (
    variants("chair", _chair)
    | variants("armchair", _armchair)
    | variants("table", _table, _round_table, tags=("flat_top",))
    | variants("stool", _stool, tags=("flat_top",))
    | variants("bench", _bench, tags=("flat_top",))
    | variants("cupboard", _cupboard, tags=("flat_top",))
    | variants("lamp", _lamp)
    | variants("light bulb", _light_bulb)
    | variants("candlestick", _candlestick)
    | variants("bell", _bell)
    | variants("lantern", _lantern)
    | variants("hammer", _hammer)
    | variants("mallet", _mallet)
    | variants("dumbbell", _dumbbell)
    | variants("kettlebell", _kettlebell)
    | variants("anvil", _anvil)
    | variants("padlock", _padlock)
    | variants("key", _key)
    | variants("horseshoe", _horseshoe)
    | variants("magnet", _magnet)
    | variants("trophy", _trophy)
    | variants("camera", _camera)
    | variants("radio", _radio)
    | variants("television", _television)
    | variants("alarm clock", _alarm_clock)
    | variants("top hat", _hat)
    | variants("crown", _crown)
    | variants("apple", _apple)
    | variants("pear", _pear)
    | variants("pumpkin", _pumpkin)
    | variants("mushroom", _mushroom)
    | variants("carrot", _carrot)
    | variants("cake", _cake)
    | variants("cupcake", _cupcake)
    | variants("ice cream", _ice_cream)
    | variants("cheese", _cheese)
    | variants("bone", _bone)
    | variants("soap dish", _soap_dish)
)
