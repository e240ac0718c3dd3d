"""Family `support`: what holds something up is removed, so that it falls or rolls from the first frame on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.common import (
    GAP,
    about,
    around,
    body,
    cuboid,
    find_room,
    looks,
    moved,
    on_top,
    pick,
    pitched,
    turned,
    uniform,
    wooden,
)
from data_gen.rigid.families.config import SupportConfig
from data_gen.scene.spec import ObjectSpec, Role, SurfaceSpec
from data_gen.seeds import Rng

BLOCK_HEIGHT = (0.7, 1.0)
"""Relative to its other sides."""
SLIP = (-0.03, 0.03)
"""Metres by which blocks of a stack are off the middle."""
BOARD_WIDTH, BOARD_THICKNESS = 0.5, 0.08
PILLAR_PLACE, ITEM_PLACE = 0.38, 0.28
"""From the middle of a board, relative to its length."""
STOPPER = (0.1, 0.5, 0.14)
"""Sides of what stops a ball on a slope, metres."""
LOAD_SIZE = (0.4, 0.6)
"""Of what stands on a board."""


@dataclass(frozen=True)
class _Kit:
    config: SupportConfig
    draw: Draw
    palette: Iterator[SurfaceSpec]
    assets: Rng
    physics: Rng
    layout: Rng
    roles: Rng

    def load(self, role: Role, size: tuple[float, float] | None = None, tag: str = "object") -> ObjectSpec:
        shape = pick(self.draw, self.assets, tag)
        size_drawn = uniform(self.assets, size or self.config.size)
        return body(shape, size_drawn, role, next(self.palette), self.config, self.physics)

    def box(self, name: str, sides: tuple[float, float, float], role: Role, *, static: bool = False) -> ObjectSpec:
        look = wooden(self.assets) if name in ("board", "ramp") else next(self.palette)
        return cuboid(name, sides, role, look, self.config, self.physics, static=static)


def sample(config: SupportConfig, draw: Draw) -> tuple[ObjectSpec, ...]:
    """Draw one of the arrangements, turn it at random, and put bystanders around it."""
    assets, physics, layout, roles = (draw.streams(name) for name in ("assets", "physics", "layout", "roles"))
    kit = _Kit(config, draw, looks(assets), assets, physics, layout, roles)
    kind = str(roles.choice(config.kinds))
    held = about(_ARRANGEMENTS[kind](kit), uniform(layout, (0, 2 * math.pi)), *_middle(layout))
    placed = list(held)
    for _ in range(int(roles.choice(config.bystanders))):
        item = turned(kit.load("bystander"), uniform(layout, (0, 2 * math.pi)))

        def beside(item: ObjectSpec = item) -> ObjectSpec:
            return around(item, (0.0, 0.0), uniform(layout, (1.3, 2.0)), uniform(layout, (0, 2 * math.pi)))

        placed.append(find_room(beside, placed))
    return tuple(placed)


def _middle(rng: Rng) -> tuple[float, float]:
    x, y = (float(value) for value in rng.uniform(-0.3, 0.3, 2))
    return x, y


def _stack(kit: _Kit) -> list[ObjectSpec]:
    """Blocks on one another and a load on top; any block may go."""
    levels = int(kit.roles.choice(kit.config.levels))
    removed = int(kit.roles.integers(levels))
    stack: list[ObjectSpec] = []
    for level in range(levels):
        side = uniform(kit.assets, kit.config.block)
        sides = (side, side, side * uniform(kit.assets, BLOCK_HEIGHT))
        block = kit.box("block", sides, "removed" if level == removed else "bystander")
        block = moved(
            turned(block, uniform(kit.layout, (-0.3, 0.3))), uniform(kit.layout, SLIP), uniform(kit.layout, SLIP)
        )
        stack.append(on_top(block, stack[-1]) if stack else block)
    load = turned(kit.load("target", LOAD_SIZE), uniform(kit.layout, (0, 2 * math.pi)))
    return [*stack, on_top(load, stack[-1])]


def _table(kit: _Kit) -> list[ObjectSpec]:
    """A board on two pillars, loads on it; one pillar goes, or both."""
    length, height = uniform(kit.assets, kit.config.board), uniform(kit.assets, kit.config.height)
    thick = uniform(kit.assets, (0.22, 0.35))
    gone = [{0}, {1}, {0, 1}][int(kit.roles.integers(3))]
    pillars = [
        moved(
            kit.box("pillar", (thick, thick, height), "removed" if i in gone else "bystander"),
            side * PILLAR_PLACE * length,
        )
        for i, side in enumerate((-1, 1))
    ]
    board = kit.box("board", (length, BOARD_WIDTH, BOARD_THICKNESS), "bystander")
    board = moved(board, z=height + GAP)
    # Over a pillar that goes, so that it is sure to fall.
    side = -1 if 0 in gone else 1
    return [*pillars, board, *_loads(kit, board, length, side)]


def _shelf(kit: _Kit) -> list[ObjectSpec]:
    """Loads on a shelf, which goes."""
    shape = kit.draw.shapes["shelf"]
    length = uniform(kit.assets, kit.config.board)
    shelf = body(shape, length, "removed", wooden(kit.assets), kit.config, kit.physics)
    top = shelf.position[2] + float(shape.high[2]) * shelf.scale[2]
    board = replace(shelf, position=(0.0, 0.0, top), extents=(length, BOARD_WIDTH, 0.0))
    return [shelf, *_loads(kit, board, length, 1 if kit.roles.random() < 0.5 else -1)]


def _loads(kit: _Kit, board: ObjectSpec, length: float, side: int) -> list[ObjectSpec]:
    """A target on one side of the board, and at times a bystander on the other."""
    roles: list[Role] = ["target", "bystander"] if kit.roles.random() < 0.5 else ["target"]
    loads = []
    for role, place in zip(roles, (side, -side), strict=False):
        item = turned(kit.load(role, LOAD_SIZE), uniform(kit.layout, (0, 2 * math.pi)))
        loads.append(moved(on_top(item, board), place * ITEM_PLACE * length))
    return loads


def _slope(kit: _Kit) -> list[ObjectSpec]:
    """A ball on a fixed board that slopes down to +x, held by a stopper, which goes."""
    length, angle = uniform(kit.assets, kit.config.board), math.radians(uniform(kit.layout, kit.config.slope))
    ramp = kit.box("ramp", (length, BOARD_WIDTH, BOARD_THICKNESS), "bystander", static=True)
    rise = math.sin(angle) * length / 2 + math.cos(angle) * BOARD_THICKNESS / 2
    ramp = replace(pitched(ramp, angle), position=(0.0, 0.0, rise + GAP))
    down = np.array([math.cos(angle), 0.0, -math.sin(angle)])
    normal = np.array([math.sin(angle), 0.0, math.cos(angle)])

    def on_slope(item: ObjectSpec, along: float, above: float) -> ObjectSpec:
        x, y, z = (float(v) for v in ramp.position + along * down + (BOARD_THICKNESS / 2 + above) * normal)
        return replace(item, position=(x, y, z))

    ball = kit.load("target", LOAD_SIZE, "ball")
    radius = max(ball.extents) / 2
    start = -0.25 * length
    ball = on_slope(ball, start, radius + GAP)
    stopper = pitched(kit.box("wedge", STOPPER, "removed", static=True), angle)
    # The ball meets the stopper's upper edge: a low one touches it before its widest.
    touching = math.sqrt(radius**2 - (radius - STOPPER[2]) ** 2) if radius > STOPPER[2] else radius
    stopper = on_slope(stopper, start + touching + STOPPER[0] / 2 + 0.01, STOPPER[2] / 2 + GAP)
    return [ramp, ball, stopper]


_ARRANGEMENTS: dict[str, Callable[[_Kit], list[ObjectSpec]]] = {
    "stack": _stack,
    "table": _table,
    "shelf": _shelf,
    "slope": _slope,
}
