"""The published generator's distribution of objects: raw scales, a ring, launches at the target, no test for overlap.

Its numbers are facts about that generator, so they stand here and not in the configuration.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import looks, pick, uniform
from data_gen.rigid.families.config import Interval, VariableConfig
from data_gen.scene.spec import ObjectSpec, Role, SurfaceSpec
from data_gen.seeds import Rng

TARGET_AREA: Interval = (-1.5, 1.5)
TARGET_HEIGHT = 1.5
TARGET_MASS: Interval = (0.4, 1.0)
TARGET_FRICTION = 0.4
TARGET_RESTITUTION: Interval = (0.2, 0.4)
MASS: Interval = (0.6, 2.0)
FRICTION: Interval = (0.3, 0.5)
RESTITUTION: Interval = (0.2, 0.5)
LARGE_SHARE = 0.3
LARGE_SCALE: Interval = (12.0, 20.0)
SCALE: Interval = (3.0, 12.0)
RING: Interval = (4.0, 7.0)
HEIGHT: Interval = (1.0, 3.0)
REMOVED_SPEED: Interval = (3.0, 9.0)
BYSTANDER_SPEED: Interval = (3.0, 7.0)
AIM_ERROR: Interval = (-3.0, 3.0)


def sample(config: VariableConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw the target, then the others around it; `config` gives the counts and who is removed."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    count = int(roles.choice(config.counts))
    removed = 2 if count >= config.remove_two_from else 1
    chosen = np.arange(removed) if config.first_removed else roles.choice(count - 1, removed, replace=False)
    palette = looks(assets)
    target = _thing(draw, "target", next(palette), assets)
    target = replace(
        target,
        mass=uniform(physics, TARGET_MASS),
        friction=TARGET_FRICTION,
        restitution=uniform(physics, TARGET_RESTITUTION),
        position=(uniform(layout, TARGET_AREA), uniform(layout, TARGET_AREA), TARGET_HEIGHT),
    )
    others = []
    for i in range(count - 1):
        role: Role = "removed" if i in chosen else "bystander"
        item = _thing(draw, role, next(palette), assets)
        angle, radius = i * 2 * math.pi / (count - 1), uniform(layout, RING)
        x, y, _ = target.position
        item = replace(
            item,
            mass=uniform(physics, MASS),
            friction=uniform(physics, FRICTION),
            restitution=uniform(physics, RESTITUTION),
            position=(x + radius * math.cos(angle), y + radius * math.sin(angle), uniform(layout, HEIGHT)),
        )
        others.append(_launched(item, target, physics))
    return (target, *others)


def _thing(draw: Draw, role: Role, look: SurfaceSpec, rng: Rng) -> ObjectSpec:
    """A shape at its raw size times the drawn scale."""
    shape = pick(draw, rng)
    factor = uniform(rng, LARGE_SCALE if rng.random() < LARGE_SHARE else SCALE)
    x, y, z = (float(side) for side in shape.extents * factor)
    return ObjectSpec(
        asset=shape.id,
        name=shape.name,
        role=role,
        surface=None if shape.textured else look,
        scale=(factor,) * 3,
        extents=(x, y, z),
        mass=1.0,
        friction=0.0,
        restitution=0.0,
        position=(0.0, 0.0, 0.0),
    )


def _launched(item: ObjectSpec, target: ObjectSpec, rng: Rng) -> ObjectSpec:
    error = np.zeros(2) if item.role == "removed" else rng.uniform(*AIM_ERROR, 2)
    direction = np.add(target.position[:2], error) - item.position[:2]
    speed = uniform(rng, REMOVED_SPEED if item.role == "removed" else BYSTANDER_SPEED)
    x, y = speed * direction / np.linalg.norm(direction)
    return replace(item, velocity=(float(x), float(y), 0.0))
