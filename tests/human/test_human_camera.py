"""The camera of human scenes against the published table, and where it goes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from data_gen.human.camera import CAMERAS, sample_camera
from data_gen.human.config import CAMERA_MOTIONS, VARIANTS, HumanConfig
from data_gen.scene.camera import SENSOR_WIDTH, CameraPath

HIPS_T3 = np.linspace([-1.0, 0.2, 0.9], [0.6, 0.8, 1.0], 13)
MIDDLE = (-0.2, 0.5, 0.95)
FRAMES = 13


def drawn(motion: str, variant: str = "v2", seed: int = 0) -> CameraPath:
    config = HumanConfig(motions=[motion])
    rng = np.random.default_rng(seed)
    return sample_camera(config, HIPS_T3, variant=variant, frames=FRAMES, fps=12, size=(96, 128), rng=rng)


def target(path: CameraPath, frame: int) -> np.ndarray:
    """Where the camera looks, above the middle of the hips' path."""
    camera = path.at(frame)
    way = camera.axes[2]
    reach = np.hypot(*(np.array(MIDDLE)[:2] - camera.position[:2])) / np.hypot(*way[:2])
    return np.asarray(camera.position) + reach * way


def from_target(path: CameraPath) -> np.ndarray:
    return np.array(path.positions)[:, :2] - MIDDLE[:2]


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_stands_in_front_at_the_heights_and_distances_of_the_table(variant: str) -> None:
    low, high = CAMERAS[variant].height
    places = np.array([drawn("static", variant, seed).positions[0] for seed in range(60)])
    np.testing.assert_allclose(places[:, 0], MIDDLE[0] + 1)
    distances, heights = MIDDLE[1] - places[:, 1], places[:, 2]
    # Half of the hips' way and 5.5 m, times 1 to 1.4, is 6.4 to 8.9 m here.
    assert distances.min() > 6.3 and distances.max() < 9.0 and np.ptp(distances) > 1.5
    assert heights.min() >= 1.5 + low - 1e-9 and heights.max() <= 1.5 + high + 1e-9
    assert np.ptp(heights) > 0.7 * (high - low)


@pytest.mark.parametrize("motion", CAMERA_MOTIONS)
def test_it_looks_at_the_same_point_all_the_time(motion: str) -> None:
    for seed in range(5):
        path = drawn(motion, seed=seed)
        points = np.array([target(path, frame) for frame in range(FRAMES)])
        np.testing.assert_allclose(points, np.broadcast_to(points[0], points.shape), atol=1e-6)
        np.testing.assert_allclose(points[0, :2], MIDDLE[:2], atol=1e-6)
        assert 0.45 <= points[0, 2] <= 0.95
        assert path.motion == motion and len(path.positions) == (1 if motion == "static" else FRAMES)


def test_the_motions_go_as_far_as_the_table_says() -> None:
    variant = CAMERAS["v2"]
    for seed in range(20):
        far = np.linalg.norm(from_target(drawn("zoom_in", seed=seed)), axis=1)
        assert variant.zoom_in[0] <= 1 - far[-1] / far[0] <= variant.zoom_in[1] and (np.diff(far) < 0).all()
        far = np.linalg.norm(from_target(drawn("zoom_out", seed=seed)), axis=1)
        assert variant.zoom_out[0] <= far[-1] / far[0] - 1 <= variant.zoom_out[1]
        around = from_target(drawn("circular", seed=seed))
        np.testing.assert_allclose(np.linalg.norm(around, axis=1), np.linalg.norm(around[0]))
        angles = np.unwrap(np.arctan2(around[:, 1], around[:, 0]))
        assert variant.arc[0] <= math.degrees(abs(angles[-1] - angles[0])) <= variant.arc[1]
        for motion, sign in (("linear_left", -1), ("linear_right", 1)):
            shift = np.diff(np.array(drawn(motion, seed=seed).positions)[[0, -1]], axis=0)[0]
            assert variant.lateral[0] <= sign * shift[0] <= variant.lateral[1] and (shift[1:] == 0).all()
    signs = {float(np.sign(np.diff(from_target(drawn("circular", seed=seed))[:2, 0])[0])) for seed in range(10)}
    assert signs == {-1.0, 1.0}


def test_the_lens_shows_what_50_mm_show_on_a_36_mm_sensor() -> None:
    assert drawn("static").focal_length / SENSOR_WIDTH == pytest.approx(50 / 36)


def test_a_standing_person_is_wholly_in_a_wide_picture() -> None:
    body_N3 = np.array([[MIDDLE[0], MIDDLE[1], 0.0], [MIDDLE[0], MIDDLE[1], 1.8]])
    places = np.stack([drawn("static", seed=seed).at(0).project(body_N3)[0] for seed in range(50)])
    assert ((places > 0) & (places < 1)).all(axis=(1, 2)).mean() > 0.9
