"""A skinned figure in Blender: its skin, its pictures, its ids, and what geometry says of its pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import box_man
import numpy as np
import pytest
from box_man import CUBE, PERSON, SKELETON, SKIN

from data_gen.assets.library import Library
from data_gen.scene.flow import clip_flow
from data_gen.scene.geometry import depth, silhouette, visible_objects
from data_gen.scene.render import BlenderRenderer
from data_gen.scene.simulate import World
from data_gen.scene.skin import skinned
from data_gen.scene.spec import SceneSpec
from data_gen.scene.views import rounded_poses

WORLD = box_man.world(box_man.walk())


def opened(library: Library, scratch: Path, spec: SceneSpec | None = None) -> BlenderRenderer:
    return BlenderRenderer(spec or box_man.scene(), box_man.workshop(library), scratch)


def poses_of(world: World) -> dict[int, np.ndarray]:
    return {i: rounded_poses(world, i) for i in (CUBE, PERSON)}


def skin_in_blender(renderer: BlenderRenderer, frame: int) -> np.ndarray:
    """Vertices `(V, 3)` after the armature's deformation."""
    import bpy

    bpy.context.scene.frame_set(frame)
    item = renderer._in_blender(renderer._objects[PERSON]).evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.empty(len(item.data.vertices) * 3, np.float32)
    item.data.vertices.foreach_get("co", points)
    turn = np.array(item.matrix_world)
    return points.reshape(-1, 3) @ turn[:3, :3].T + turn[:3, 3]


def test_the_skin_is_that_of_linear_blending(library: Library, tmp_path: Path) -> None:
    renderer = opened(library, tmp_path)
    renderer.prepare(poses_of(WORLD), [0, 1, 2])
    for frame, joints_J7 in enumerate(WORLD.joints[PERSON]):
        expected_V3 = skinned(SKIN, SKELETON, joints_J7)
        assert frame == 0 or np.abs(expected_V3 - SKIN.vertices_V3).max() > 0.1
        np.testing.assert_allclose(skin_in_blender(renderer, frame), expected_V3, atol=1e-3)
    # Other frames of another motion replace these.
    renderer.prepare(poses_of(box_man.world(WORLD.joints[PERSON][::-1])), [0])
    np.testing.assert_allclose(
        skin_in_blender(renderer, 0), skinned(SKIN, SKELETON, WORLD.joints[PERSON][2]), atol=1e-3
    )


def test_each_picture_shows_its_own_pose(library: Library, tmp_path: Path) -> None:
    renderer = opened(library, tmp_path)
    view = renderer.render(WORLD, [CUBE, PERSON])
    cameras = [renderer.spec.camera.at(0)] * box_man.FRAMES
    traced_THW = visible_objects(poses_of(WORLD), renderer.surfaces(), cameras)
    assert renderer.pictures == box_man.FRAMES
    assert ((traced_THW == PERSON).sum(axis=(1, 2)) > 300).all()
    assert ((traced_THW == view.objects_THW).mean(axis=(1, 2)) > 0.99).all()
    # The three poses differ by far more than these errors.
    assert ((traced_THW[0] == PERSON) != (traced_THW[2] == PERSON)).mean() > 0.03
    # Red and navy parts, and skin as the figure has it.
    pixels_N3 = view.rgb_THWC[0][view.objects_THW[0] == PERSON].astype(int)
    redder, bluer = pixels_N3[:, 0] > 2 * pixels_N3[:, 2], pixels_N3[:, 2] > 1.5 * pixels_N3[:, 0]
    assert 0.2 < redder.mean() < 0.8 and 0.2 < bluer.mean() < 0.8


def test_an_invisible_person_leaves_neither_pixels_nor_a_shadow(library: Library, tmp_path: Path) -> None:
    renderer = opened(library, tmp_path)
    full = renderer.render(WORLD, [CUBE, PERSON])
    hidden = renderer.render(WORLD, [CUBE])
    assert not (hidden.objects_THW == PERSON).any()
    assert renderer.pictures == box_man.FRAMES + 1
    change_HW = np.abs(full.rgb_THWC[0].astype(int) - hidden.rgb_THWC[0]).max(axis=-1)
    outside_HW = full.objects_THW[0] == -1
    assert (change_HW[outside_HW] > 20).sum() > 40


def test_motion_blur_smears_a_moving_arm(library: Library, tmp_path: Path) -> None:
    sharp = opened(library, tmp_path).render(WORLD, [CUBE, PERSON])
    spec = box_man.scene()
    renderer = opened(library, tmp_path, replace(spec, render=replace(spec.render, motion_blur=0.9)))
    blurred = renderer.render(WORLD, [CUBE, PERSON])
    change_HW = np.abs(blurred.rgb_THWC[1].astype(int) - sharp.rgb_THWC[1]).max(axis=-1)
    still_HW = sharp.objects_THW[1] == CUBE
    assert change_HW[sharp.objects_THW[1] == PERSON].mean() > 2 * change_HW[still_HW].mean() + 5
    np.testing.assert_array_equal(blurred.objects_THW, sharp.objects_THW)


@pytest.fixture(scope="module")
def surfaces(library: Library, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return opened(library, tmp_path_factory.mktemp("surfaces")).surfaces()


def test_points_of_the_skin_are_carried_along(surfaces: dict) -> None:
    first, last = (pose_J7.ravel() for pose_J7 in WORLD.joints[PERSON][[0, 2]])
    before_V3, after_V3 = (skinned(SKIN, SKELETON, pose.reshape(-1, 7)) for pose in (first, last))
    corners_F3 = SKIN.triangles_F3
    weights_3 = np.array([0.2, 0.3, 0.5])
    points_F3, expected_F3 = (np.einsum("c,fcx->fx", weights_3, v[corners_F3]) for v in (before_V3, after_V3))
    moved_F3 = surfaces[PERSON].carried(points_F3, first, last)
    # Where bones' boxes overlap, a point is on two triangles.
    assert (np.linalg.norm(moved_F3 - expected_F3, axis=-1) < 1e-4).mean() > 0.95
    assert np.linalg.norm(expected_F3 - points_F3, axis=-1).max() > 0.3


def test_flow_depth_and_silhouette_of_a_figure(surfaces: dict) -> None:
    spec = box_man.scene()
    cameras = [spec.camera.at(t) for t in range(box_man.FRAMES)]
    shift_T = np.array([0.0, 0.05, 0.1])
    joints_TJ7 = np.tile(SKELETON.rest_J7, (box_man.FRAMES, 1, 1))
    joints_TJ7[..., 0] += shift_T[:, None]
    poses = poses_of(box_man.world(joints_TJ7))
    objects_THW = visible_objects(poses, surfaces, cameras)
    shown_THW = objects_THW == PERSON
    flow_T2HW = clip_flow(objects_THW, poses, surfaces, cameras)
    depth_THW = depth(objects_THW, poses, surfaces, cameras, None, 100.0)
    # Sideways past a camera that looks nearly along y: focal length over depth, in pixels.
    focal = spec.camera.focal_length / 32.0 * spec.camera.width
    expected_N = focal * 0.05 / depth_THW[0][shown_THW[0]]
    np.testing.assert_allclose(flow_T2HW[0, 0][shown_THW[0]], expected_N, rtol=0.05)
    assert (np.abs(flow_T2HW[:, :, objects_THW[0] == CUBE]) < 1e-9).all()
    assert depth_THW[shown_THW].min() > 4.5 and depth_THW[shown_THW].max() < 5.4
    whole_THW = silhouette([PERSON], poses, surfaces, cameras)
    assert whole_THW[shown_THW].all() and whole_THW.sum() >= shown_THW.sum() > 0
