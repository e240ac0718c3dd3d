"""The camera: projection, keyframes, and the distributions of its paths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from two_boxes import PLACE, SPEC

from data_gen.scene.camera import CameraPath, ease, looking_at
from data_gen.scene.camera_path import sample_path
from data_gen.scene.config import MOTIONS, CameraConfig

FRAMES, FPS, SIZE = 25, 12, (96, 128)


def path(motion: str, seed: int = 0, **changes: object) -> CameraPath:
    config = CameraConfig(motions=[motion], **changes)  # type: ignore[arg-type]
    return sample_path(config, FRAMES, FPS, SIZE, np.random.default_rng(seed))


def polar(place: tuple[float, float, float]) -> tuple[float, float, float]:
    """Horizontal distance, azimuth in degrees (clockwise seen from above), height."""
    x, y, z = place
    return math.hypot(x, y), math.degrees(math.atan2(-y, x)), z


def test_what_is_looked_at_is_in_the_middle_and_up_is_up() -> None:
    camera = SPEC.camera.at(0)
    (middle, above, right), depth = camera.project(np.array([(0.0, 0.0, 0.2), (0.0, 0.0, 1.0), (1.0, 0.0, 0.2)]))
    np.testing.assert_allclose(middle, 0.5)
    assert above[1] < 0.5 and above[0] == pytest.approx(0.5)
    assert right[0] > 0.5 and right[1] == pytest.approx(0.5)
    assert depth[0] == pytest.approx(np.linalg.norm(np.subtract(PLACE, (0.0, 0.0, 0.2))))


def test_rays_are_the_inverse_of_projection() -> None:
    camera = SPEC.camera.at(0)
    places_N2 = np.random.default_rng(0).random((50, 2))
    rays_N3 = camera.rays(places_N2)
    np.testing.assert_allclose(np.linalg.norm(rays_N3, axis=-1), 1)
    found_N2, depth_N = camera.project(camera.position + 7 * rays_N3)
    np.testing.assert_allclose(found_N2, places_N2, atol=1e-12)
    assert (depth_N > 0).all()


def test_the_field_of_view_is_49_degrees() -> None:
    edge = SPEC.camera.at(0).rays(np.array([(0.0, 0.5), (1.0, 0.5)]))
    assert math.degrees(math.acos(edge[0] @ edge[1])) == pytest.approx(49.1, abs=0.05)


@pytest.mark.parametrize("motion", MOTIONS)
def test_paths_keep_the_scene_in_the_picture(motion: str) -> None:
    for seed in range(20):
        drawn = path(motion, seed)
        assert drawn.motion == motion
        assert len(drawn.positions) == len(drawn.quaternions) == (1 if motion == "static" else FRAMES)
        places, depths = zip(*(drawn.at(t).project(np.array([(0.0, 0.0, 0.2)])) for t in range(FRAMES)), strict=True)
        assert np.abs(np.concatenate(places) - 0.5).max() < 0.12 and np.min(depths) > 2
        np.testing.assert_allclose(np.linalg.norm(drawn.quaternions, axis=-1), 1)


def test_the_start_is_drawn_from_the_intervals() -> None:
    config = CameraConfig()
    starts = [polar(path("static", seed).positions[0]) for seed in range(400)]
    for values, (low, high) in zip(
        zip(*starts, strict=True), (config.distance, config.azimuth, config.height), strict=True
    ):
        assert low <= min(values) < low + 0.05 * (high - low)
        assert high >= max(values) > high - 0.05 * (high - low)


@pytest.mark.parametrize(("motion", "interval"), [("dolly_in", (0.6, 0.8)), ("dolly_out", (1.3, 1.5))])
def test_a_dolly_changes_the_distance_alone(motion: str, interval: tuple[float, float]) -> None:
    for seed in range(20):
        drawn = path(motion, seed)
        start, end = polar(drawn.positions[0]), polar(drawn.positions[-1])
        assert interval[0] <= end[0] / start[0] <= interval[1]
        assert end[1:] == pytest.approx(start[1:])


@pytest.mark.parametrize(("motion", "sign"), [("orbit_left", 1), ("orbit_right", -1)])
def test_an_orbit_changes_the_azimuth_alone(motion: str, sign: int) -> None:
    for seed in range(20):
        drawn = path(motion, seed)
        start, end = polar(drawn.positions[0]), polar(drawn.positions[-1])
        assert 20 <= sign * (end[1] - start[1]) <= 40
        assert (end[0], end[2]) == pytest.approx((start[0], start[2]))


def test_between_keyframes_each_component_is_eased_as_blender_does() -> None:
    """Bezier handles at a third of the way and level: 3s^2 - 2s^3."""
    assert [ease(share) for share in (0.0, 0.25, 0.5, 1.0)] == [0.0, 0.15625, 0.5, 1.0]
    drawn = path("orbit_left")
    positions, quaternions = np.array(drawn.positions), np.array(drawn.quaternions)
    share = ease(6 / 24)
    np.testing.assert_allclose(positions[6], positions[0] + share * (positions[-1] - positions[0]))
    mixed = quaternions[0] + share * (quaternions[-1] - quaternions[0])
    np.testing.assert_allclose(quaternions[6], mixed / np.linalg.norm(mixed))


def test_blender_eases_so() -> None:
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    item = bpy.data.objects.new("moving", None)
    for frame, x in ((0, 1.0), (24, 3.0)):
        item.location.x = x
        item.keyframe_insert("location", index=0, frame=frame)
    curve = item.animation_data.action.fcurves[0]
    for frame in range(25):
        assert curve.evaluate(frame) == pytest.approx(1 + 2 * ease(frame / 24), abs=1e-4)


def test_a_hand_sways_by_the_configured_amount() -> None:
    shifts, turns = [], []
    for seed in range(60):
        drawn = path("handheld", seed, handheld_shift=0.1, handheld_turn=2.0)
        rng = np.random.default_rng(seed)
        start = sample_path(CameraConfig(motions=["static"]), FRAMES, FPS, SIZE, rng)
        shifts.append(np.subtract(drawn.positions, start.positions[0]))
        (w, x, y, z), q = start.quaternions[0], np.array(drawn.quaternions)[:, [1, 2, 3, 0]]
        turns.append((Rotation.from_quat([x, y, z, w]).inv() * Rotation.from_quat(q)).as_rotvec(degrees=True))
    np.testing.assert_allclose(np.sqrt(np.square(shifts).mean(axis=(0, 1))), 0.1, rtol=0.15)
    np.testing.assert_allclose(np.sqrt(np.square(turns).mean(axis=(0, 1))), 2.0, rtol=0.15)
    # Smoothly: never more than a wave of 1.2 Hz can.
    assert np.abs(np.diff(shifts, axis=1)).max() < 0.1 * math.sqrt(6) * 2 * math.pi * 1.2 / FPS


def test_looking_straight_from_the_side() -> None:
    np.testing.assert_allclose(
        Rotation.from_quat(np.roll(looking_at((5.0, 0.0, 0.0), (0.0, 0.0, 0.0)), -1)).apply((0, 0, -1)),
        (-1, 0, 0),
        atol=1e-12,
    )
