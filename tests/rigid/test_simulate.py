"""Physics with the real Kubric and PyBullet."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_scene import small_scene
from two_boxes import SPEC

from data_gen.config import SceneConfig
from data_gen.rigid.accept import Reason, judge
from data_gen.rigid.assets import KINDS, Shape
from data_gen.rigid.sample import NoRoomError, sample_scene
from data_gen.rigid.scene import Workshop
from data_gen.rigid.simulate import FLOOR, simulate
from data_gen.rigid.spec import ObjectSpec, SceneSpec

FPS = 12


@pytest.fixture
def workshop(manifest: Path, tmp_path: Path) -> Workshop:
    return Workshop(manifest, tmp_path)


def alone(item: ObjectSpec, frames: int) -> SceneSpec:
    return replace(SPEC, objects=(replace(item, role="target"),), frames=frames, fps=FPS)


def test_free_fall(workshop: Workshop, tmp_path: Path) -> None:
    start = 5.0
    spec = alone(replace(SPEC.objects[0], position=(0.0, 0.0, start), velocity=(1.5, 0.0, 0.0)), 9)
    positions = simulate(spec, [0], workshop, tmp_path).positions[0]
    time = np.arange(9) / FPS
    # Semi-implicit Euler at 240 Hz adds g t / 480; Bullet damps speeds by 4 % a second.
    fallen = 5 * time**2 + 5 * time / 240
    np.testing.assert_allclose(start - positions[1:, 2], fallen[1:], rtol=0.02)
    np.testing.assert_allclose(positions[:, 0], 1.5 * time, rtol=0.02)
    np.testing.assert_allclose(positions[:, 1], 0, atol=1e-9)
    assert positions[0].tolist() == [0.0, 0.0, start]


@pytest.mark.parametrize("kind", KINDS)
def test_every_shape_comes_to_rest_on_the_floor(
    kind: str, catalogue: dict[str, Shape], workshop: Workshop, tmp_path: Path
) -> None:
    shape = catalogue[kind]
    scale = 0.8 / float(shape.extents.max())
    standing = -shape.low[2] * scale
    item = replace(
        SPEC.objects[0],
        kind=kind,
        scale=scale,
        extents=tuple(shape.extents * scale),
        position=(0.0, 0.0, standing + 0.001),
    )
    world = simulate(alone(item, 37), [0], workshop, tmp_path)
    np.testing.assert_allclose(world.positions[0][-1], (0, 0, standing), atol=0.012)
    assert {(contact.first, contact.second) for contact in world.contacts} == {(FLOOR, 0)}


def accepted(catalogue: dict[str, Shape], workshop: Workshop, scratch: Path) -> SceneSpec:
    config = small_scene(frames=21)
    for attempt in range(100):
        spec = sample_scene(config, catalogue, 3, 0, attempt)
        worlds = [simulate(spec, indices, workshop, scratch) for indices in (range(3), spec.survivors)]
        if judge(spec, *worlds, config.accept).reason is None:
            return spec
    raise AssertionError("no scene accepted")


def test_physics_repeats_and_worlds_agree_until_the_contact(
    catalogue: dict[str, Shape], workshop: Workshop, tmp_path: Path
) -> None:
    spec = accepted(catalogue, workshop, tmp_path)
    full, again = (simulate(spec, range(3), workshop, tmp_path) for _ in range(2))
    without = simulate(spec, spec.survivors, workshop, tmp_path)
    for i in range(3):
        np.testing.assert_array_equal(full.positions[i], again.positions[i])
        np.testing.assert_array_equal(full.quaternions[i], again.quaternions[i])
    assert full.contacts == again.contacts
    assert sorted(without.positions) == list(spec.survivors)
    first = full.first_contact(spec.removed, spec.survivors)
    assert first is not None and without.first_contact(spec.removed, spec.survivors) is None
    gap_T = np.max([np.abs(full.positions[i] - without.positions[i]).max(axis=-1) for i in spec.survivors], axis=0)
    assert gap_T[: int(np.ceil(first))].max() < 1e-6 < 0.05 < gap_T.max()


def test_scenes_are_accepted_at_the_demo_size(catalogue: dict[str, Shape], workshop: Workshop, tmp_path: Path) -> None:
    config = SceneConfig(frames=21, height=96, width=128)
    verdicts: Counter[Reason | None] = Counter()
    for index in range(40):
        try:
            spec = sample_scene(config, catalogue, 0, index, 0)
        except NoRoomError:
            verdicts[Reason.no_room] += 1
            continue
        full = simulate(spec, range(len(spec.objects)), workshop, tmp_path)
        without = simulate(spec, spec.survivors, workshop, tmp_path)
        verdicts[judge(spec, full, without, config.accept).reason] += 1
    assert verdicts[None] >= 20
    assert not verdicts[Reason.not_finite] and not verdicts[Reason.below_floor]
