"""Groups of standing objects, and who is removed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import around, body, find_room, pick, turned, uniform
from data_gen.rigid.families.config import FamilyConfig, Interval
from data_gen.scene.spec import ObjectSpec, Role, SurfaceSpec
from data_gen.seeds import Rng

WIDENING = 0.02
"""By which the circle of a group grows after each try that finds no room, relative to its radius."""


def standing_group(
    draw: Draw,
    config: FamilyConfig,
    count: int,
    palette: Iterator[SurfaceSpec],
    streams: tuple[Rng, Rng, Rng],
    *,
    mass: Interval | None = None,
    radius: float = 1.3,
    middle: tuple[float, float] = (0.0, 0.0),
    has_target: bool = True,
) -> list[ObjectSpec]:
    """Objects that stand within `radius` of `middle` and touch nothing. The first is the target, and the nearest to it.

    Large ones that do not fit stand in a wider circle, up to twice as wide. Raises NoRoomError: not even there.

    Args:
        draw: what to draw from.
        config: sizes and physics.
        count: of objects.
        palette: gives each its look.
        streams: generators of assets, physics and layout.
        mass: instead of the family's.
        radius: metres.
        middle: x and y.
        has_target: otherwise all are bystanders.
    """
    assets, physics, layout = streams
    placed: list[ObjectSpec] = []
    for i in range(count):
        role: Role = "target" if has_target and i == 0 else "bystander"
        item = body(pick(draw, assets), uniform(assets, config.size), role, next(palette), config, physics, mass=mass)
        item = turned(item, uniform(layout, (0, 2 * math.pi)))
        reach = 0.25 * radius if i == 0 else radius
        reaches = itertools.count(reach, WIDENING * reach)

        def candidate(item: ObjectSpec = item, reaches: Iterator[float] = reaches) -> ObjectSpec:
            away = next(reaches) * math.sqrt(layout.random())
            return around(item, middle, away, uniform(layout, (0, 2 * math.pi)))

        placed.append(find_room(candidate, placed))
    return placed


def removed_places(count: int, rng: Rng) -> set[int]:
    """Which of `count` active objects are removed: at random, one or two of them, never more than there are."""
    number = 1 if count == 1 else int(rng.integers(1, min(count, 2) + 1))
    return {int(i) for i in rng.choice(np.arange(count), number, replace=False)}
