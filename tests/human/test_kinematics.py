"""Pose algebra, and skeletons and skins against Blender's evaluation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from data_gen.human.figure import Traits, build_figure
from data_gen.human.kinematics import bend_limb, descendants, forward, to_basis, turn_subtree
from data_gen.scene.poses import IDENTITY, apply, between, compose, inverse, rotate
from data_gen.scene.skin import Skeleton, Skin, skinned

FRAMES = 3
SKELETON, SKIN = build_figure(Traits())
ARM = ("LeftArm", "LeftForeArm", "LeftHand")


def random_poses(rng: np.random.Generator, *shape: int, far: float = 1.0) -> np.ndarray:
    turns = rng.normal(size=(*shape, 4))
    return np.concatenate(
        [rng.uniform(-far, far, (*shape, 3)), turns / np.linalg.norm(turns, axis=-1, keepdims=True)], axis=-1
    )


def same(first_7: np.ndarray, second_7: np.ndarray, tolerance: float = 1e-9) -> bool:
    """Whether poses are the same; a quaternion and its negative are."""
    turned = np.minimum(np.abs(first_7[..., 3:] - second_7[..., 3:]), np.abs(first_7[..., 3:] + second_7[..., 3:]))
    return bool(max(np.abs(first_7[..., :3] - second_7[..., :3]).max(), turned.max()) < tolerance)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_composition_is_that_of_matrices(rng: np.random.Generator) -> None:
    a_7, b_7, points_3 = random_poses(rng, 5), random_poses(rng, 5), rng.normal(size=(5, 3))
    turn = [Rotation.from_quat(pose[:, [4, 5, 6, 3]]) for pose in (a_7, b_7)]
    expected = turn[0].apply(turn[1].apply(points_3) + b_7[:, :3]) + a_7[:, :3]
    assert apply(compose(a_7, b_7), points_3) == pytest.approx(expected)
    assert same(compose(a_7, inverse(a_7)), np.tile(IDENTITY, (5, 1)))


def test_poses_broadcast(rng: np.random.Generator) -> None:
    one_7, many_7 = random_poses(rng), random_poses(rng, 4, 6)
    assert compose(one_7, many_7).shape == (4, 6, 7)
    assert same(compose(one_7, many_7)[2, 3], compose(one_7, many_7[2, 3]))


def test_between_turns_one_direction_to_the_other_also_the_opposite(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 20, 3))
    second[0], second[1] = -first[0], first[1]
    first, second = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (first, second))
    assert rotate(between(first, second), first) == pytest.approx(second, abs=1e-7)


def test_forward_and_to_basis_are_inverse(rng: np.random.Generator) -> None:
    basis_TJ7 = random_poses(rng, FRAMES, len(SKELETON.names), far=0.1)
    joints_TJ7 = forward(SKELETON, basis_TJ7)
    assert same(to_basis(SKELETON, joints_TJ7), basis_TJ7)
    rest_TJ7 = forward(SKELETON, np.tile(IDENTITY, (1, len(SKELETON.names), 1)))
    assert same(rest_TJ7[0], SKELETON.rest_J7)


def test_joints_and_skin_are_where_blender_puts_them(rng: np.random.Generator) -> None:
    bones = [SKELETON.index(name) for name in ("Hips", "Spine", "LeftUpLeg", "LeftLeg", "LeftFoot")]
    parents = tuple(bones.index(SKELETON.parents[j]) if SKELETON.parents[j] in bones else -1 for j in bones)
    small = Skeleton(tuple(SKELETON.names[j] for j in bones), parents, SKELETON.rest_J7[bones])
    basis_1J7 = random_poses(rng, 1, len(bones), far=0.1)
    weights_V2 = rng.uniform(0.1, 1.0, (30, 2))
    weights_V4 = np.pad(weights_V2 / weights_V2.sum(axis=-1, keepdims=True), ((0, 0), (0, 2)))
    joints_V4 = np.array([[*rng.permutation(len(bones))[:2], 0, 0] for _ in range(30)])
    vertices_V3 = rng.normal(size=(30, 3))
    skin = Skin(vertices_V3, np.array([[0, 1, 2]]), joints_V4, weights_V4, ("skin",), np.array([0]), (None,))
    heads_J44, placed_V3 = in_blender(small, skin, basis_1J7[0])
    joints_J7 = forward(small, basis_1J7)[0]
    assert joints_J7[:, :3] == pytest.approx(heads_J44[:, :3, 3], abs=1e-5)
    turns_J33 = Rotation.from_quat(joints_J7[:, [4, 5, 6, 3]]).as_matrix()
    assert turns_J33 == pytest.approx(heads_J44[:, :3, :3], abs=1e-5)
    assert skinned(skin, small, joints_J7) == pytest.approx(placed_V3, abs=1e-5)


def in_blender(skeleton: Skeleton, skin: Skin, basis_J7: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pose-bone matrices and vertices as Blender's armature modifier evaluates them."""
    bpy = pytest.importorskip("bpy")
    from mathutils import Matrix, Quaternion, Vector

    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = bpy.data.objects.new("armature", bpy.data.armatures.new("armature"))
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, rest_7 in zip(skeleton.names, skeleton.parents, skeleton.rest_J7, strict=True):
        bone = armature.data.edit_bones.new(name)
        bone.head, bone.tail = (0, 0, 0), (0, 0.1, 0)
        bone.matrix = Matrix.Translation(Vector(rest_7[:3])) @ Quaternion(rest_7[3:]).to_matrix().to_4x4()
        if parent >= 0:
            bone.parent = armature.data.edit_bones[skeleton.names[parent]]
    bpy.ops.object.mode_set(mode="POSE")
    for name, pose_7 in zip(skeleton.names, basis_J7, strict=True):
        bone = armature.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        bone.location, bone.rotation_quaternion = pose_7[:3], pose_7[3:]
    bpy.ops.object.mode_set(mode="OBJECT")
    mesh = bpy.data.meshes.new("skin")
    mesh.from_pydata(skin.vertices_V3.tolist(), [], skin.triangles_F3.tolist())
    body = bpy.data.objects.new("skin", mesh)
    bpy.context.collection.objects.link(body)
    groups = [body.vertex_groups.new(name=name) for name in skeleton.names]
    for v, (joints, weights) in enumerate(zip(skin.joints_V4, skin.weights_V4, strict=True)):
        for joint, weight in zip(joints, weights, strict=True):
            if weight > 0:
                groups[joint].add([v], float(weight), "REPLACE")
    body.modifiers.new("armature", "ARMATURE").object = armature
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    placed = [vertex.co[:] for vertex in body.evaluated_get(graph).data.vertices]
    matrices = [np.array(armature.evaluated_get(graph).pose.bones[name].matrix) for name in skeleton.names]
    return np.array(matrices), np.array(placed)


def test_a_limb_reaches_its_target_and_keeps_its_lengths_and_the_turn_of_its_end() -> None:
    rest_TJ7 = np.repeat(SKELETON.rest_J7[None], 2, axis=0)
    shoulder_3 = SKELETON.rest_J7[SKELETON.index("LeftArm"), :3]
    targets_T3 = shoulder_3 + np.array([[0.2, -0.3, -0.1], [0.1, -0.2, 0.3]])
    bent_TJ7 = bend_limb(SKELETON, rest_TJ7, ARM, targets_T3, np.array([0.0, 0.3, -1.0]))
    joints = [SKELETON.index(name) for name in ARM]
    assert bent_TJ7[:, joints[2], :3] == pytest.approx(targets_T3, abs=1e-6)
    for a, b in itertools.pairwise(joints):
        lengths = [np.linalg.norm(p[:, b, :3] - p[:, a, :3], axis=-1) for p in (rest_TJ7, bent_TJ7)]
        assert lengths[0] == pytest.approx(lengths[1])
    assert same(bent_TJ7[:, [joints[2]]] * [0, 0, 0, 1, 1, 1, 1], rest_TJ7[:, [joints[2]]] * [0, 0, 0, 1, 1, 1, 1])
    line_T3 = (shoulder_3 + targets_T3) / 2
    assert (bent_TJ7[:, joints[1], 2] < line_T3[:, 2]).all()


def test_a_limb_stretches_towards_what_it_cannot_reach() -> None:
    rest_TJ7 = SKELETON.rest_J7[None]
    shoulder_3 = SKELETON.rest_J7[SKELETON.index("LeftArm"), :3]
    bent_TJ7 = bend_limb(SKELETON, rest_TJ7, ARM, shoulder_3[None] + [[0.0, -5.0, 0.0]], np.array([0.0, 0.0, -1.0]))
    way_3 = bent_TJ7[0, SKELETON.index("LeftHand"), :3] - shoulder_3
    arm = np.linalg.norm(SKELETON.rest_J7[SKELETON.index("LeftHand"), :3] - shoulder_3)
    assert way_3 == pytest.approx([0.0, -arm, 0.0], abs=2e-3)


def test_a_turned_joint_takes_along_what_hangs_on_it_and_nothing_else() -> None:
    joint = SKELETON.index("LeftArm")
    chain = descendants(SKELETON, joint)
    assert len(chain) == 23
    turn_14 = np.array([[np.cos(0.4), 0.0, np.sin(0.4), 0.0]])
    turned_TJ7 = turn_subtree(SKELETON, SKELETON.rest_J7[None], joint, turn_14)
    others = [j for j in range(65) if j not in chain]
    assert np.array_equal(turned_TJ7[0, others], SKELETON.rest_J7[others])
    assert turned_TJ7[0, joint, :3] == pytest.approx(SKELETON.rest_J7[joint, :3])
    assert turned_TJ7[0, SKELETON.index("LeftHand"), 2] < SKELETON.rest_J7[joint, 2] - 0.3
