"""Depth, silhouettes and segmentation from geometry, of a ball and a plate whose pixels can be computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh
from two_boxes import SPEC, resting_camera

from data_gen.blender.raycast import Surface
from data_gen.scene.camera import CameraSpec
from data_gen.scene.geometry import background_points, centres, depth, silhouette, visible_objects

FAR = 100.0
BALL, PLATE = 0, 1
RADIUS = 0.5
CAMERA: CameraSpec = resting_camera((0.0, -6.0, 0.5), (0.0, 0.0, 0.5)).at(0)
UPRIGHT = (1.0, 0.0, 0.0, 0.0)
# The plate stands between camera and ball and hides its left half.
POSES = {
    BALL: np.array([(0.0, 0.0, 0.5, *UPRIGHT)]),
    PLATE: np.array([(-1.0, -2.0, 0.5, *UPRIGHT)]),
}


@pytest.fixture(scope="module")
def surfaces() -> dict[int, Surface]:
    ball, plate = trimesh.creation.icosphere(4, RADIUS), trimesh.creation.box((2.0, 0.1, 1.5))
    return {i: Surface(mesh.vertices, mesh.faces) for i, mesh in ((BALL, ball), (PLATE, plate))}


def on_the_ball() -> np.ndarray:
    """Pixels whose rays pass the ball's middle by less than its radius."""
    rays_N3 = CAMERA.rays(centres(np.ones((CAMERA.height, CAMERA.width), np.bool_)))
    along_N = rays_N3 @ np.subtract((0.0, 0.0, 0.5), CAMERA.position)
    passed_N = np.sqrt(36.0 - along_N**2)
    return (passed_N < RADIUS).reshape(CAMERA.height, CAMERA.width)


def test_segmentation_shows_the_nearest(surfaces: dict[int, Surface]) -> None:
    objects_HW = visible_objects(POSES, surfaces, [CAMERA])[0]
    ball_HW = on_the_ball()
    # Seen from 4 m before it, the plate's edge at x = 0 is the middle of the picture.
    left_HW = np.broadcast_to(np.arange(128) < 64, ball_HW.shape)
    assert (objects_HW[ball_HW & left_HW] == PLATE).all()
    assert ((objects_HW == BALL) == (ball_HW & ~left_HW)).mean() > 0.998
    assert (objects_HW[:10] == -1).all()


def test_a_silhouette_includes_what_is_hidden(surfaces: dict[int, Surface]) -> None:
    whole_HW = silhouette([BALL], POSES, surfaces, [CAMERA])[0]
    assert (whole_HW == on_the_ball()).mean() > 0.998 and whole_HW.sum() > 200
    both_HW = silhouette([BALL, PLATE], POSES, surfaces, [CAMERA])[0]
    assert (both_HW >= whole_HW).all() and both_HW.sum() > 2 * whole_HW.sum()


def test_an_object_partly_behind_the_camera_is_found_and_one_behind_it_is_not(surfaces: dict[int, Surface]) -> None:
    around = {PLATE: np.array([(0.0, -6.0, 0.0, math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))])}
    assert silhouette([PLATE], around, surfaces, [CAMERA]).any()
    behind = {PLATE: np.array([(0.0, -9.0, 0.5, *UPRIGHT)])}
    assert not silhouette([PLATE], behind, surfaces, [CAMERA]).any()


def test_depth_is_along_the_axis(surfaces: dict[int, Surface]) -> None:
    objects_THW = visible_objects(POSES, surfaces, [CAMERA])
    depth_HW = depth(objects_THW, POSES, surfaces, [CAMERA], None, FAR)[0]
    assert depth_HW[objects_THW[0] == PLATE] == pytest.approx(3.95, abs=1e-4)
    assert depth_HW[47, 65] == pytest.approx(5.5, abs=0.01)
    # Floor: the camera is half a metre above it and level.
    row = 90
    below = (row + 0.5) / 96 - 0.5
    expected = 0.5 / (below * 96 / 128 * 32 / 35)
    assert depth_HW[row][objects_THW[0, row] == -1] == pytest.approx(expected, rel=1e-5)
    assert (depth_HW[:40][objects_THW[0, :40] == -1] == FAR).all()


def test_a_dome_is_met_by_every_ray() -> None:
    dome = trimesh.creation.icosphere(5, 10.0)
    points_N3, solid_N = background_points(CAMERA, Surface(dome.vertices, dome.faces))
    assert solid_N.all()
    np.testing.assert_allclose(np.linalg.norm(points_N3, axis=-1), 10.0, atol=0.02)


def test_floor_and_sky_meet_at_the_horizon() -> None:
    _, solid_N = background_points(SPEC.camera.at(0), None)
    assert solid_N.all()
    _, solid_N = background_points(CAMERA, None)
    solid_HW = solid_N.reshape(CAMERA.height, CAMERA.width)
    assert not solid_HW[:48].any() and solid_HW[52:].all()
