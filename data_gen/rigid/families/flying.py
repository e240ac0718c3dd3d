"""Family `flying`: objects are thrown in arcs at standing ones; some of the thrown ones are removed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import (
    around,
    away_from_camera,
    body,
    find_room,
    looks,
    moved,
    pick,
    shuffled,
    thrown,
    uniform,
)
from data_gen.rigid.families.config import FlyingConfig
from data_gen.rigid.families.group import removed_places, standing_group
from data_gen.scene.spec import ObjectSpec, Role


def sample(config: FlyingConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw a group of standing objects, and what is thrown at them."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    palette = looks(assets)
    standing = standing_group(
        draw, config, int(roles.choice(config.standing)), palette, (assets, physics, layout), mass=config.standing_mass
    )
    count = int(roles.choice(config.counts))
    removed = removed_places(count, roles)
    sectors = away_from_camera(draw, math.radians(config.camera_gap), count, layout)
    flying: list[ObjectSpec] = []
    for i in range(count):
        role: Role = "removed" if i in removed else "bystander"
        item = body(pick(draw, assets), uniform(assets, config.size), role, next(palette), config, physics)
        hit = standing[i % len(standing)]

        def start(item: ObjectSpec = item, hit: ObjectSpec = hit, i: int = i) -> ObjectSpec:
            away = around(item, hit.position, uniform(layout, config.distance), uniform(layout, sectors[i]))
            return moved(away, z=uniform(layout, config.height))

        placed = find_room(start, [*standing, *flying])
        seconds = min(uniform(layout, config.arrival) * draw.seconds, config.latest)
        aim = np.add(hit.position, layout.uniform(-config.aim_error, config.aim_error, 3))
        a, b, c = (float(value) for value in layout.uniform(-config.spin, config.spin, 3))
        flying.append(replace(thrown(placed, aim, seconds), angular_velocity=(a, b, c)))
    return shuffled([*standing, *flying], roles)
