"""Family `ball`: balls roll into standing objects; one of the balls is removed, or both."""

from __future__ import annotations

import math

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import (
    around,
    away_from_camera,
    body,
    find_room,
    looks,
    pick,
    rolled,
    shuffled,
    uniform,
)
from data_gen.rigid.families.config import BallConfig, Interval
from data_gen.rigid.families.group import removed_places, standing_group
from data_gen.scene.spec import ObjectSpec, Role
from data_gen.seeds import Rng


def sample(config: BallConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw a group of standing objects, and the balls."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    palette = looks(assets)
    standing = standing_group(
        draw, config, int(roles.choice(config.standing)), palette, (assets, physics, layout), radius=config.cluster
    )
    count = int(roles.choice(config.counts))
    removed = removed_places(count, roles)
    sectors = away_from_camera(draw, math.radians(config.camera_gap), count, layout)
    balls: list[ObjectSpec] = []
    for i in range(count):
        role: Role = "removed" if i in removed else "bystander"
        shape = pick(draw, assets, "ball")
        size = uniform(assets, config.ball_size)
        item = body(shape, size, role, next(palette), config, physics, mass=config.ball_mass)
        hit = standing[i % len(standing)]
        balls.append(_rolling(config, item, hit, [*standing, *balls], sectors[i], draw.seconds, layout))
    return shuffled([*standing, *balls], roles)


def _rolling(
    config: BallConfig,
    item: ObjectSpec,
    hit: ObjectSpec,
    placed: list[ObjectSpec],
    sector: Interval,
    clip: float,
    rng: Rng,
) -> ObjectSpec:
    """Rolls at `hit`, as fast as it must to arrive in time."""
    margin = (max(hit.extents[:2]) + max(item.extents)) / 2
    distance = uniform(rng, config.distance)
    start = find_room(lambda: around(item, hit.position, distance + margin, uniform(rng, sector)), placed)
    seconds = min(uniform(rng, config.arrival) * clip, config.latest)
    return rolled(start, hit.position, distance / seconds)
