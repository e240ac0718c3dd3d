"""Family `chain`: a row of dominoes, pushed over from one end; some in the middle are removed, so the rest stays up."""

from __future__ import annotations

import math
from dataclasses import replace

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import about, body, cuboid, looks, moved, pick, sideways, thrown, turned, uniform
from data_gen.rigid.families.config import ChainConfig
from data_gen.scene.spec import ObjectSpec, Role, Vector
from data_gen.seeds import Rng

REACH = 1.05
"""A domino that falls reaches this far, relative to its height; a gap must be wider."""
PUSH_HEIGHT = 0.85
"""Of the first domino's height, where the ball hits it."""
TILT = math.radians(35)
"""The row crosses the picture, at most this far off the horizontal."""


def sample(config: ChainConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw a row along +x, the ball before it, and turn it all to cross the picture."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    height = uniform(assets, config.size)
    sides = (uniform(assets, config.thickness) * height, uniform(assets, config.width) * height, height)
    count, spacing = _measure(config, height, layout, roles)
    removed = _gap(count, spacing, sides, roles)
    palette = looks(assets)
    look = next(palette)
    row = []
    for i, (x, y, heading) in enumerate(_places(config, count, spacing, layout)):
        role: Role = "removed" if i in removed else "target" if i == count - 1 else "bystander"
        item = cuboid("domino", sides, role, look, config, physics)
        row.append(moved(turned(item, heading), x, y))
    ball = body(
        pick(draw, assets, "ball"), uniform(assets, config.ball_size), "bystander", next(palette), config, physics
    )
    return tuple(about([*row, _pushing(config, ball, row[0], physics)], sideways(draw, layout, TILT), 0.0, 0.0))


def _measure(config: ChainConfig, height: float, layout: Rng, roles: Rng) -> tuple[int, float]:
    """Number of dominoes and spacing, so that the row is not too long."""
    count, spacing = int(roles.choice(config.counts)), uniform(layout, config.spacing) * height
    least = config.spacing[0] * height
    while count > min(config.counts) and (count - 1) * least > config.length:
        count -= 1
    return count, min(spacing, max(config.length / (count - 1), least))


def _gap(count: int, spacing: float, sides: Vector, rng: Rng) -> set[int]:
    """The domino to remove, or two neighbours where one leaves too small a gap; never the first or the last."""
    thickness, _, height = sides
    number = 1 if 2 * spacing - thickness > REACH * height else 2
    first = int(rng.integers(1, count - number))
    return set(range(first, first + number))


def _places(config: ChainConfig, count: int, spacing: float, rng: Rng) -> list[Vector]:
    """x, y and heading of each domino along an arc, with the middle of the row at the origin."""
    bend = math.radians(uniform(rng, config.bend))
    x = y = 0.0
    heading = -bend * (count - 1) / 2
    places = []
    for _ in range(count):
        places.append((x, y, heading))
        heading += bend / 2
        x, y = x + spacing * math.cos(heading), y + spacing * math.sin(heading)
        heading += bend / 2
    middle_x, middle_y = (sum(place[axis] for place in places) / count for axis in (0, 1))
    return [(x - middle_x, y - middle_y, heading) for x, y, heading in places]


def _pushing(config: ChainConfig, ball: ObjectSpec, first: ObjectSpec, rng: Rng) -> ObjectSpec:
    """A ball that flies at the upper part of the first domino, from close by."""
    w, _, _, z = first.quaternion
    heading = 2 * math.atan2(z, w)
    speed, gap = uniform(rng, config.push), uniform(rng, (0.15, 0.4))
    away = gap + max(ball.extents) / 2 + first.extents[0] / 2
    height = PUSH_HEIGHT * first.extents[2]
    x, y, _ = first.position
    start = replace(ball, position=(x - away * math.cos(heading), y - away * math.sin(heading), height))
    return thrown(start, (x, y, height), away / speed)
