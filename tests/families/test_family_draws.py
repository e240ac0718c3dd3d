"""What the families draw: legal, reproducible, inside their intervals, apart from one another."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from data_gen.assets.library import Library
from data_gen.rigid.families.base import Draw, NoRoomError
from data_gen.rigid.families.common import GRAVITY, overlap, rolled, thrown
from data_gen.rigid.families.config import FamiliesConfig, VariableConfig
from data_gen.rigid.families.registry import FAMILIES
from data_gen.scene.camera import CameraSpec, looking_at
from data_gen.scene.spec import ObjectSpec
from data_gen.seeds import generator

DRAWS = 150
SECONDS = 20 / 12
POSITION = (4.9, 0.0, 3.5)
Scenes = dict[str, list[tuple[ObjectSpec, ...]]]


def draw_of(library: Library, seed: int, *, seconds: float = SECONDS, other: str = "") -> Draw:
    """`other`: name of a stream that is replaced by another one."""
    camera = CameraSpec(POSITION, looking_at(POSITION, (0.0, 0.0, 0.2)), 35.0, 96, 128)

    def streams(name: str) -> np.random.Generator:
        return generator(seed, 0, int(name == other), name)

    return Draw(library.split("train").shapes, streams, camera, seconds)


def scenes_of(library: Library, name: str, count: int, **changes: object) -> list[tuple[ObjectSpec, ...]]:
    config = replace(getattr(FamiliesConfig(), name), **changes)
    drawn = []
    for seed in range(count):
        try:
            drawn.append(FAMILIES[name].sample(config, draw_of(library, seed)))
        except NoRoomError:
            continue
    assert len(drawn) > 0.6 * count, name
    return drawn


@pytest.fixture(scope="module")
def scenes(library: Library) -> Scenes:
    return {name: scenes_of(library, name, DRAWS) for name in FAMILIES}


def roles(objects: tuple[ObjectSpec, ...]) -> Counter[str]:
    return Counter(item.role for item in objects)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_scene_has_its_roles(name: str, scenes: Scenes) -> None:
    for objects in scenes[name]:
        counted = roles(objects)
        assert counted["target"] == 1 and 1 <= counted["removed"] <= 2
        assert all(min(item.extents) > 0 and item.mass > 0 for item in objects)
        plain = [item for item in objects if item.name != "domino"]
        looks = [(item.surface.color, item.name) for item in plain if item.surface and item.surface.pattern != "wood"]
        assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("name", FAMILIES)
def test_drawing_repeats_and_differs_by_seed(name: str, library: Library) -> None:
    config, sample = getattr(FamiliesConfig(), name), FAMILIES[name].sample
    drawn = []
    for seed in itertools.count():
        try:
            first = sample(config, draw_of(library, seed))
        except NoRoomError:
            continue
        assert sample(config, draw_of(library, seed)) == first
        drawn.append(first)
        if len(drawn) == 2:
            break
    assert drawn[0] != drawn[1]


def test_physics_is_drawn_apart_from_assets_and_layout(library: Library) -> None:
    config = VariableConfig()
    first = FAMILIES["variable"].sample(config, draw_of(library, 1))
    second = FAMILIES["variable"].sample(config, draw_of(library, 1, other="physics"))
    for a, b in zip(first, second, strict=True):
        assert (a.asset, a.scale, a.position, a.quaternion, a.surface) == (
            b.asset,
            b.scale,
            b.position,
            b.quaternion,
            b.surface,
        )
        assert a.mass != b.mass


@pytest.mark.parametrize("name", ["variable", "falling", "flying", "ball", "barrier", "no_effect"])
def test_sizes_are_those_of_the_bounding_box(name: str, scenes: Scenes, library: Library) -> None:
    config = getattr(FamiliesConfig(), name)
    free = [item for objects in scenes[name] for item in objects if item.name != "wall"]
    shapes = library.shapes
    for item in free:
        np.testing.assert_allclose(item.extents, shapes[item.asset].extents * item.scale, rtol=1e-9)
    bounds = [config.size, *(getattr(config, key) for key in ("target_size", "ball_size") if hasattr(config, key))]
    sizes = [max(item.extents) for item in free]
    assert min(low for low, _ in bounds) <= min(sizes) and max(sizes) <= max(high for _, high in bounds) + 1e-9


@pytest.mark.parametrize("name", ["variable", "falling", "flying", "ball", "no_effect"])
def test_what_is_placed_freely_touches_nothing(name: str, scenes: Scenes) -> None:
    for objects in scenes[name]:
        assert not any(overlap(a, b) for a, b in itertools.combinations(objects, 2))


@pytest.mark.parametrize("name", ["falling", "ball", "barrier"])
def test_a_group_of_large_objects_finds_room_too(name: str, scenes: Scenes) -> None:
    assert len(scenes[name]) == DRAWS


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_starts_in_the_floor(name: str, scenes: Scenes, library: Library) -> None:
    for objects in scenes[name]:
        for item in objects:
            if item.name in ("ramp", "wedge"):
                continue
            low = library.shapes[item.asset].low[2] * item.scale[2]
            assert item.position[2] + low > -1e-9


def test_who_is_removed_is_drawn(scenes: Scenes) -> None:
    """Of the objects that could be: no index, size or place says it."""
    variable = Counter(
        next(i for i, item in enumerate(o) if item.role == "removed") for o in scenes["variable"] if len(o) == 6
    )
    assert len(variable) >= 3
    chain = {(len(o), next(i for i, item in enumerate(o) if item.role == "removed")) for o in scenes["chain"]}
    assert len(chain) > 10
    removed_names = {item.name for objects in scenes["support"] for item in objects if item.role == "removed"}
    assert {"block", "pillar", "shelf", "wedge"} <= removed_names


def test_a_gap_in_a_chain_is_wider_than_a_domino_reaches(scenes: Scenes) -> None:
    for objects in scenes["chain"]:
        row = [item for item in objects if item.name == "domino"]
        gone = [i for i, item in enumerate(row) if item.role == "removed"]
        assert gone == list(range(gone[0], gone[-1] + 1)) and gone[0] > 0 and gone[-1] < len(row) - 1
        before, after = row[gone[0] - 1], row[gone[-1] + 1]
        assert math.dist(before.position[:2], after.position[:2]) - row[0].extents[0] > 1.0 * row[0].extents[2]


def test_thrown_and_rolled_things_arrive() -> None:
    item = ObjectSpec("sphere", "ball", "removed", None, (0.3,) * 3, (0.6,) * 3, 1.0, 0.4, 0.2, (1.0, 2.0, 0.5))
    flying, seconds, aim = thrown(item, (0.0, 0.5, 0.9), 0.7), 0.7, (0.0, 0.5, 0.9)
    fall = np.array([0.0, 0.0, GRAVITY * seconds**2 / 2])
    np.testing.assert_allclose(np.array(item.position) + np.multiply(flying.velocity, seconds) - fall, aim)
    rolling = rolled(item, (4.0, 6.0), 2.5)
    np.testing.assert_allclose(rolling.velocity, (1.5, 2.0, 0.0))
    # No slip: the velocity of the lowest point, v + w x (0, 0, -r), is zero.
    lowest = np.add(rolling.velocity, np.cross(rolling.angular_velocity, (0.0, 0.0, -0.3)))
    np.testing.assert_allclose(lowest, 0, atol=1e-12)


@pytest.mark.parametrize("seconds", [20 / 12, 60 / 12, 84 / 12])
@pytest.mark.parametrize("name", ["falling", "flying"])
def test_arrivals_fit_the_clip(name: str, seconds: float, library: Library) -> None:
    """A falling or flying object meets the height of what it hits in time, however long the clip."""
    config = getattr(FamiliesConfig(), name)
    latest = min(config.arrival[1] * seconds, config.latest) + 0.5
    for seed in range(30):
        try:
            objects = FAMILIES[name].sample(config, draw_of(library, seed, seconds=seconds))
        except NoRoomError:
            continue
        for item in objects:
            if item.role == "removed":
                up, height = item.velocity[2], item.position[2]
                flight = (up + math.sqrt(up**2 + 2 * GRAVITY * height)) / GRAVITY
                assert flight < latest + 0.5


CHECKS: dict[str, Callable[[tuple[ObjectSpec, ...]], bool]] = {
    "falling": lambda o: all(item.position[2] > 0.5 for item in o if item.role == "removed"),
    "flying": lambda o: all(np.linalg.norm(item.velocity) > 1 for item in o if item.role == "removed"),
    "ball": lambda o: all(item.angular_velocity != (0.0, 0.0, 0.0) for item in o if item.role == "removed"),
    "chain": lambda o: all(item.name == "domino" for item in o if item.role == "removed"),
    "support": lambda o: all(item.velocity == (0.0, 0.0, 0.0) for item in o),
    "barrier": lambda o: [item.name for item in o if item.role == "removed"] == ["wall"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_family_is_what_it_is_called(name: str, scenes: Scenes) -> None:
    assert all(CHECKS[name](objects) for objects in scenes[name])


def test_a_barrier_is_at_times_fixed_and_at_times_heavy(scenes: Scenes) -> None:
    walls = [item for objects in scenes["barrier"] for item in objects if item.name == "wall"]
    assert 0.35 < np.mean([wall.static for wall in walls]) < 0.65
    assert all(8 <= wall.mass <= 15 for wall in walls)
