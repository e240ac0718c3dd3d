"""Family `variable`: objects are launched at a target, or stand beside it; launched ones are removed."""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

import numpy as np

from data_gen.rigid.families import paper
from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import (
    around,
    away_from_camera,
    body,
    find_room,
    looks,
    moved,
    pick,
    slid,
    turned,
    uniform,
)
from data_gen.rigid.families.config import Interval, VariableConfig
from data_gen.scene.spec import ObjectSpec, Role
from data_gen.seeds import Rng

Part = Literal["removed", "launched", "resting"]


def sample(config: VariableConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw a scene by the configured rule."""
    return paper.sample(config, draw) if config.rule == "paper" else _normalised(config, draw)


def _normalised(config: VariableConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    assets, physics, layout = draw.streams("assets"), draw.streams("physics"), draw.streams("layout")
    parts = _sample_parts(config, draw.streams("roles"))
    gap = math.radians(config.camera_gap)
    directions = iter(away_from_camera(draw, gap, sum(part != "resting" for part in parts), layout))
    palette = looks(assets)
    size = uniform(assets, config.target_size)
    target = body(pick(draw, assets), size, "target", next(palette), config, physics, mass=config.target_mass)
    target = turned(target, uniform(layout, (0, 2 * math.pi)))
    placed = [moved(target, uniform(layout, config.target_offset), uniform(layout, config.target_offset))]
    for part in parts:
        size = uniform(assets, config.size)
        role: Role = "removed" if part == "removed" else "bystander"
        item = body(pick(draw, assets), size, role, next(palette), config, physics)
        item = turned(item, uniform(layout, (0, 2 * math.pi)))
        if part == "resting":
            placed.append(find_room(partial(_resting, config, item, placed[0], layout), placed))
        else:
            error = 0.0 if part == "removed" else config.aim_error
            start = find_room(partial(_start, config, item, placed[0], next(directions), layout), placed)
            aim = np.add(placed[0].position[:2], layout.uniform(-error, error, 2))
            placed.append(slid(start, aim, uniform(physics, config.speed)))
    return tuple(placed)


def _sample_parts(config: VariableConfig, rng: Rng) -> list[Part]:
    """What the objects other than the target do, in random order."""
    others = int(rng.choice(config.counts)) - 1
    removed = 2 if others + 1 >= config.remove_two_from else 1
    kept: list[Part] = [
        "resting" if rng.random() < config.resting_share else "launched" for _ in range(others - removed)
    ]
    parts: list[Part] = ["removed"] * removed
    return [(parts + kept)[i] for i in rng.permutation(others)]


def _resting(config: VariableConfig, item: ObjectSpec, target: ObjectSpec, rng: Rng) -> ObjectSpec:
    return around(item, target.position, uniform(rng, config.resting_radius), uniform(rng, (0, 2 * math.pi)))


def _start(config: VariableConfig, item: ObjectSpec, target: ObjectSpec, sector: Interval, rng: Rng) -> ObjectSpec:
    placed = around(item, target.position, uniform(rng, config.ring_radius), uniform(rng, sector))
    return moved(placed, z=uniform(rng, config.drop_height))
