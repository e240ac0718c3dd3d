"""Physics with the real Kubric and PyBullet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pybullet
import pytest
from small_scene import small_scene
from two_boxes import SPEC

from data_gen.assets.library import Library
from data_gen.rigid.families.base import NoRoomError
from data_gen.rigid.sample import sample_scene
from data_gen.scene.accept import judge
from data_gen.scene.counterfactual import simulate_both
from data_gen.scene.simulate import FLOOR, World, simulate
from data_gen.scene.spec import ObjectSpec, SceneSpec
from data_gen.scene.workshop import Workshop

FPS = 12


@pytest.fixture
def workshop(library: Library, tmp_path: Path) -> Workshop:
    return Workshop(library)


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


def test_a_spinning_object_spins(workshop: Workshop, tmp_path: Path) -> None:
    spec = alone(replace(SPEC.objects[0], position=(0.0, 0.0, 5.0), angular_velocity=(0.0, 0.0, 2.0)), 7)
    w, x, y, z = simulate(spec, [0], workshop, tmp_path).quaternions[0][-1]
    assert (x, y) == pytest.approx((0, 0), abs=1e-6)
    assert 2 * np.arctan2(z, w) == pytest.approx(2.0 * 6 / FPS, rel=0.03)


def test_what_is_static_never_moves(workshop: Workshop, tmp_path: Path) -> None:
    held = replace(SPEC.objects[0], position=(0.0, 0.0, 2.0), static=True)
    falling = replace(SPEC.objects[1], position=(0.0, 0.0, 3.0))
    world = simulate(replace(SPEC, objects=(held, falling), fps=FPS), [0, 1], workshop, tmp_path)
    assert (world.positions[0] == (0.0, 0.0, 2.0)).all()
    assert world.positions[1][-1, 2] == pytest.approx(2.5, abs=0.05)
    assert world.sinking == 0


def test_overlap_at_the_start_and_sinking_are_measured(workshop: Workshop, tmp_path: Path) -> None:
    low = replace(SPEC.objects[0], position=(0.0, 0.0, 0.2))
    beside = replace(SPEC.objects[1], position=(0.38, 0.0, 0.26))
    into_floor = simulate(alone(low, 5), [0], workshop, tmp_path)
    assert into_floor.overlap == pytest.approx(0.05, abs=0.005)
    both = replace(SPEC, objects=(replace(low, position=(0.0, 0.0, 0.26)), beside), fps=FPS)
    assert simulate(both, [0, 1], workshop, tmp_path).overlap == pytest.approx(0.12, abs=0.005)
    standing = simulate(alone(replace(low, position=(0.0, 0.0, 0.251)), 5), [0], workshop, tmp_path)
    assert standing.overlap == 0 and standing.sinking < 0.005
    sunk = simulate(alone(replace(low, position=(0.0, 0.0, -0.5)), 5), [0], workshop, tmp_path)
    assert sunk.sinking > 0.1


def test_every_shape_comes_to_rest_on_the_floor(library: Library, workshop: Workshop, tmp_path: Path) -> None:
    """As it is set down, 0.8 m large: it may rock or settle by 5 cm."""
    restless = []
    for shape in library.shapes.values():
        scale = 0.8 / float(shape.extents.max())
        standing = -shape.low[2] * scale
        item = replace(
            SPEC.objects[0],
            asset=shape.id,
            scale=(scale,) * 3,
            extents=tuple(shape.extents * scale),
            position=(0.0, 0.0, standing + 0.001),
        )
        world = simulate(alone(item, 25), [0], workshop, tmp_path)
        shift = float(np.abs(world.positions[0][-1] - (0, 0, standing)).max())
        contacts = {(contact.first, contact.second) for contact in world.contacts}
        if shift > 0.05 or contacts != {(FLOOR, 0)} or world.overlap > 0.015:
            restless.append((shape.id, round(shift, 3), round(world.overlap, 4)))
    assert not restless


def accepted(library: Library, workshop: Workshop, scratch: Path) -> tuple[SceneSpec, World, World]:
    config = small_scene(frames=21)
    window = config.families.variable.contact_window
    for attempt in range(100):
        try:
            spec = sample_scene(config, library, seed=3, index=0, family="variable", attempt=attempt)
        except NoRoomError:
            continue
        full, without = simulate_both(spec, workshop, scratch)
        if judge(spec, full, without, config.accept, contact_window=window, changes=True).reason is None:
            return spec, full, without
    raise AssertionError("no scene accepted")


def test_physics_repeats_and_worlds_agree_until_the_contact(
    library: Library, workshop: Workshop, tmp_path: Path
) -> None:
    spec, full, without = accepted(library, workshop, tmp_path)
    again = simulate(spec, range(3), workshop, tmp_path)
    for i in range(3):
        np.testing.assert_array_equal(full.positions[i], again.positions[i])
        np.testing.assert_array_equal(full.quaternions[i], again.quaternions[i])
    assert full.contacts == again.contacts
    assert sorted(without.positions) == list(spec.survivors)
    first = full.first_contact(spec.removed, spec.survivors)
    assert first is not None and without.first_contact(spec.removed, spec.survivors) is None
    gap_T = np.max([np.abs(full.positions[i] - without.positions[i]).max(axis=-1) for i in spec.survivors], axis=0)
    assert gap_T[: int(np.ceil(first))].max() < 1e-6 < 0.05 < gap_T.max()


def test_no_bullet_client_stays_open(workshop: Workshop, tmp_path: Path) -> None:
    """There is room for 1,024 of them; a data set has more worlds."""
    before = open_clients()
    for _ in range(3):
        simulate(alone(SPEC.objects[0], 2), [0], workshop, tmp_path)
    assert open_clients() == before


def open_clients() -> int:
    return sum(pybullet.isConnected(client) for client in range(64))
