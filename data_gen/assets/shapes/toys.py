"""Vehicles, animals, chess pieces and other toys. Centimetres."""

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
)


def _wheels(radius: float, width: float, axles: tuple[float, ...], track: float) -> list[Solid]:
    """Pairs of wheels on the floor at these places along x; `track` is the distance between their middles."""
    hub = [(radius * 0.45, 0), (radius * 0.5, 0.25), (radius * 0.9, 0.25), (radius, 0.5), (radius, width)]
    wheel = Solid(lathe(hub, 32).visual, cylinder(radius, width).pieces).turned(90, "x").moved(y=width / 2, z=radius)
    right = wheel.moved(y=-track / 2)
    left = wheel.turned(180, "z").moved(y=track / 2)
    return [side.moved(x=x) for x in axles for side in (right, left)]


def _car() -> Solid:
    lower = [(-9.5, 1.4), (9.5, 1.4), (9.8, 3.6), (9.0, 4.6), (-9.4, 4.8), (-9.8, 2.6)]
    cabin = hull([(x, y, z) for x, y, z in _cabin((-7.4, 4.6), (-5.2, 2.0), 3.9, 3.2, 4.4, 7.6)])
    return join(extrude(lower, 8.4), cabin, *_wheels(2.1, 1.8, (-5.8, 5.8), 7.8))


def _cabin(
    low: tuple[float, float], high: tuple[float, float], half_low: float, half_high: float, z0: float, z1: float
) -> list[tuple[float, float, float]]:
    """Corners of a cab that narrows towards its roof."""
    return [(x, y * s, z) for ends, y, z in ((low, half_low, z0), (high, half_high, z1)) for x in ends for s in (-1, 1)]


def _truck() -> Solid:
    cab = hull(_cabin((4.6, 10.6), (4.8, 9.4), 4.2, 3.8, 1.6, 9.4))
    bed = block(15.4, 9, 8.4, 0.3).moved(x=-3.6, z=3.0)
    return join(cab, bed, block(20, 6, 1.6).moved(z=1.6), *_wheels(2.2, 1.8, (-8, -3, 7.4), 8.0))


def _bus() -> Solid:
    body = block(24, 8.4, 9.2, 0.9).moved(z=1.2)
    windows = [block(3.0, 9, 2.8).moved(x=x, z=5.8) for x in (-9, -5, -1, 3, 7)]
    core = block(22, 7.6, 8).moved(z=1.8).without_pieces()
    return join(carve(body, *windows), core, *_wheels(2.1, 1.6, (-7.5, 7.5), 7.8))


def _locomotive() -> Solid:
    boiler = rod((-3, 0, 5.4), (8.4, 0, 5.4), 3.0)
    cab = join(block(6.4, 7.6, 9, 0.2).moved(x=-5.6, z=2), block(7.4, 8.6, 0.9, 0.2).moved(x=-5.6, z=10.6))
    chimney = lathe([(1.0, 7.8), (1.0, 10.4), (1.9, 12.2), (1.9, 12.6)]).moved(x=6)
    dome = join(cylinder(1.2, 1.4), ball(1.2, z=1.4)).moved(x=1.6, z=7.8)
    plow = hull([(8.6, -3, 1.6), (8.6, 3, 1.6), (11, 0, 1.0), (8.6, -3, 3), (8.6, 3, 3)])
    return join(boiler, cab, chimney, dome, plow, block(18, 5.6, 1.8).moved(z=1.6), *_wheels(1.9, 1.4, (-6, 0, 6), 6.2))


def _aeroplane() -> Solid:
    fuselage = lathe(spline([(0.5, -14), (1.4, -9), (2.4, 0), (2.2, 7), (0.4, 11)])).turned(90, "y").moved(z=4)
    wing = extrude([(-1, -15), (2.4, -15), (3.4, 0), (2.4, 15), (-1, 15), (-2.4, 0)], 0.9).turned(90, "x").moved(z=3.6)
    tail = extrude([(-13.6, -5), (-11.6, -5), (-10.4, 0), (-11.6, 5), (-13.6, 5)], 0.6).turned(90, "x").moved(z=4.2)
    fin = extrude([(-14, 4), (-10, 4), (-12.4, 9), (-14.2, 9)], 0.6)
    gear = [join(rod((2, 0, 4), (2, y, 1.2), 0.4), rod((2, y - 0.5, 1.2), (2, y + 0.5, 1.2), 1.2)) for y in (-3, 3)]
    return join(fuselage, wing, tail, fin, *gear, rod((-12, 0, 4), (-12, 0, 0.6), 0.45))


def _rocket() -> Solid:
    body = lathe(spline([(2.6, 3), (4.0, 9), (4.0, 17), (2.4, 24), (0.3, 29)]))
    fin = extrude([(2.8, 4), (7.2, 0), (7.2, 3.4), (3.6, 11)], 0.9)
    window = rod((0, -4.4, 17), (0, -3.2, 17), 1.9, 1.5)
    return join(body, lathe([(2.9, 1.4), (1.8, 3.4)]), window, *(fin.turned(90 * k + 45, "z") for k in range(4)))


def _boat() -> Solid:
    deck = [(-11, 4.4), (3, 4.6), (12, 0), (3, -4.6), (-11, -4.4)]
    keel = [(-9.4, 2.6), (2, 3.0), (8, 0), (2, -3.0), (-9.4, -2.6)]
    shell = hull([(x, y, 4.6) for x, y in deck] + [(x, y, 0) for x, y in keel])
    cabin = join(block(9, 5.4, 3.4, 0.3).moved(x=-3.4, z=4.2), block(10, 6.2, 0.8, 0.2).moved(x=-3.4, z=7.4))
    return join(shell, cabin, rod((-3.4, 0, 7.6), (-4.4, 0, 12), 1.4))


def _sailing_boat() -> Solid:
    shell = hull([(x, y, 3.6) for x, y in ((-9, 3), (0, 3.6), (10, 0), (0, -3.6), (-9, -3))] + [(-7, 0, 0), (5, 0, 0)])
    foot = block(9, 3.6, 0.8).moved(x=-0.6)
    sail = extrude([(-8, 5.6), (-0.6, 5.2), (-0.6, 23)], 0.7)
    jib = extrude([(0.6, 5.2), (8.4, 5.4), (0.6, 19)], 0.7)
    return join(shell, foot, sail, jib, rod((0, 0, 2), (0, 0, 24), 0.7))


def _duck() -> Solid:
    body = egg(8.4, 6.2, 5.4, flat=0.8).moved(z=4.3)
    tail = hull([(-6, -3, 5), (-6, 3, 5), (-5, 0, 8), (-11, -1, 9.6), (-11, 1, 9.6), (-6, 0, 3.6)])
    bill = egg(2.6, 2.2, 0.9).moved(x=8.2, z=11.6)
    wings = [egg(4.4, 1.6, 3.0).moved(-1.0, y, 5.4) for y in (-5.2, 5.2)]
    return join(body, tail, ball(4.2, 4.2, 0, 12.0), bill, *wings)


def _bear() -> Solid:
    limbs = [egg(2.2, 2.2, 3.6).turned(35 * s, "x").moved(1.2, 5.4 * s, 9.6) for s in (-1, 1)]
    limbs += [egg(4.0, 2.3, 2.3, 0.85).moved(3.4, 3.6 * s, 2.0) for s in (-1, 1)]
    ears = [ball(1.9, 0, 3.6 * s, 20.4) for s in (-1, 1)]
    head = join(ball(4.8, 0.4, 0, 16.8), egg(2.2, 2.0, 1.7).moved(4.6, 0, 15.8))
    return join(egg(5.2, 5.4, 6.6, 0.92).moved(z=6.1), head, *limbs, *ears)


def _rabbit() -> Solid:
    ears = [egg(1.0, 1.5, 5.2).turned(9 * -s, "x").moved(-0.4, 1.9 * s, 19.6) for s in (-1, 1)]
    feet = [egg(3.4, 1.7, 1.3, 0.8).moved(3.0, 2.8 * s, 1.0) for s in (-1, 1)]
    body = egg(5.0, 4.6, 6.0, 0.9).moved(z=5.4)
    return join(body, ball(3.9, 1.0, 0, 13.0), ball(1.9, -5.0, 0, 3.4), *ears, *feet)


def _snowman() -> Solid:
    hat = join(cylinder(3.6, 0.7, 0.2).moved(z=22.6), cylinder(2.4, 4.4, 0.2).moved(z=23))
    nose = rod((2.6, 0, 20.4), (6.4, 0, 20.2), 0.7, 0.1)
    arms = [rod((0, 4 * s, 13.4), (0, 9.6 * s, 16.4), 0.5) for s in (-1, 1)]
    return join(egg(6.4, 6.4, 6.2, 0.85).moved(z=5.2), ball(4.7, z=13), ball(3.4, z=19.6), nose, hat, *arms)


def _fish() -> Solid:
    body = egg(9, 2.8, 5)
    tail = extrude(
        [(-13, -5), (-8, 0), (-13, 5), (-11.6, 0)],
        1.4,
        [[(-13, -5), (-8, 0), (-11.6, 0)], [(-13, 5), (-11.6, 0), (-8, 0)]],
    )
    fin = extrude([(-4, 3), (3, 4), (-1, 8), (-5, 7)], 1.0)
    return join(body, tail, fin, block(7, 6, 1.0, 0.3).moved(z=-6.2), block(2.4, 1.8, 2.6).moved(z=-6))


def _elephant() -> Solid:
    legs = [rod((x, y, 0), (x, y, 7), 1.9) for x in (-4.4, 4.0) for y in (-2.7, 2.7)]
    trunk = join(rod((10.4, 0, 12), (13, 0, 6.6), 1.7, 1.2), rod((13, 0, 6.8), (14.6, 0, 4.4), 1.2, 0.9))
    ears = [egg(0.8, 3.4, 4.0).turned(22 * s, "z").moved(6.4, 4.4 * s, 13) for s in (-1, 1)]
    return join(
        egg(8, 5.2, 5.4).moved(z=9.4), ball(4.2, 8.0, 0, 13), trunk, *ears, *legs, rod((-7.4, 0, 10), (-9.6, 0, 6), 0.5)
    )


def _robot() -> Solid:
    arms = [join(block(2.2, 2.0, 8, 0.3).moved(0, 6 * s, 8.4), ball(1.5, 0, 6 * s, 8)) for s in (-1, 1)]
    legs = [
        join(block(3, 3, 6.6, 0.3).moved(y=2.6 * s), block(5.6, 3.6, 1.8, 0.3).moved(1, 2.6 * s, 0)) for s in (-1, 1)
    ]
    head = join(block(6.2, 7.4, 6, 0.5).moved(z=17.2), rod((0, 0, 23), (0, 0, 26), 0.4), ball(1.0, z=26.2))
    eyes = [rod((2.6, 1.7 * s, 20.8), (3.7, 1.7 * s, 20.8), 1.1) for s in (-1, 1)]
    return join(block(6.4, 9.4, 10.6, 0.5).moved(z=6.4), head, rod((0, 0, 16), (0, 0, 18), 1.6), *eyes, *arms, *legs)


def _house() -> Solid:
    walls = carve(
        block(16, 12, 10),
        block(3, 2, 6).moved(y=-6),
        block(2.8, 2, 2.8).moved(x=5, y=-6, z=4.4),
        block(2.8, 2, 2.8).moved(x=-5, y=-6, z=4.4),
    )
    roof = extrude([(-7.4, 9.8), (7.4, 9.8), (0, 17)], 18.4).turned(90, "z")
    return join(walls, roof, block(2.4, 2.4, 6.4).moved(x=4.4, y=2.6, z=11.4))


def _castle_tower() -> Solid:
    crown = [block(2.7, 2.4, 2.8).moved(x=5.2).turned(60 * k, "z").moved(z=24) for k in range(6)]
    windows = [block(1.6, 12, 4).moved(z=13).turned(turn, "z") for turn in (0, 90)]
    tower = carve(lathe([(6.4, 0), (5.2, 3), (5.2, 20), (6.6, 22), (6.6, 24.4)]), *windows)
    return join(tower, cylinder(4.4, 18).without_pieces(), *crown)


def _windmill() -> Solid:
    tower = lathe([(5.6, 0), (3.6, 17)])
    cap = lathe(spline([(4.2, 16.6), (3.8, 18.4), (0.6, 21)]))
    blade = block(2.6, 0.6, 11.4, 0.1).moved(x=0.9, z=0.4)
    cross = join(rod((0, 3, 0), (0, -1, 0), 0.9), *(blade.turned(90 * k + 20, "y") for k in range(4)))
    return join(tower, cap, cross.moved(y=-5, z=17.6))


def _lighthouse() -> Solid:
    tower = lathe([(6.4, 0), (6.4, 1.6), (4.8, 1.8), (3.2, 20), (4.6, 20.2), (4.6, 21.4)])
    lamp = lathe([(2.4, 21.2), (2.4, 25), (3.4, 25.1), (3.2, 25.6), (0.4, 29)])
    return join(tower, lamp)


def _fir_tree() -> Solid:
    tiers = [
        lathe([(radius, z), (radius * 0.18, z + height)])
        for radius, z, height in ((8, 4, 9), (6.4, 9, 8.4), (4.6, 14.4, 8.6))
    ]
    return join(cylinder(1.7, 6), cylinder(4.2, 1.0, 0.3), *tiers)


def _tree() -> Solid:
    crown = [
        ball(5.6, 0, 0, 17),
        ball(4.2, 4, 1, 13.6),
        ball(4.4, -3.6, -1.6, 14),
        ball(3.8, 0, 3.6, 13.4),
        ball(3.6, 0.6, -4.2, 13.8),
    ]
    return join(lathe([(3.2, 0), (1.5, 2), (1.3, 12)]), *crown)


def _pawn() -> Solid:
    return join(
        _chess_foot(),
        lathe(spline([(2.6, 2.6), (1.5, 6), (1.3, 8.4)])),
        cylinder(2.3, 0.8, 0.2).moved(z=8.2),
        ball(2.2, z=10.6),
    )


def _chess_foot() -> Solid:
    return lathe([(3.6, 0), (3.7, 0.8), (3.2, 1.4), (3.2, 2.0), (2.6, 2.8)])


def _rook() -> Solid:
    body = lathe([(2.6, 2.6), (2.0, 4), (1.9, 9), (2.9, 10), (2.9, 13)])
    notches = [block(8, 1.1, 3).moved(z=11.8).turned(60 * k, "z") for k in range(3)]
    return join(_chess_foot(), carve(body, cylinder(1.7, 3).moved(z=11.4), *notches))


def _bishop() -> Solid:
    body = lathe(spline([(2.6, 2.6), (1.5, 6), (1.2, 11)]))
    head = carve(
        lathe(spline([(1.3, 11.6), (2.3, 13.6), (0.4, 17.6)])), block(4, 0.7, 5).turned(32, "x").moved(y=2.0, z=13.4)
    )
    return join(_chess_foot(), body, cylinder(2.4, 0.9, 0.2).moved(z=10.9), head, ball(0.8, z=18))


def _king() -> Solid:
    body = lathe(spline([(2.6, 2.6), (1.7, 7), (1.4, 14)]))
    crown = lathe([(1.7, 14.4), (2.7, 18.4), (1.2, 19.4)])
    cross = join(block(0.9, 0.9, 3.6).moved(z=19), block(2.8, 0.9, 0.9).moved(z=20.6))
    return join(_chess_foot(), body, cylinder(2.6, 1.0, 0.2).moved(z=13.6), crown, cross)


def _knight() -> Solid:
    neck = [(-2.2, 2.4), (2.4, 2.4), (1.0, 7.4), (-2.6, 9.6), (-3.0, 6)]
    head = [(-2.9, 7), (0.6, 7.2), (3.6, 7.4), (4.2, 9.2), (1.0, 12.6), (-0.8, 14.2), (-2.0, 12.6)]
    return join(_chess_foot(), extrude(neck, 2.8), extrude(head, 2.2))


def _ring_stacker() -> Solid:
    rings = [
        bend(radius, 1.7, 0, 360, 1).turned(90, "x").moved(z=z)
        for radius, z in ((4.9, 3.2), (4.1, 5.8), (3.3, 8.4), (2.5, 11.0))
    ]
    return join(
        cylinder(6.6, 2, 0.5),
        lathe([(4.9, 1.8), (2.3, 11)]),
        rod((0, 0, 10), (0, 0, 13), 1.6),
        ball(2.2, z=13.6),
        *rings,
    )


def _rocking_horse() -> Solid:
    rockers = [bend(15, 0.6, 236, 304, 4).moved(y=y, z=15.6) for y in (-3, 3)]
    legs = [rod((x, y, 1.4), (0.6 * x, 0.6 * y, 8), 0.9) for x in (-6, 6) for y in (-3, 3)]
    neck = extrude([(2, 9), (6, 9), (8.4, 16), (5.4, 17)], 2.6)
    head = extrude([(5.4, 17), (6.4, 14), (11.4, 13), (11.6, 15), (7.4, 18.6)], 2.4)
    return join(
        egg(6.8, 3.0, 3.0).moved(z=9.4), neck, head, rod((-5.6, 0, 10), (-9.4, 0, 6.4), 1.0, 0.5), *rockers, *legs
    )


def _dinosaur() -> Solid:
    tail = join(rod((-3, 0, 8), (-10, 0, 5.4), 3.2, 1.6), rod((-9.6, 0, 5.5), (-15.4, 0, 6.4), 1.7, 0.4))
    neck = rod((3, 0, 9.4), (9.4, 0, 18), 2.6, 1.6)
    legs = [rod((x, y, 0), (x, y, 7), 1.7) for x in (-3.6, 4.0) for y in (-2.6, 2.6)]
    plates = [
        extrude(regular(1.9, 3, 90) + np.array([x, z]), 0.7)
        for x, z in ((-8, 7.6), (-4.6, 11.2), (-1, 12.8), (2.6, 12.8))
    ]
    return join(egg(7, 4.4, 4.6).moved(z=8.6), tail, neck, egg(3.0, 1.9, 1.8).moved(x=10.8, z=18.8), *legs, *plates)


def _cube_tower() -> Solid:
    cubes = [
        block(side, side, side, 0.2).turned(turn, "z").moved(z=z)
        for side, turn, z in ((9, 0, 0), (7, 24, 8.95), (5, 50, 15.9))
    ]
    return join(*cubes, prism(regular(3.4, 4, 45), 4.4, top=0.05).moved(z=20.85))


RECIPES = (
    variants("toy car", _car)
    | variants("toy truck", _truck)
    | variants("toy bus", _bus)
    | variants("toy train", _locomotive)
    | variants("toy aeroplane", _aeroplane)
    | variants("toy rocket", _rocket)
    | variants("toy boat", _boat, _sailing_boat)
    | variants("rubber duck", _duck)
    | variants("toy bear", _bear)
    | variants("toy rabbit", _rabbit)
    | variants("toy fish", _fish)
    | variants("toy elephant", _elephant)
    | variants("toy dinosaur", _dinosaur)
    | variants("rocking horse", _rocking_horse)
    | variants("snowman", _snowman)
    | variants("toy robot", _robot)
    | variants("toy house", _house)
    | variants("toy tower", _castle_tower, _cube_tower)
    | variants("toy windmill", _windmill)
    | variants("toy lighthouse", _lighthouse)
    | variants("toy tree", _fir_tree, _tree)
    | variants("chess pawn", _pawn)
    | variants("chess rook", _rook)
    | variants("chess bishop", _bishop)
    | variants("chess knight", _knight)
    | variants("chess king", _king)
    | variants("ring stacker", _ring_stacker)
)
