"""Writes a motion as HUMOTO's release has it, so that it is read by the same code as the release."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
import yaml

from data_gen.human.kinematics import to_basis
from data_gen.human.motion import Motion, Prop
from data_gen.human.sources.blender_figure import UNSET_COLOR, empty_blender
from data_gen.scene.skin import Skeleton, Skin
from void.files import whole_file, whole_folder

BONE_LENGTH = 0.1
"""Metres, of bones that end a chain."""


def write_sequence(folder: Path, objects_folder: Path, motion: Motion) -> None:
    """Write `<seq>/<seq>.pkl`, `.fbx` and `.yaml`, and a mesh `<kind>.obj` for each object.

    The FBX file has the figure at rest; the motion is in the .pkl file. Objects of one kind share a mesh, as in the
    release.

    Args:
        folder: of all sequences.
        objects_folder: of the meshes.
        motion: to be written.

    Raises:
        ValueError: two objects of one kind have different meshes.
    """
    name = motion.sequence
    for kind, prop in _one_per_kind(motion.props).items():
        mesh = trimesh.Trimesh(prop.vertices_V3, prop.triangles_F3, process=False)
        with whole_file(objects_folder / f"{kind}.obj") as partial:
            partial.write_text(str(mesh.export(file_type="obj", digits=9, include_normals=False)), encoding="utf-8")
    with whole_folder(folder / name, "motion") as partial:
        with (partial / f"{name}.pkl").open("wb") as file:
            pickle.dump(_release_form(motion), file, protocol=4)
        notes = {"objects": [prop.name for prop in motion.props], "fps": float(motion.fps)}
        (partial / f"{name}.yaml").write_text(yaml.safe_dump(notes), encoding="utf-8")
        write_figure(partial / f"{name}.fbx", motion.skeleton, motion.skin)


def write_figure(path: Path, skeleton: Skeleton, skin: Skin) -> None:
    """Write a figure at rest as an FBX file."""
    with empty_blender() as bpy:
        armature = _add_armature(bpy, skeleton)
        _add_skin(bpy, armature, skeleton, skin)
        bpy.ops.export_scene.fbx(
            filepath=str(path), object_types={"ARMATURE", "MESH"}, add_leaf_bones=False, bake_anim=False
        )


def _one_per_kind(props: tuple[Prop, ...]) -> dict[str, Prop]:
    found: dict[str, Prop] = {}
    for prop in props:
        other = found.setdefault(prop.kind, prop)
        same = np.array_equal(prop.vertices_V3, other.vertices_V3)
        if not (same and np.array_equal(prop.triangles_F3, other.triangles_F3)):
            raise ValueError(f"{prop.name} and {other.name} are both of kind {prop.kind} and have different meshes")
    return found


def _release_form(motion: Motion) -> dict[str, Any]:
    basis_TJ7 = to_basis(motion.skeleton, motion.joints_TJ7)[..., [3, 4, 5, 6, 0, 1, 2]]
    poses_NT7 = np.moveaxis(motion.props_TN7, 1, 0)[..., [3, 4, 5, 6, 0, 1, 2]]
    return {
        "armature": [dict(zip(motion.skeleton.names, frame.tolist(), strict=True)) for frame in basis_TJ7],
        "objects": {prop.name: poses.tolist() for prop, poses in zip(motion.props, poses_NT7, strict=True)},
    }


def _add_armature(bpy: Any, skeleton: Skeleton) -> Any:
    from mathutils import Matrix, Quaternion, Vector

    data = bpy.data.armatures.new("Armature")
    armature = bpy.data.objects.new("Armature", data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for j, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        bone = data.edit_bones.new(name)
        children = [child for child, of in enumerate(skeleton.parents) if of == j]
        spans = np.linalg.norm(skeleton.rest_J7[children, :3] - skeleton.rest_J7[j, :3], axis=-1)
        bone.length = float(spans.max()) if len(spans) and spans.max() > 1e-3 else BONE_LENGTH
        rest_7 = skeleton.rest_J7[j]
        bone.matrix = Matrix.LocRotScale(Vector(rest_7[:3]), Quaternion(rest_7[3:]), None)
        if parent >= 0:
            bone.parent = data.edit_bones[skeleton.names[parent]]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def _add_skin(bpy: Any, armature: Any, skeleton: Skeleton, skin: Skin) -> None:
    mesh = bpy.data.meshes.new("Body")
    mesh.from_pydata(skin.vertices_V3.tolist(), [], skin.triangles_F3.tolist())
    for part, color in zip(skin.parts, skin.colors, strict=True):
        material = bpy.data.materials.new(part)
        material.use_nodes = True
        inputs = material.node_tree.nodes["Principled BSDF"].inputs
        inputs["Base Color"].default_value = (*(color or (UNSET_COLOR,) * 3), 1.0)
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", skin.part_F.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    body = bpy.data.objects.new("Body", mesh)
    bpy.context.scene.collection.objects.link(body)
    body.parent = armature
    body.modifiers.new("Armature", "ARMATURE").object = armature
    for name in skeleton.names:
        body.vertex_groups.new(name=name)
    for joints_V, weights_V in zip(skin.joints_V4.T, skin.weights_V4.T, strict=True):
        for vertex in np.flatnonzero(weights_V > 0):
            body.vertex_groups[int(joints_V[vertex])].add([int(vertex)], float(weights_V[vertex]), "ADD")
