"""The factual world and the one without the person, with the real Kubric and PyBullet."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tabletop import FPS, as_prop, ball, box, motion_of, mug, scene_of, still, table, tray, workshop_of

from data_gen.assets.solids import block
from data_gen.human.counterfactual import counterfactual_world
from data_gen.human.factual import spin
from data_gen.human.motion import Motion
from data_gen.scene.accept import Reason, judge
from data_gen.scene.config import AcceptConfig
from data_gen.scene.influence import reached
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec

FRAMES = 13
LIMITS = AcceptConfig(
    min_divergence=0.0, min_visible_frames=0.0, removed_area=(0.0, 1e9), max_overlap=0.03, max_sinking=0.03
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("props")


def both(motion: Motion, folder: Path, scratch: Path, removal_frame: int = 0) -> tuple[SceneSpec, World, World]:
    spec, full, clip, stored, _ = scene_of(motion, folder, removal_frame)
    return spec, full, counterfactual_world(spec, full, clip, stored, workshop_of(stored), scratch)


def verdict(spec: SceneSpec, full: World, without: World) -> Reason | None:
    spec = replace(
        spec, objects=tuple(replace(item, role="bystander") for item in spec.objects[:-1]) + spec.objects[-1:]
    )
    return judge(spec, full, without, LIMITS, contact_window=(0.0, 1.0), changes=True).reason


def test_what_is_held_falls_freely(folder: Path, tmp_path: Path) -> None:
    hand_T3 = still(0.08, 0, 2.05, FRAMES)[:, :3]
    spec, full, without = both(motion_of([box()], [still(0, 0, 2.0, FRAMES)], hand_T3), folder, tmp_path)
    time = np.arange(7) / FPS
    # Semi-implicit Euler with 4 substeps of 1/240 s adds g t / 1920 to it; Bullet damps speeds by 4 % a second.
    np.testing.assert_allclose(2.05 - without.positions[0][1:7, 2], 9.81 / 2 * time[1:] ** 2, rtol=0.02)
    np.testing.assert_array_equal(without.positions[0][0], full.positions[0][0])
    assert without.positions[0][-1, 2] == pytest.approx(0.05, abs=0.05)
    assert verdict(spec, full, without) is None


def test_a_mug_that_falls_upright_keeps_the_ball_in_it(folder: Path, tmp_path: Path) -> None:
    hand_T3 = still(-0.075, 0, 0.55, FRAMES)[:, :3]
    paths = [still(0, 0, 0.5, FRAMES), still(0, 0, 0.5 + 0.005 + 0.015, FRAMES)]
    _, full, without = both(motion_of([mug(), ball()], paths, hand_T3), folder, tmp_path)
    assert full.positions[1][0, 2] < 0.53
    fallen = without.positions[0][3, 2] - full.positions[0][3, 2]
    assert fallen == pytest.approx(-9.81 / 2 * 0.25**2, rel=0.05)
    gap_T3 = without.positions[1] - without.positions[0]
    assert np.abs(gap_T3[:4, :2]).max() < 0.03 and np.abs(gap_T3[:4, 2] - gap_T3[0, 2]).max() < 0.02


def test_things_on_a_tray_fall_with_it(folder: Path, tmp_path: Path) -> None:
    hand_T3 = still(0.0, 0, 0.955, FRAMES)[:, :3]
    paths = [still(0, 0, 1.0, FRAMES), still(0.05, 0, 1.015, FRAMES)]
    spec, full, without = both(motion_of([tray(), box("mug")], paths, hand_T3), folder, tmp_path)
    assert not spec.objects[1].static
    drop_T = full.positions[1][:, 2] - without.positions[1][:, 2]
    assert drop_T[4] == pytest.approx(9.81 / 2 * (4 / FPS) ** 2, rel=0.05)
    assert math.isfinite(reached(spec, full, without)[1])
    assert verdict(spec, full, without) is None


def test_released_later_it_keeps_its_velocity(folder: Path, tmp_path: Path) -> None:
    """Carried at 1.2 m/s, 2 m high; the person vanishes at frame 4."""
    frame, speed = 4, 1.2
    path_T7 = still(0, 0, 2.0, FRAMES)
    path_T7[:, 0] = speed * np.arange(FRAMES) / FPS
    hand_T3 = path_T7[:, :3] + (0.08, 0, 0.05)
    _, full, without = both(motion_of([box()], [path_T7], hand_T3), folder, tmp_path, removal_frame=frame)
    for name in ("positions", "quaternions"):
        np.testing.assert_array_equal(getattr(full, name)[0][: frame + 1], getattr(without, name)[0][: frame + 1])
    time = np.arange(7) / FPS
    path = without.positions[0][frame : frame + 7]
    np.testing.assert_allclose(path[:, 0] - path[0, 0], speed * time, rtol=0.03, atol=1e-6)
    np.testing.assert_allclose(path[0, 2] - path[1:, 2], 9.81 / 2 * time[1:] ** 2, rtol=0.02)


def test_what_nobody_touches_stays_to_the_bit(folder: Path, tmp_path: Path) -> None:
    """A box falls onto the floor; another stands in a table 8 mm deep, another floats as it was recorded."""
    hand_T3 = still(2.08, 0, 1.05, FRAMES)[:, :3]
    props = [box(), table(), mug(), box(name="afloat")]
    paths = [
        still(2, 0, 1.0, FRAMES), still(0, 0, 0, FRAMES), still(0, 0, 0.73 - 0.008, FRAMES), still(0, 2, 1.0, FRAMES),
    ]  # fmt: skip
    spec, full, without = both(motion_of(props, paths, hand_T3), folder, tmp_path)
    assert [item.static for item in spec.objects] == [False, True, True, True, False]
    for i in (1, 2, 3):
        for name in ("positions", "quaternions"):
            assert (getattr(without, name)[i] == getattr(full, name)[i][0]).all()
    assert without.positions[0][-1, 2] < 0.2


def test_what_will_be_lifted_rests_to_the_bit_without_the_person(folder: Path, tmp_path: Path) -> None:
    """A mug on a table that the person lifts from frame 6: without them it stands there all the time."""
    path_T7 = still(0, 0, 0.73 - 0.004, FRAMES)
    path_T7[6:, 2] += np.linspace(0.02, 0.4, FRAMES - 6)
    hand_T3 = path_T7[:, :3] + (-0.075, 0, 0.05)
    motion = motion_of([table(), mug()], [still(0, 0, 0, FRAMES), path_T7], hand_T3)
    spec, full, without = both(motion, folder, tmp_path)
    assert [item.static for item in spec.objects[:2]] == [True, False]
    assert (without.positions[1] == full.positions[1][0]).all() and (without.quaternions[1] == [1, 0, 0, 0]).all()
    assert full.positions[1][-1, 2] > without.positions[1][-1, 2] + 0.3
    assert verdict(spec, full, without) is None


def test_what_rests_is_woken_by_what_falls_on_it(folder: Path, tmp_path: Path) -> None:
    lifted_T7 = still(0.06, 0, 0, FRAMES)
    lifted_T7[8:, 2] += np.linspace(0.02, 0.4, FRAMES - 8)
    hand_T3 = still(0.08, 0, 1.05, FRAMES)[:, :3]
    hand_T3[8:] = lifted_T7[8:, :3] + (0.08, 0, 0.05)
    held_T7 = still(0, 0, 1.0, FRAMES)
    motion = motion_of([box(name="a"), box(side=12, name="b")], [held_T7, lifted_T7], hand_T3)
    _, full, without = both(motion, folder, tmp_path)
    resting_T = (without.positions[1] == full.positions[1][0]).all(axis=1)
    assert resting_T[:5].all() and not resting_T[-1]


def test_what_is_sunk_into_a_table_comes_out_gently(folder: Path, tmp_path: Path) -> None:
    """Thrown from frame 0, 12 mm deep in the table's surface: no faster than a fall."""
    path_T7 = still(0, 0, 0.73 - 0.012, FRAMES)
    path_T7[:, 0] += 0.5 * np.arange(FRAMES) / FPS
    hand_T3 = path_T7[:, :3] + (-0.075, 0, 0.05)
    motion = motion_of([table(), mug()], [still(0, 0, 0, FRAMES), path_T7], hand_T3)
    _, full, without = both(motion, folder, tmp_path, removal_frame=3)
    assert without.positions[1][:, 2].max() < full.positions[1][0, 2] + 0.03
    assert np.abs(without.velocities[1][4:]).max() < 0.7


def test_a_spoon_does_not_fall_through_a_thin_shelf(folder: Path, tmp_path: Path) -> None:
    frames = 19
    shelf, spoon = as_prop(block(60, 40, 1.0), "shelf"), as_prop(block(18, 3, 0.8), "spoon")
    paths = [still(0, 0, 0.3, frames), still(0, 0, 2.3, frames)]
    spec, full, without = both(motion_of([shelf, spoon], paths, still(0.0, 0.05, 2.3, frames)[:, :3]), folder, tmp_path)
    assert spec.objects[0].static and without.positions[1][-1, 2] == pytest.approx(0.314, abs=0.01)
    assert without.crossings == () and verdict(spec, full, without) is None


def test_a_crossing_is_tunnelling(folder: Path, tmp_path: Path) -> None:
    hand_T3 = still(0.08, 0, 2.05, FRAMES)[:, :3]
    spec, full, without = both(motion_of([box()], [still(0, 0, 2.0, FRAMES)], hand_T3), folder, tmp_path)
    assert verdict(spec, full, replace(without, crossings=(1,))) is Reason.tunnelled


def test_spin_is_about_the_axes_of_the_world() -> None:
    angle_T = 0.3 * np.arange(5)
    quaternions_T4 = np.stack([np.cos(angle_T / 2), 0 * angle_T, np.sin(angle_T / 2), 0 * angle_T], axis=1)
    np.testing.assert_allclose(spin(quaternions_T4, 10.0), np.tile([0, 3.0, 0], (5, 1)), atol=1e-9)
