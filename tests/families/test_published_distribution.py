"""`scene=rigid_paper` draws from the published generator's distribution, table by table."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.rigid.sample import sample_scene
from data_gen.scene.config import MaskRule
from data_gen.scene.spec import ObjectSpec, SceneSpec
from void.composition import compose_config
from void.errors import InputError

SCENES = 1500


@pytest.fixture(scope="module")
def config() -> SceneConfig:
    overrides = ["scene=rigid_paper", "name=x", "data.frames=61", "data.height=384", "data.width=384"]
    scene: SceneConfig = compose_config(overrides).scene
    return scene


@pytest.fixture(scope="module")
def specs(config: SceneConfig, library: Library) -> list[SceneSpec]:
    train = library.split("train")
    return [sample_scene(config, train, seed=3, index=i, family="variable", attempt=0) for i in range(SCENES)]


def covers(values: list[float], low: float, high: float) -> None:
    """All values lie in the interval and they are spread evenly over it."""
    array = np.array(values)
    assert low <= array.min() and array.max() <= high
    share = np.histogram(array, bins=4, range=(low, high))[0] / len(array)
    np.testing.assert_allclose(share, 0.25, atol=5 * math.sqrt(0.25 * 0.75 / len(array)))


def of_role(specs: list[SceneSpec], *roles: str) -> list[ObjectSpec]:
    return [item for spec in specs for item in spec.objects if item.role in roles]


def test_the_mask_is_by_the_published_rule(config: SceneConfig) -> None:
    assert config.mask is MaskRule.released_kubric
    assert compose_config(["scene=rigid"]).scene.mask is MaskRule.measured


@pytest.mark.parametrize("value", ["released", "exact"])
def test_the_former_name_of_the_rule_is_answered_with_the_present_ones(value: str) -> None:
    with pytest.raises(InputError, match=rf"scene.mask={value}: .*\[measured, released_kubric, released_humoto\]"):
        compose_config([f"scene.mask={value}"])


def test_numbers_of_objects_and_removed_ones(specs: list[SceneSpec]) -> None:
    counts = Counter(len(spec.objects) for spec in specs)
    for count, share in {3: 2 / 9, 4: 2 / 9, 5: 1 / 9, 6: 2 / 9, 7: 2 / 9}.items():
        assert counts[count] / SCENES == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / SCENES))
    assert all(len(spec.removed) == (2 if len(spec.objects) >= 4 else 1) for spec in specs)
    assert all(spec.targets == (0,) for spec in specs)


def test_the_removed_are_drawn_at_random_or_the_first(
    specs: list[SceneSpec], config: SceneConfig, library: Library
) -> None:
    assert len({spec.removed for spec in specs if len(spec.objects) == 7}) == 15
    config.families.variable.first_removed = True
    try:
        first = [sample_scene(config, library, seed=3, index=i, family="variable", attempt=0) for i in range(50)]
    finally:
        config.families.variable.first_removed = False
    assert {spec.removed for spec in first} == {(1,), (1, 2)}


def test_masses_frictions_and_restitutions(specs: list[SceneSpec]) -> None:
    target, others = of_role(specs, "target"), of_role(specs, "removed", "bystander")
    covers([item.mass for item in target], 0.4, 1.0)
    covers([item.mass for item in others], 0.6, 2.0)
    assert {item.friction for item in target} == {0.4}
    covers([item.friction for item in others], 0.3, 0.5)
    covers([item.restitution for item in target], 0.2, 0.4)
    covers([item.restitution for item in others], 0.2, 0.5)


def test_scales_multiply_raw_sizes(specs: list[SceneSpec], library: Library) -> None:
    items = of_role(specs, "target", "removed", "bystander")
    large = [item.scale[0] for item in items if item.scale[0] > 12]
    assert len(large) / len(items) == pytest.approx(0.3, abs=0.025)
    covers(large, 12, 20)
    covers([item.scale[0] for item in items if item.scale[0] <= 12], 3, 12)
    for item in items[:200]:
        np.testing.assert_allclose(item.extents, library.shapes[item.asset].extents * item.scale[0])
    assert all(item.quaternion == (1.0, 0.0, 0.0, 0.0) for item in items)


def test_the_ring(specs: list[SceneSpec]) -> None:
    for spec in specs:
        target, *others = spec.objects
        for i, item in enumerate(others):
            dx, dy = np.subtract(item.position[:2], target.position[:2])
            angle = math.atan2(dy, dx) % (2 * math.pi)
            assert angle == pytest.approx(i * 2 * math.pi / len(others), abs=1e-9)
    places = [spec.objects[0].position for spec in specs]
    covers([x for x, _, _ in places], -1.5, 1.5)
    covers([y for _, y, _ in places], -1.5, 1.5)
    assert {z for *_, z in places} == {1.5}
    away = [math.dist(o.position[:2], s.objects[0].position[:2]) for s in specs for o in s.objects[1:]]
    covers(away, 4, 7)
    covers([item.position[2] for item in of_role(specs, "removed", "bystander")], 1, 3)


def test_velocities(specs: list[SceneSpec]) -> None:
    def speeds(role: str) -> list[float]:
        return [float(np.linalg.norm(item.velocity)) for item in of_role(specs, role)]

    assert max(speeds("target")) == 0
    covers(speeds("removed"), 3, 9)
    covers(speeds("bystander"), 3, 7)
    misses = []
    for spec in specs:
        target = spec.objects[0]
        for item in spec.objects[1:]:
            to_target = np.subtract(target.position[:2], item.position[:2])
            direction = np.array(item.velocity[:2]) / np.linalg.norm(item.velocity)
            miss = abs(float(direction[0] * to_target[1] - direction[1] * to_target[0]))
            assert item.velocity[2] == 0 and not any(item.angular_velocity)
            if item.role == "removed":
                assert miss < 1e-9
            else:
                misses.append(miss)
    assert max(misses) < 3 * math.sqrt(2) and np.mean(misses) > 0.8


def test_camera_sky_and_render(specs: list[SceneSpec]) -> None:
    starts = [spec.camera.positions[0] for spec in specs]
    covers([math.hypot(x, y) for x, y, _ in starts], 12, 20)
    covers([math.degrees(math.atan2(-y, x)) for x, y, _ in starts], -30, 30)
    covers([z for *_, z in starts], 5, 10)
    motions = Counter(spec.camera.motion for spec in specs)
    assert set(motions) == {"static", "dolly_in", "dolly_out", "orbit_left", "orbit_right"}
    assert all(abs(count / SCENES - 0.2) < 0.045 for count in motions.values())
    for spec in specs:
        (place,), _ = spec.camera.at(0).project(np.array([(0.0, 0.0, 2.0)]))
        np.testing.assert_allclose(place, 0.5, atol=1e-9)
    assert {spec.camera.focal_length for spec in specs} == {35.0}
    assert {(spec.light.level, spec.light.sun, spec.light.rotation) for spec in specs} == {(0.0, 0.0, 0.0)}
    assert "night" not in {spec.light.sky for spec in specs}
    assert {spec.backdrop.kind for spec in specs} == {"dome"}
    assert {(spec.backdrop.friction, spec.backdrop.restitution) for spec in specs} == {(0.5, 0.2)}
    assert {(spec.fps, spec.render.samples) for spec in specs} == {(12, 32)}
