"""Things that hold something: bottles, jars, vases, mugs, bowls, cans. Centimetres."""

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
    join,
    lathe,
    prism,
    regular,
    rod,
    spline,
    vessel,
)


def _band(radius: float, thickness: float) -> Solid:
    """A horizontal hoop to look at."""
    return bend(radius, thickness, 0, 360, 1).turned(90, "x").without_pieces()


def _wine_bottle() -> Solid:
    body = [(3.4, 0), (3.8, 0.6), (3.8, 18), *spline([(3.8, 18), (3.4, 20.5), (1.8, 24), (1.45, 26)])[1:], (1.45, 30)]
    return lathe([*body, (1.7, 30.05), (1.7, 31.6), (1.5, 31.8)])


def _water_bottle() -> Solid:
    ribs = [(3.0, 0), (3.3, 0.5), (3.3, 5.8), (2.9, 6.8), (2.9, 9.2), (3.3, 10.2), (3.3, 14)]
    return lathe([*ribs, (1.5, 17.6), (1.5, 18.4), (1.9, 18.5), (1.9, 20.6), (1.7, 20.8)])


def _sauce_bottle() -> Solid:
    body = spline([(2.9, 0.3), (3.3, 2), (3.4, 9), (2.5, 13.5), (2.2, 15)])
    return lathe([(2.6, 0), *body, (2.6, 15.1), (2.6, 16.8), (1.2, 17.2), (0.5, 20.5)])


def _milk_bottle() -> Solid:
    return lathe(
        [(3.8, 0), (4.3, 0.6), *spline([(4.3, 12), (3.9, 14), (2.3, 18), (2.1, 20.5)]), (2.7, 20.8), (2.7, 22.4)]
    )


def _flat_bottle() -> Solid:
    return join(block(9, 4.6, 13, 0.9), cylinder(1.5, 4).moved(z=12), cylinder(1.9, 2.6, 0.2).moved(z=15))


def _flask() -> Solid:
    return lathe([(5.0, 0), (5.5, 0.7), (1.7, 10), (1.7, 13.6), (2.2, 13.8), (2.2, 14.3)])


def _lidded_jar() -> Solid:
    return lathe([(3.9, 0), (4.4, 0.6), (4.4, 8.8), (3.7, 9.8), (3.7, 10.2), (4.1, 10.2), (4.1, 12.2), (3.9, 12.4)])


def _round_jar() -> Solid:
    body = spline([(3.6, 0), (6.4, 6), (6.0, 10), (3.6, 13)])
    return lathe(
        [*body, (4.4, 13.1), (4.3, 13.9), *spline([(3.6, 14.6), (1.0, 15.6), (0.8, 16)]), (1.3, 16.6), (0.9, 17.4)]
    )


def _belly_vase() -> Solid:
    body = lathe(spline([(4, 0), (5.2, 1.5), (8.2, 11), (6.8, 17), (3.0, 22), (2.9, 24), (4.4, 27)]))
    return carve(body, lathe([(2.0, 23), (2.3, 24.2), (3.9, 27.01)]))


def _flared_vase() -> Solid:
    outer = [(4.2, 0), (3.4, 5), (5.6, 16), (9.0, 26)]
    return vessel(outer, [(2.8, 1.5), (2.7, 5), (4.9, 16), (8.5, 26)], sectors=5, rounded=True)


def _double_vase() -> Solid:
    body = lathe(spline([(3.4, 0), (7.0, 6), (3.4, 12), (4.9, 16), (2.4, 20), (2.2, 23), (3.2, 25)]))
    return carve(body, lathe([(1.6, 22), (2.8, 25.01)]))


def _twisted_vase() -> Solid:
    body = prism(regular(6.5, 6), 24, twist=70, top=0.62)
    return carve(body, cylinder(3.0, 4).moved(z=21))


def _straight_mug() -> Solid:
    body = vessel([(3.8, 0), (4.1, 9.6)], [(3.4, 0.7), (3.7, 9.6)])
    return join(body, bend(2.7, 0.55, -90, 90, 4).moved(x=3.8, z=4.9))


def _round_mug() -> Solid:
    body = vessel([(3.0, 0), (5.0, 4), (4.4, 8.5)], [(2.5, 0.8), (4.5, 4), (4.0, 8.5)], sectors=6, rounded=True)
    return join(body, bend(2.3, 0.5, -100, 100, 3).moved(x=4.5, z=4.6))


def _stein() -> Solid:
    body = vessel([(5.2, 0), (4.4, 15)], [(4.5, 1.2), (3.8, 15)], sectors=8)
    foot = lathe([(5.6, 0), (5.6, 1.0), (5.2, 1.4)])
    handle = join(bend(4.2, 0.8, -60, 60, 3).moved(x=3.6, z=7.6), rod((4.2, 0, 4.0), (6.1, 0, 4.0), 0.8))
    return join(body, foot, handle, rod((4.2, 0, 11.2), (6.1, 0, 11.2), 0.8))


def _paper_cup() -> Solid:
    body = vessel([(3.0, 0), (4.4, 11.6)], [(2.7, 0.7), (4.1, 11.6)], sectors=14)
    return join(body, _band(4.25, 0.28).moved(z=11.4))


def _tea_cup() -> Solid:
    body = vessel([(2.0, 0), (4.0, 2.6), (5.0, 6.4)], [(1.7, 0.9), (3.5, 2.8), (4.6, 6.4)], sectors=6, rounded=True)
    return join(body, bend(1.7, 0.4, -110, 110, 3).moved(x=4.6, z=4.0))


def _bowl() -> Solid:
    outer = [(3.2, 0), (6.6, 3.0), (8.2, 7.2)]
    return vessel(outer, [(2.6, 1.0), (5.9, 3.4), (7.7, 7.2)], sectors=7, rounded=True)


def _wide_bowl() -> Solid:
    body = vessel([(4.2, 1.0), (12.5, 7.0)], [(3.6, 2.0), (11.8, 7.0)], sectors=12)
    return join(body, lathe([(5.0, 0), (4.0, 1.4)]))


def _deep_bowl() -> Solid:
    outer = [(4.5, 0), (8.4, 5.0), (7.4, 11)]
    return vessel(outer, [(3.8, 1.0), (7.7, 5.0), (6.8, 11)], sectors=7, rounded=True)


def _plate() -> Solid:
    return vessel([(6.4, 0), (8.4, 1.2), (12.4, 2.6)], [(6.0, 0.8), (8.0, 1.9), (12.2, 3.2)], sectors=7)


def _teapot() -> Solid:
    body = lathe(spline([(4.2, 0), (7.2, 4), (6.6, 8), (3.4, 11)]))
    lid = lathe([(3.6, 10.9), (3.4, 11.6), (1.0, 12.6), (0.7, 12.9), (1.2, 13.6), (0.8, 14.4)])
    spout = join(rod((5.8, 0, 3.6), (9.6, 0, 7.6), 1.7, 1.1), rod((9.4, 0, 7.2), (11.2, 0, 10.6), 1.15, 0.8))
    return join(body, lid, spout, bend(3.6, 0.7, 75, 285, 5).moved(x=-6.0, z=6.4))


def _jug() -> Solid:
    body = lathe(spline([(5, 0), (7.2, 7), (6.0, 13), (4.2, 18), (5.0, 22)]))
    body = carve(body, lathe([(3.2, 17), (3.6, 19), (4.5, 22.01)]))
    return join(body, bend(5.2, 0.8, -88, 88, 5).moved(x=5.0, z=13.4))


def _can() -> Solid:
    body = lathe([(2.5, 0), (3.3, 0.9), (3.3, 11.1), (2.7, 12.2)])
    return carve(body, cylinder(2.45, 1).moved(z=11.8))


def _tin() -> Solid:
    rims = [lathe([(4.3, z), (4.3, z + 0.5)]) for z in (0.0, 10.5)]
    rings = [lathe([(4.1, z), (4.25, z + 0.4), (4.1, z + 0.8)]).without_pieces() for z in (3.6, 5.1, 6.6)]
    return carve(join(lathe([(4.1, 0.2), (4.1, 10.8)]), *rims, *rings), cylinder(3.9, 1).moved(z=10.6))


def _spray_can() -> Solid:
    body = lathe([(3.1, 0), (3.3, 0.3), (3.3, 15), *spline([(3.2, 15.3), (2.6, 16.6), (1.5, 17.2)])])
    return join(body, cylinder(1.2, 2.2, 0.3).moved(z=16.8), rod((0, 0, 18.2), (1.6, 0, 18.2), 0.3))


def _bucket() -> Solid:
    body = vessel([(8.5, 0), (11.5, 22)], [(7.9, 1.2), (10.9, 22)], sectors=10)
    return join(body, _band(11.3, 0.5).moved(z=21.5), bend(11.4, 0.5, 0, 180, 5).moved(z=21))


def _cooking_pot() -> Solid:
    body = vessel([(10, 0), (10.4, 11)], [(9.4, 1), (9.8, 11)])
    handles = [bend(2.6, 0.7, -90, 90, 2).turned(90, "x").moved(x=10).turned(turn, "z").moved(z=9) for turn in (0, 180)]
    return join(body, *handles)


def _pan() -> Solid:
    body = vessel([(9, 0), (11.5, 4.5)], [(8.4, 0.9), (11, 4.5)], sectors=12)
    return join(body, block(18, 2.4, 1.4, 0.5).moved(x=19.6, z=2.6))


def _goblet() -> Solid:
    stem = [(4.6, 0), (4.4, 0.5), *spline([(1.2, 1.4), (0.8, 4), (0.9, 8), (1.4, 9)])]
    cup = spline([(1.4, 9), (4.6, 12.5), (5.0, 16), (4.5, 20)])
    return carve(lathe([*stem, *cup[1:]]), lathe(spline([(1.5, 11.5), (4.0, 13.5), (4.4, 16), (4.0, 20.01)])))


def _wine_glass() -> Solid:
    stem = [(3.6, 0), (3.4, 0.3), (0.7, 1.0), (0.45, 2.0), (0.45, 8.6)]
    cup = spline([(0.45, 8.6), (3.6, 11.2), (4.1, 14), (3.2, 19)])
    return carve(lathe([*stem, *cup[1:]]), lathe(spline([(0.8, 9.6), (3.3, 11.6), (3.8, 14), (2.9, 19.01)])))


def _barrel() -> Solid:
    body = lathe(spline([(9, 0), (11.6, 12), (9, 24)], steps=8))
    hoops = [_band(radius, 0.45).moved(z=z) for radius, z in ((10.3, 4), (11.4, 9), (11.4, 15), (10.3, 20))]
    return carve(join(body, *hoops), cylinder(8, 2).moved(z=23.3))


def _flower_pot() -> Solid:
    outer = [(5, 0), (6.5, 9.6), (7.4, 9.7), (7.7, 12.8)]
    return vessel(outer, [(4.4, 1), (5.9, 9.6), (5.9, 9.7), (6.3, 12.8)], sectors=5)


def _cactus() -> Solid:
    pot = lathe([(4, 0), (5.2, 7), (5.6, 7), (5.8, 9), (5.0, 9)])
    plant = join(egg(3.4, 3.4, 8.5).moved(z=15), egg(1.6, 1.6, 4.0).moved(x=5.0, z=18), ball(1.7, 4.9, 0, 14.6))
    arms = join(rod((0, 0, 14.4), (4.9, 0, 14.4), 1.4), rod((0, 0, 12), (-4.2, 0, 12), 1.2), ball(1.4, -4.2, 0, 12.2))
    return join(pot, plant, arms, egg(1.35, 1.35, 3.2).moved(x=-4.2, z=14.4))


def _watering_can() -> Solid:
    body = carve(cylinder(7, 13, 0.6), cylinder(5, 2).moved(z=12))
    spout = join(rod((6, 0, 3), (15, 0, 12.5), 1.2, 0.9), rod((14.6, 0, 12.1), (17, 0, 14.6), 0.9, 2.4))
    return join(body, spout, bend(5.4, 0.8, 70, 250, 5).moved(x=-5.4, z=8.5))


def _basket() -> Solid:
    body = vessel([(8, 0), (10.5, 9)], [(7.4, 1), (9.9, 9)])
    bands = [_band(radius, 0.5).moved(z=z) for radius, z in ((8.2, 0.8), (9.2, 4.6), (10.2, 8.6))]
    return join(body, *bands, bend(10.2, 0.7, 0, 180, 5).moved(z=8.6))


def _trash_can() -> Solid:
    outline = [(9, 0), (11, 26)]
    lid = lathe([(11.6, 26), (11.6, 27.4), *spline([(11, 28), (7, 30.4), (2.4, 31.4)])])
    pleats = prism(np.asarray(regular(1.0, 24, inner=0.93)) * 9.4, 26, top=11.2 / 9.4)
    return join(lathe(outline), pleats.without_pieces(), lid, bend(2.2, 0.6, 0, 180, 1).moved(z=31))


RECIPES = (
    variants("bottle", _wine_bottle, _water_bottle, _sauce_bottle, _milk_bottle, _flat_bottle)
    | variants("flask", _flask)
    | variants("jar", _lidded_jar, _round_jar)
    | variants("vase", _belly_vase, _flared_vase, _double_vase, _twisted_vase)
    | variants("mug", _straight_mug, _round_mug)
    | variants("beer stein", _stein)
    | variants("cup", _paper_cup, _tea_cup)
    | variants("bowl", _bowl, _wide_bowl, _deep_bowl)
    | variants("plate", _plate)
    | variants("teapot", _teapot)
    | variants("jug", _jug)
    | variants("can", _can, tags=("flat_top",))
    | variants("tin", _tin, tags=("flat_top",))
    | variants("spray can", _spray_can)
    | variants("bucket", _bucket)
    | variants("cooking pot", _cooking_pot)
    | variants("pan", _pan)
    | variants("goblet", _goblet)
    | variants("wine glass", _wine_glass)
    | variants("barrel", _barrel, tags=("flat_top",))
    | variants("flower pot", _flower_pot)
    | variants("cactus", _cactus)
    | variants("watering can", _watering_can)
    | variants("basket", _basket)
    | variants("trash can", _trash_can)
)
