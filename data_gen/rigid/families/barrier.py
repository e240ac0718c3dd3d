"""Family `barrier`: what stops a rolling ball is removed, so that the ball goes on and hits what is behind."""

from __future__ import annotations

import math
from dataclasses import replace

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import about, body, cuboid, looks, moved, pick, rolled, sideways, uniform
from data_gen.rigid.families.config import BarrierConfig
from data_gen.rigid.families.group import standing_group
from data_gen.scene.spec import ObjectSpec

TILT = math.radians(40)
"""The ball crosses the picture, at most this far off the horizontal."""
OFFSET = 0.3
"""Of the barrier from the middle of the scene, towards the ball."""


def sample(config: BarrierConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw a ball that rolls along +x, the barrier in its way, and what is behind it; turn it all."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    palette = looks(assets)
    sides = tuple(uniform(assets, interval) for interval in (config.thickness, config.width, config.height))
    thickness, width, height = sides
    static = bool(roles.random() < config.static_share)
    wall = cuboid("wall", (thickness, width, height), "removed", next(palette), config, physics, static=static)
    wall = replace(moved(wall, -OFFSET), mass=uniform(physics, config.barrier_mass))
    size = uniform(assets, config.ball_size)
    ball = body(pick(draw, assets, "ball"), size, "target", next(palette), config, physics, mass=config.ball_mass)
    distance = uniform(layout, config.distance)
    off_axis = uniform(layout, (-0.3, 0.3)) * (width / 2)
    ball = moved(ball, -OFFSET - thickness / 2 - distance - max(ball.extents) / 2, off_axis)
    seconds = min(uniform(layout, config.arrival) * draw.seconds, config.latest)
    ball = rolled(ball, (0.0, off_axis), distance / seconds)
    middle = (-OFFSET + uniform(layout, config.behind), 0.0)
    behind = standing_group(
        draw, config, int(roles.choice(config.standing)), palette, (assets, physics, layout), middle=middle, radius=0.9,
        has_target=False,
    )  # fmt: skip
    return tuple(about([ball, wall, *behind], sideways(draw, layout, TILT), 0.0, 0.0))
