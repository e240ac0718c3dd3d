"""Writes a motion with Blender's own exporters: a rig with a moving armature object, keyed bones, parented meshes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_gen.human.kinematics import to_basis
from data_gen.human.motion import Motion
from data_gen.human.sources.blender_figure import empty_blender

CENTIMETRES = 0.01


def write_with_blender(path: Path, motion: Motion) -> None:
    """A .glb, .fbx or .bvh file of the whole motion. The armature is in centimetres and has a scale of 0.01."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with empty_blender() as bpy:
        from mathutils import Quaternion, Vector

        scene = bpy.context.scene
        scene.render.fps, scene.frame_start, scene.frame_end = int(motion.fps), 1, motion.frames
        armature = _armature(bpy, motion)
        basis_TJ7 = to_basis(motion.skeleton, motion.joints_TJ7)
        for j, name in enumerate(motion.skeleton.names):
            bone = armature.pose.bones[name]
            bone.rotation_mode = "QUATERNION"
            for t in range(motion.frames):
                bone.location = Vector(basis_TJ7[t, j, :3] / CENTIMETRES)
                bone.rotation_quaternion = Quaternion(basis_TJ7[t, j, 3:])
                bone.keyframe_insert("location", frame=t + 1)
                bone.keyframe_insert("rotation_quaternion", frame=t + 1)
        for i, prop in enumerate(motion.props):
            mesh = bpy.data.meshes.new(prop.name)
            mesh.from_pydata((prop.vertices_V3 * 2).tolist(), [], prop.triangles_F3.tolist())
            item = bpy.data.objects.new(prop.name, mesh)
            item.scale = (0.5, 0.5, 0.5)
            scene.collection.objects.link(item)
            item.rotation_mode = "QUATERNION"
            for t in range(motion.frames):
                item.location, item.rotation_quaternion = motion.props_TN7[t, i, :3], motion.props_TN7[t, i, 3:]
                item.keyframe_insert("location", frame=t + 1)
                item.keyframe_insert("rotation_quaternion", frame=t + 1)
        if path.suffix == ".glb":
            bpy.ops.export_scene.gltf(filepath=str(path), export_animation_mode="ACTIONS")
        elif path.suffix == ".bvh":
            armature.select_set(True)
            bpy.context.view_layer.objects.active = armature
            bpy.ops.export_anim.bvh(
                filepath=str(path), frame_start=1, frame_end=motion.frames, root_transform_only=True, global_scale=0.01
            )
        else:
            bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False, bake_anim_simplify_factor=0.0)


def _armature(bpy: Any, motion: Motion) -> Any:
    from mathutils import Matrix, Quaternion, Vector

    skeleton, skin = motion.skeleton, motion.skin
    data = bpy.data.armatures.new("Armature")
    armature = bpy.data.objects.new("Armature", data)
    bpy.context.scene.collection.objects.link(armature)
    armature.scale = (CENTIMETRES,) * 3
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, rest_7 in zip(skeleton.names, skeleton.parents, skeleton.rest_J7, strict=True):
        bone = data.edit_bones.new(name)
        bone.length = 10.0
        bone.matrix = Matrix.LocRotScale(Vector(rest_7[:3] / CENTIMETRES), Quaternion(rest_7[3:]), None)
        if parent >= 0:
            bone.parent = data.edit_bones[skeleton.names[parent]]
    bpy.ops.object.mode_set(mode="OBJECT")
    # Half of the triangles in each of two meshes, as the characters of the release have several.
    for part, name in enumerate(skin.parts):
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata((skin.vertices_V3 / CENTIMETRES).tolist(), [], skin.triangles_F3[skin.part_F == part].tolist())
        material = bpy.data.materials.new(name)
        material.use_nodes = True
        if color := skin.colors[part]:
            material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*color, 1.0)
        mesh.materials.append(material)
        item = bpy.data.objects.new(f"Body{part}", mesh)
        bpy.context.scene.collection.objects.link(item)
        item.parent = armature
        item.modifiers.new("Armature", "ARMATURE").object = armature
        for joint in skeleton.names:
            item.vertex_groups.new(name=joint)
        for vertex, (joints, weights) in enumerate(zip(skin.joints_V4, skin.weights_V4, strict=True)):
            for joint, weight in zip(joints, weights, strict=True):
                if weight > 0:
                    item.vertex_groups[int(joint)].add([vertex], float(weight), "ADD")
    return armature
