"""The figure of our own: Mixamo's joints, a skin that follows them without tearing."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from data_gen.human.figure import Traits, build_figure, draw_traits
from data_gen.human.kinematics import turn_subtree
from data_gen.scene.skin import skinned

SKELETON, SKIN = build_figure(Traits())


def test_it_has_the_65_joints_of_mixamo_with_parents_first() -> None:
    assert len(set(SKELETON.names)) == len(SKELETON.names) == 65
    assert all(name.startswith("mixamorig:") for name in SKELETON.names)
    assert all(parent < j for j, parent in enumerate(SKELETON.parents))
    assert SKELETON.parents.count(-1) == 1
    for name in ("Hips", "HeadTop_End", "LeftHandPinky4", "RightHandThumb1", "LeftToe_End", "RightShoulder"):
        SKELETON.index(name)


def test_bones_point_along_their_y_axis_to_their_children() -> None:
    for child, parent in (("LeftForeArm", "LeftArm"), ("LeftLeg", "LeftUpLeg"), ("Spine1", "Spine")):
        head_7, end_7 = SKELETON.rest_J7[SKELETON.index(parent)], SKELETON.rest_J7[SKELETON.index(child)]
        turn = trimesh.transformations.quaternion_matrix(head_7[3:])[:3, :3]
        way_3 = end_7[:3] - head_7[:3]
        assert turn[:, 1] @ way_3 == pytest.approx(np.linalg.norm(way_3))


def test_weights_sum_to_one_and_joints_exist() -> None:
    assert SKIN.weights_V4.sum(axis=-1) == pytest.approx(1.0)
    assert SKIN.weights_V4.min() >= 0
    assert SKIN.joints_V4.min() >= 0 and SKIN.joints_V4.max() < 65
    assert 4000 <= len(SKIN.triangles_F3) <= 16000
    assert set(np.unique(SKIN.part_F)) == set(range(len(SKIN.parts)))


def test_it_stands_on_the_floor_as_tall_as_asked_and_faces_minus_y() -> None:
    assert SKIN.vertices_V3[:, 2].min() == pytest.approx(0.0, abs=1e-9)
    assert SKIN.vertices_V3[:, 2].max() == pytest.approx(1.74, abs=0.03)
    eyes = SKIN.triangles_F3[SKIN.part_F == SKIN.parts.index("eyes")]
    assert SKIN.vertices_V3[eyes].reshape(-1, 3)[:, 1].max() < -0.05
    left = SKELETON.rest_J7[SKELETON.index("LeftHand"), :3]
    assert left[0] > 0.5 and left[2] > 1.2


def test_surfaces_are_closed_and_face_outwards() -> None:
    mesh = trimesh.Trimesh(SKIN.vertices_V3, SKIN.triangles_F3, process=False)
    assert mesh.is_watertight
    pieces = trimesh.graph.connected_components(mesh.edges, nodes=np.arange(len(mesh.vertices)))
    assert len(pieces) > 20
    for piece in pieces:
        faces = mesh.faces[np.isin(mesh.faces, piece).all(axis=-1)]
        assert trimesh.triangles.mass_properties(mesh.vertices[faces]).volume > 0


def test_a_lowered_arm_stretches_no_edge_far() -> None:
    joints_J7 = SKELETON.rest_J7[None]
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        turn_14 = np.array([[np.cos(0.65), 0.0, sign * np.sin(0.65), 0.0]])
        joints_J7 = turn_subtree(SKELETON, joints_J7, SKELETON.index(f"{side}Arm"), turn_14)
    moved_V3 = skinned(SKIN, SKELETON, joints_J7[0])
    edges = trimesh.Trimesh(SKIN.vertices_V3, SKIN.triangles_F3, process=False).edges_unique
    before, after = (np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=-1) for v in (SKIN.vertices_V3, moved_V3))
    assert (after - before).max() < 0.05
    arm = SKELETON.index("LeftHand")
    hand_V = SKIN.joints_V4[:, 0] == arm
    assert moved_V3[hand_V, 2].max() < 1.1


def test_bodies_differ_and_the_seed_decides_them() -> None:
    first, again, other = (draw_traits(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
    heights = [draw_traits(np.random.default_rng(seed)).height for seed in range(40)]
    assert min(heights) > 1.5 and max(heights) < 1.95 and np.ptp(heights) > 0.25
    for hair in ("short", "long", "bun"):
        build_figure(Traits(hair=hair, long_sleeves=True, long_trousers=False))
