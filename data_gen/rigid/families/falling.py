"""Family `falling`: objects fall on standing ones; some of the falling ones are removed."""

from __future__ import annotations

import math
from dataclasses import replace

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import GRAVITY, body, find_room, looks, moved, pick, shuffled, uniform
from data_gen.rigid.families.config import FallingConfig
from data_gen.rigid.families.group import removed_places, standing_group
from data_gen.scene.spec import ObjectSpec, Role
from data_gen.seeds import Rng


def sample(config: FallingConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw a group of standing objects, and what falls on them."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    palette = looks(assets)
    standing = standing_group(
        draw, config, int(roles.choice(config.standing)), palette, (assets, physics, layout), mass=config.standing_mass
    )
    falling: list[ObjectSpec] = []
    count = int(roles.choice(config.counts))
    removed = removed_places(count, roles)
    for i in range(count):
        role: Role = "removed" if i in removed else "bystander"
        item = body(pick(draw, assets), uniform(assets, config.size), role, next(palette), config, physics)
        hit = standing[i % len(standing)]

        def start(item: ObjectSpec = item, hit: ObjectSpec = hit, i: int = i) -> ObjectSpec:
            return _dropped(config, item, hit, draw.seconds, i, layout)

        falling.append(find_room(start, [*standing, *falling]))
    return shuffled([*standing, *falling], roles)


def _dropped(config: FallingConfig, item: ObjectSpec, hit: ObjectSpec, clip: float, place: int, rng: Rng) -> ObjectSpec:
    """High enough above `hit` to arrive when it should, and drifting over its middle; later ones start higher."""
    seconds = min(uniform(rng, config.arrival) * clip, config.latest) + 0.15 * place
    angle, drift = uniform(rng, (0, 2 * math.pi)), uniform(rng, config.drift)
    away = uniform(rng, config.off_centre) * max(hit.extents[:2]) + drift * seconds
    x, y, z = hit.position
    top = z + hit.extents[2] / 2
    height = top + max(item.extents) / 2 + GRAVITY * seconds**2 / 2
    start = moved(item, x - away * math.cos(angle), y - away * math.sin(angle))
    a, b, c = (float(value) for value in rng.uniform(-config.spin, config.spin, 3))
    return replace(
        start,
        position=(*start.position[:2], height),
        velocity=(drift * math.cos(angle), drift * math.sin(angle), 0.0),
        angular_velocity=(a, b, c),
    )
