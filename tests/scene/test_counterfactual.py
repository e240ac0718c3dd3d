"""The counterfactual world: resumed before the first effect, and the factual one where there is none."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from two_boxes import SPEC, thing, worlds

from data_gen.assets.library import Library
from data_gen.scene.counterfactual import joined, simulate_both
from data_gen.scene.influence import reached
from data_gen.scene.simulate import FLOOR, simulate
from data_gen.scene.spec import ObjectSpec, SceneSpec
from data_gen.scene.workshop import Workshop

FRAMES, FPS = 25, 12
TARGET, REMOVED, ROLLING, STACKED = range(4)


def sphere(role: str, x: float, y: float, velocity: tuple[float, float, float]) -> ObjectSpec:
    return replace(
        thing("target", x), asset="sphere", role=role, position=(x, y, 0.251), velocity=velocity, friction=0.4
    )  # type: ignore[arg-type]


@pytest.fixture
def spec() -> SceneSpec:
    """A ball hits a box; elsewhere another ball rolls, and a box falls on a box and rocks."""
    objects = (
        thing("target", 0.0),
        sphere("removed", 2.0, 0.0, (-3.0, 0.0, 0.0)),
        sphere("bystander", -3.0, 3.0, (2.0, -0.3, 0.0)),
        replace(thing("bystander", 0.1), position=(0.15, 4.0, 0.9), quaternion=(0.96, 0.2, 0.19, 0.0)),
        replace(thing("bystander", 0.0), position=(0.0, 4.0, 0.251)),
    )
    return replace(SPEC, objects=objects, frames=FRAMES, fps=FPS)


def test_worlds_are_equal_to_the_bit_where_nothing_was_caused(
    spec: SceneSpec, library: Library, tmp_path: Path
) -> None:
    workshop = Workshop(library)
    full, without = simulate_both(spec, workshop, tmp_path)
    times = reached(spec, full, without)
    assert 3 < times[TARGET] < 12 and all(math.isinf(times[i]) for i in (ROLLING, STACKED, 4))
    same = math.ceil(times[TARGET])
    assert (full.positions[TARGET][:same] == without.positions[TARGET][:same]).all()
    assert np.abs(full.positions[TARGET] - without.positions[TARGET]).max() > 0.2
    for i in (ROLLING, STACKED, 4):
        assert (full.positions[i] == without.positions[i]).all() and (
            full.quaternions[i] == without.quaternions[i]
        ).all()
    assert sorted(without.positions) == [0, 2, 3, 4]
    assert not any(REMOVED in (c.first, c.second) for c in without.contacts)
    assert without.positions[TARGET].shape == (FRAMES, 3)


def test_it_is_what_a_simulation_from_the_start_gives(spec: SceneSpec, library: Library, tmp_path: Path) -> None:
    """But for the solver's dependence on all that is in the world: the reason not to do that."""
    workshop = Workshop(library)
    _, without = simulate_both(spec, workshop, tmp_path)
    afresh = simulate(spec, spec.survivors, workshop, tmp_path)
    np.testing.assert_allclose(without.positions[TARGET], afresh.positions[TARGET], atol=2e-3)
    np.testing.assert_allclose(without.positions[ROLLING], afresh.positions[ROLLING], atol=2e-2)
    frames = [contact.frame for contact in without.contacts if contact.first == FLOOR and contact.second == TARGET]
    assert frames == sorted(frames) and frames[-1] > FRAMES - 2


def test_what_flies_keeps_its_speed_where_the_world_is_resumed(library: Library, tmp_path: Path) -> None:
    """A box in free fall while, elsewhere, a ball hits a box: its parabola has no kink."""
    falling = replace(
        thing("bystander", 0.0), position=(0.0, 5.0, 9.0), velocity=(1.0, 0.0, 2.0), angular_velocity=(0.0, 0.0, 3.0)
    )
    objects = (thing("target", 0.0), sphere("removed", 2.0, 0.0, (-3.0, 0.0, 0.0)), falling)
    scene = replace(SPEC, objects=objects, frames=15, fps=FPS)
    full, without = simulate_both(scene, Workshop(library), tmp_path)
    third = np.diff(without.positions[2], n=3, axis=0)
    assert np.abs(third).max() < 5e-3
    np.testing.assert_array_equal(full.positions[2], without.positions[2])


def test_without_any_effect_the_worlds_are_one(library: Library, tmp_path: Path) -> None:
    objects = (thing("target", 0.0), sphere("removed", 2.0, 3.0, (-1.0, 0.0, 0.0)))
    scene = replace(SPEC, objects=objects, frames=9, fps=FPS)
    full, without = simulate_both(scene, Workshop(library), tmp_path)
    assert (full.positions[TARGET] == without.positions[TARGET]).all()
    assert {contact.second for contact in without.contacts} == {TARGET}


def test_what_stood_on_the_removed_falls_from_the_first_frame(library: Library, tmp_path: Path) -> None:
    above = replace(thing("target", 0.0), position=(0.0, 0.0, 0.752))
    below = replace(thing("removed", 0.0), position=(0.0, 0.0, 0.251))
    scene = replace(SPEC, objects=(above, below), frames=9, fps=FPS)
    full, without = simulate_both(scene, Workshop(library), tmp_path)
    assert np.abs(full.positions[0][:, 2] - 0.75).max() < 0.02
    fallen = 0.752 - without.positions[0][3, 2]
    assert fallen == pytest.approx(5 * 0.25**2 + 5 * 0.25 / 240, rel=0.03)


def test_crossings_of_joined_worlds_are_those_of_the_frames_that_are_kept() -> None:
    full, _ = worlds()
    later = replace(full, crossings=(0, 3))
    assert joined(replace(full, crossings=(2, 6)), later, 4).crossings == (2, 4, 7)
