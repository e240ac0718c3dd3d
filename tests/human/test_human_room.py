"""Rooms: walls that hide nothing, furniture that is in nobody's way, a sun above the walls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data_gen.assets.library import Library
from data_gen.human.camera import sample_camera
from data_gen.human.config import HumanConfig, RoomConfig
from data_gen.human.light import sample_light
from data_gen.human.room import CAMERA_GAP, FURNITURE_HEIGHTS, furnish, sample_room
from data_gen.scene.camera import CameraPath
from data_gen.scene.config import LightConfig
from data_gen.scene.palette import linear_rgb
from data_gen.scene.spec import BackdropSpec
from data_gen.seeds import Streams, generator

LOW, HIGH = (-1.5, -1.0), (1.2, 1.4)
HIPS_T3 = np.linspace([-1.0, 0.0, 0.9], [0.8, 0.4, 0.9], 13)


def streams(seed: int) -> Streams:
    return lambda name: generator(seed, 0, 0, name)


def camera(seed: int) -> CameraPath:
    rng = np.random.default_rng(seed)
    return sample_camera(HumanConfig(), HIPS_T3, variant="v6", frames=13, fps=12, size=(96, 128), rng=rng)


def room(seed: int, textures: tuple[str, ...] = (), walls: float = 1.0) -> BackdropSpec:
    return sample_room(RoomConfig(walls=walls), LOW, HIGH, camera(seed), textures, streams(seed))


def test_walls_stand_around_the_action_and_never_before_the_camera() -> None:
    sides: list[tuple[Any, ...]] = []
    for seed in range(60):
        backdrop, places = room(seed), np.array(camera(seed).positions)
        found = backdrop.room
        if found is None:
            continue
        sides.append(found.sides)
        assert all(found.low[k] <= LOW[k] - 1.5 and found.high[k] >= HIGH[k] + 1.5 for k in range(2))
        assert 2.5 <= found.height <= 3.2 and backdrop.kind == "room"
        for side in found.sides:
            k = "xy".index(side[1])
            inside = places[:, k] - found.low[k] if side[0] == "-" else found.high[k] - places[:, k]
            assert inside.min() > CAMERA_GAP
    assert len(sides) > 40 and {len(one) for one in sides} >= {2, 3}
    assert room(0, walls=0.0).room is None and room(0, walls=0.0).kind == "floor"


def test_surfaces_have_known_colours_and_take_fitting_textures() -> None:
    for seed in range(20):
        backdrop = room(seed, ("oak_wood", "white_plaster", "rusty_metal"))
        assert backdrop.surface is not None and backdrop.surface.texture == "oak_wood"
        assert linear_rgb(backdrop.surface.color) != linear_rgb(backdrop.surface.second_color)
        if backdrop.room:
            assert backdrop.room.surface.texture == "white_plaster"


def test_furniture_stands_at_the_walls_on_the_floor_beside_everything_else(library: Library) -> None:
    shapes, found = library.split("train").shapes, []
    for seed in range(40):
        backdrop = room(seed)
        items = furnish(RoomConfig(furniture=(3, 3)), backdrop, shapes, LOW, HIGH, streams(seed))
        boxes = [(np.array(LOW), np.array(HIGH))]
        for item in items:
            shape, scale = shapes[item.asset], item.scale[0]
            low, high = (np.array(corner) * scale + item.position for corner in (shape.low, shape.high))
            assert low[2] == pytest.approx(0, abs=1e-6) and high[2] == pytest.approx(FURNITURE_HEIGHTS[item.name])
            assert item.static and item.role == "bystander"
            assert backdrop.room is not None
            gaps = [low[0] - backdrop.room.low[0], backdrop.room.high[0] - high[0]]
            gaps += [low[1] - backdrop.room.low[1], backdrop.room.high[1] - high[1]]
            assert min(gaps) > 0 and min(gaps) < 0.1
            for other_low, other_high in boxes:
                assert (high[:2] < other_low).any() or (low[:2] > other_high).any()
            boxes.append((low[:2], high[:2]))
        found += [item.name for item in items]
    assert len(found) > 40 and len(set(found)) >= 4
    assert furnish(RoomConfig(), room(0, walls=0.0), shapes, LOW, HIGH, streams(0)) == ()


def test_the_sun_comes_from_the_cameras_side_and_over_the_walls() -> None:
    path = camera(0)
    backdrop = next(found for seed in range(9) if (found := room(seed)).room)
    for seed in range(30):
        light = sample_light(LightConfig(), ("city", "forest"), path, backdrop, np.random.default_rng(seed))
        sun, eye = np.array(light.sun_position), np.array(path.positions[0])
        assert sun[:2] @ eye[:2] > 0 and sun[2] / np.linalg.norm(sun) > np.sin(np.radians(49.9))
        assert light.sky in ("city", "forest")
    dark = replace(LightConfig(), dark=["city"])
    drawn = [sample_light(dark, ("city", "forest"), path, backdrop, np.random.default_rng(s)).sky for s in range(10)]
    assert set(drawn) == {"forest"}
