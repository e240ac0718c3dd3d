"""A skinned figure as a Kubric asset: in Blender one armature and one mesh, made once and then only posed.

Joints are given in the world, so the armature's bones have no parents. Shape legend: T frames, J joints, V vertices,
F triangles. A pose is 7 numbers: position and quaternion (w, x, y, z).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from data_gen.blender.kubric_compat import load_kubric
from data_gen.scene.deforming import Deforming
from data_gen.scene.poses import Poses, compose, inverse
from data_gen.scene.skin import LOOK_MESH, Skeleton, Skin, skinned

BONE_LENGTH = 0.1
"""Metres; the skin does not depend on it."""
MIN_WEIGHT = 1e-6
"""Below which a vertex does not follow a joint."""
CLOTH_ROUGHNESS, SKIN_ROUGHNESS = 0.85, 0.55
BARE = ("skin", "body", "eye", "shoe", "sneaker")
"""Words in the names of parts that are smoother than cloth."""
CHANNELS = (("location", 3), ("rotation_quaternion", 4))


class Figure(load_kubric().core.PhysicalObject):  # type: ignore[misc]
    """A person. Its place is that of its joints: position, quaternion and scale stay as they are made."""

    skeleton = traitlets.Instance(Skeleton)
    skin = traitlets.Instance(Skin)
    colors = traitlets.Tuple()
    """Linear RGB of each part of the skin, for a skin without a look."""

    def shaded(self) -> list[tuple[NDArray[np.int64], tuple[float, float, float]]]:
        """Triangles `(F, 3)` of one linear RGB each, for pictures without images."""
        triangles_F3, shade_F3 = self.skin.triangles_F3, self.skin.shade_F3
        if shade_F3 is None:
            return [(triangles_F3[self.skin.part_F == part], color) for part, color in enumerate(self.colors)]
        shades_K3, index_F = np.unique(shade_F3, axis=0, return_inverse=True)
        return [(triangles_F3[index_F.ravel() == k], (r, g, b)) for k, (r, g, b) in enumerate(shades_K3.tolist())]

    def surface(self) -> Deforming:
        """The skin in the world; its poses are `(7 J,)`."""

        def vertices_of(pose_K: NDArray[np.float64]) -> NDArray[np.float64]:
            return skinned(self.skin, self.skeleton, pose_K.reshape(-1, 7))

        return Deforming(vertices_of, self.skin.triangles_F3)


def register(renderer: Any) -> None:
    """Tell Kubric's Blender class how to make figures."""
    from kubric.renderer import blender_utils

    renderer.__dict__["add_asset"].register(Figure, blender_utils.prepare_blender_object(_add_figure))


def set_keyframes(mesh_object: Any, joints_TJ7: Poses, frames: Sequence[int]) -> None:
    """Pose the figure at some frames, in place of all that it had before.

    Args:
        mesh_object: the `bpy.types.Object` of a figure.
        joints_TJ7: poses of its joints in the world at each of `frames`.
        frames: ascending.
    """
    import bpy

    armature = mesh_object.parent
    bones = armature.pose.bones
    rest_J7 = np.array([_pose_of(bone.bone.matrix_local) for bone in bones])
    basis_TJ7 = _continuous(compose(inverse(rest_J7), joints_TJ7))
    if armature.animation_data and armature.animation_data.action:
        bpy.data.actions.remove(armature.animation_data.action)
    action = bpy.data.actions.new(armature.name)
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    for joint, bone in enumerate(bones):
        column = 0
        for channel, size in CHANNELS:
            for axis in range(size):
                curve = action.fcurves.new(f'pose.bones["{bone.name}"].{channel}', index=axis)
                curve.keyframe_points.add(len(frames))
                keys_T2 = np.stack([frames, basis_TJ7[:, joint, column]], axis=-1)
                curve.keyframe_points.foreach_set("co", keys_T2.ravel())
                curve.keyframe_points.foreach_set("interpolation", [linear] * len(frames))
                curve.update()
                column += 1
    armature.animation_data_create().action = action


def _add_figure(renderer: Any, asset: Figure) -> Any:
    import bpy

    armature = _armature(asset.uid, asset.skeleton)
    mesh = _plain_mesh(asset) if asset.skin.look is None else _own_mesh(asset)
    item = bpy.data.objects.new(asset.uid, mesh)
    item.parent = armature
    for name in asset.skeleton.names:
        item.vertex_groups.new(name=name)
    for slot in range(asset.skin.joints_V4.shape[1]):
        _weigh(item, asset.skin.joints_V4[:, slot], asset.skin.weights_V4[:, slot])
    modifier = item.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
    return item


def _plain_mesh(asset: Figure) -> Any:
    """The skin as a smooth `bpy.types.Mesh` with a colour for each part."""
    import bpy

    mesh = bpy.data.meshes.new(asset.uid)
    mesh.from_pydata(asset.skin.vertices_V3.tolist(), [], asset.skin.triangles_F3.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), np.bool_))
    mesh.polygons.foreach_set("material_index", asset.skin.part_F.astype(np.int32))
    for part, color in zip(asset.skin.parts, asset.colors, strict=True):
        mesh.materials.append(_material(f"{asset.uid}_{part}", part, color))
    mesh.update()
    return mesh


def _own_mesh(asset: Figure) -> Any:
    """The skin as the `bpy.types.Mesh` of its look, with its own materials and images."""
    import bpy

    with bpy.data.libraries.load(str(asset.skin.look), link=False) as (_, wanted):
        wanted.meshes = [LOOK_MESH]
    (mesh,) = wanted.meshes
    assert len(mesh.vertices) == len(asset.skin.vertices_V3)
    mesh.name = asset.uid
    return mesh


def _weigh(item: Any, joints_V: NDArray[np.int64], weights_V: NDArray[np.float64]) -> None:
    for vertex in np.flatnonzero(weights_V > MIN_WEIGHT):
        item.vertex_groups[int(joints_V[vertex])].add([int(vertex)], float(weights_V[vertex]), "ADD")


def _armature(name: str, skeleton: Skeleton) -> Any:
    """An armature object whose bones have the frames of the skeleton's joints at rest."""
    import bpy
    from mathutils import Matrix, Quaternion, Vector

    data = bpy.data.armatures.new(f"{name}_bones")
    armature = bpy.data.objects.new(f"{name}_armature", data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for joint, rest_7 in zip(skeleton.names, skeleton.rest_J7, strict=True):
        bone = data.edit_bones.new(joint)
        bone.length = BONE_LENGTH
        bone.matrix = Matrix.LocRotScale(Vector(rest_7[:3]), Quaternion(rest_7[3:]), None)
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return armature


def _material(name: str, part: str, color: Sequence[float]) -> Any:
    import bpy

    material = bpy.data.materials.new(name)
    material.use_nodes = True
    inputs = material.node_tree.nodes["Principled BSDF"].inputs
    inputs["Base Color"].default_value = (*color, 1.0)
    inputs["Roughness"].default_value = (
        SKIN_ROUGHNESS if any(word in part.lower() for word in BARE) else CLOTH_ROUGHNESS
    )
    inputs["Specular IOR Level"].default_value = 0.3
    return material


def _pose_of(matrix: Any) -> list[float]:
    position, quaternion, _ = matrix.decompose()
    return [*position, *quaternion]


def _continuous(poses_TJ7: Poses) -> Poses:
    """Quaternions with the signs that make each as near as can be to the one before: keys are joined linearly."""
    dots_TJ = (poses_TJ7[1:, :, 3:] * poses_TJ7[:-1, :, 3:]).sum(axis=-1)
    signs_TJ = np.cumprod(np.where(dots_TJ < 0, -1.0, 1.0), axis=0)
    result = poses_TJ7.copy()
    result[1:, :, 3:] *= signs_TJ[..., None]
    return result
