"""Family `no_effect`: removed objects do nothing to the others, whatever they and the others do."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import (
    Point,
    about,
    around,
    body,
    find_room,
    looks,
    moved,
    pick,
    rolled,
    shuffled,
    sideways,
    slid,
    turned,
    uniform,
)
from data_gen.rigid.families.config import NoEffectConfig
from data_gen.rigid.families.group import standing_group
from data_gen.scene.spec import ObjectSpec
from data_gen.seeds import Rng

TILT = math.radians(40)
SIDE = -1.0
"""Middle of the remaining objects along the axis from them to the removed ones."""
LAUNCH_DISTANCE = (1.1, 1.6)


def sample(config: NoEffectConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw remaining objects on one side, removed ones on the other, and turn it all."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    palette = looks(assets)
    count = int(roles.choice(config.counts))
    launched = count > 1 and bool(roles.random() < config.launched_share)
    placed = standing_group(
        draw, config, count - launched, palette, (assets, physics, layout), middle=(SIDE, 0.0), radius=1.0
    )
    if launched:
        item = body(pick(draw, assets), uniform(assets, config.size), "bystander", next(palette), config, physics)
        placed.append(_launched(config, item, placed, layout))
    for _ in range(int(roles.choice(config.removed))):
        moving = bool(roles.random() < config.moving_share)
        shape = pick(draw, assets, "ball" if moving and assets.random() < 0.5 else "object")
        item = body(shape, uniform(assets, config.size), "removed", next(palette), config, physics)
        item = turned(item, uniform(layout, (0, 2 * math.pi)))

        def apart(item: ObjectSpec = item) -> ObjectSpec:
            return moved(item, uniform(layout, config.apart), uniform(layout, (-0.9, 0.9)))

        item = find_room(apart, placed)
        placed.append(_passing(config, item, "ball" in shape.tags, layout) if moving else item)
    return shuffled(about(placed, sideways(draw, layout, TILT), 0.0, 0.0), roles)


def _launched(config: NoEffectConfig, item: ObjectSpec, placed: list[ObjectSpec], rng: Rng) -> ObjectSpec:
    """At the first of the others, along the line that does not lead to the removed ones."""
    hit = placed[0]
    angle = (1 if rng.random() < 0.5 else -1) * math.pi / 2 + uniform(rng, (-0.4, 0.4))
    start = find_room(lambda: around(item, hit.position, uniform(rng, LAUNCH_DISTANCE), angle), placed)
    return slid(start, hit.position, uniform(rng, config.speed))


def _passing(config: NoEffectConfig, item: ObjectSpec, rolls: bool, rng: Rng) -> ObjectSpec:
    """Moves past the others, or away from them."""
    angle = uniform(rng, (-math.pi / 2, math.pi / 2))
    aim = np.add(item.position[:2], (math.cos(angle), math.sin(angle)))
    move: Callable[[ObjectSpec, Point, float], ObjectSpec] = rolled if rolls else slid
    return move(item, aim, uniform(rng, config.speed))
