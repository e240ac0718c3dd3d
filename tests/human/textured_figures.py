"""Writes a small figure with images: a body in two colours, a head with an image of its own, eyes on a bone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from data_gen.human.sources.blender_figure import empty_blender
from data_gen.scene.skin import Skeleton, Skin

RED, BLUE = (0.8, 0.05, 0.05), (0.05, 0.1, 0.8)
GREEN = (0.1, 0.6, 0.15)
"""Linear RGB."""
LIFT = 0.05
"""Metres by which the file's own shape lifts what shows the green image."""
UV_NAMES = ("map1", "UVMap")
"""Each mesh calls its texture coordinates otherwise, as files of several programs have them."""


def encoded(linear: tuple[float, ...]) -> np.ndarray:
    """sRGB in 0..255 of linear RGB."""
    values = np.array(linear)
    return (255 * np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)).round()


def write_images(folder: Path) -> tuple[Path, Path]:
    """An image whose left half is red and whose right half is blue, and a green one."""
    halves = np.zeros((32, 32, 3), np.uint8)
    halves[:, :16], halves[:, 16:] = encoded(RED), encoded(BLUE)
    plain = np.zeros((8, 8, 3), np.uint8)
    plain[:] = encoded(GREEN)
    paths = folder / "body_color.png", folder / "head_color.png"
    for path, image in zip(paths, (halves, plain), strict=True):
        assert cv2.imwrite(str(path), image[..., ::-1])
    return paths


def write_textured_figure(
    path: Path, skeleton: Skeleton, skin: Skin, *, embedded: bool = True, nameless: bool = False
) -> None:
    """An .fbx or .glb file.

    The first of the skin's parts shows the green image; the others show red left of the middle and blue right of it.
    The head has a shape key that is half set, and lifts it.

    Args:
        path: File to write; the images are written beside it.
        skeleton: Joints of the figure.
        skin: Surface of the figure.
        embedded: Whether an .fbx file holds its images itself.
        nameless: Whether the images are left out, and the materials refer to images without a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    halves, plain = write_images(path.parent)
    with empty_blender() as bpy:
        armature = _armature(bpy, skeleton)
        for k, (name, image, chosen_F) in enumerate(
            (("Body", halves, skin.part_F != 0), ("Head", plain, skin.part_F == 0))
        ):
            item = _mesh(bpy, armature, skeleton, skin, chosen_F, name, image, UV_NAMES[k])
            if name == "Head":
                _lift_by_shape(item)
            if nameless:
                (node,) = (node for node in item.active_material.node_tree.nodes if node.type == "TEX_IMAGE")
                node.image = bpy.data.images.new(f"{name}_color", 8, 8)
        _eyes(bpy, armature, skeleton)
        if path.suffix == ".glb":
            bpy.ops.export_scene.gltf(filepath=str(path), export_animations=False)
        else:
            mode = {"path_mode": "COPY", "embed_textures": True} if embedded else {"path_mode": "RELATIVE"}
            bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False, bake_anim=False, **mode)


def _armature(bpy: Any, skeleton: Skeleton) -> Any:
    from mathutils import Matrix, Quaternion, Vector

    data = bpy.data.armatures.new("Armature")
    armature = bpy.data.objects.new("Armature", data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, rest_7 in zip(skeleton.names, skeleton.parents, skeleton.rest_J7, strict=True):
        bone = data.edit_bones.new(name)
        bone.length = 0.1
        bone.matrix = Matrix.LocRotScale(Vector(rest_7[:3]), Quaternion(rest_7[3:]), None)
        if parent >= 0:
            bone.parent = data.edit_bones[skeleton.names[parent]]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def _mesh(
    bpy: Any, armature: Any, skeleton: Skeleton, skin: Skin, chosen_F: np.ndarray, name: str, image: Path, layer: str
) -> Any:
    used = np.unique(skin.triangles_F3[chosen_F])
    vertices_V3 = skin.vertices_V3[used]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices_V3.tolist(), [], np.searchsorted(used, skin.triangles_F3[chosen_F]).tolist())
    corners_L = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners_L)
    x_L = vertices_V3[corners_L, 0]
    uv_L2 = np.stack([np.where(x_L < 0, 0.2, 0.8), np.full(len(x_L), 0.5)], axis=-1)
    # Triangles across the middle have one side each.
    middle_F = x_L.reshape(-1, 3).mean(axis=1)
    uv_L2[:, 0] = np.repeat(np.where(middle_F < 0, 0.2, 0.8), 3)
    mesh.uv_layers.new(name=layer).data.foreach_set("uv", uv_L2.astype(np.float32).ravel())
    material = bpy.data.materials.new(f"{name}mat")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(image))
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = 0.9
    mesh.materials.append(material)
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    item.parent = armature
    item.modifiers.new("Armature", "ARMATURE").object = armature
    for joint in skeleton.names:
        item.vertex_groups.new(name=joint)
    for row, vertex in enumerate(used):
        for joint, weight in zip(skin.joints_V4[vertex], skin.weights_V4[vertex], strict=True):
            if weight > 0:
                item.vertex_groups[int(joint)].add([row], float(weight), "ADD")
    return item


def _lift_by_shape(item: Any) -> None:
    item.shape_key_add(name="Basis", from_mix=False)
    key = item.shape_key_add(name="Lifted", from_mix=False)
    for point in key.data:
        point.co.z += 2 * LIFT
    key.value = 0.5


def _eyes(bpy: Any, armature: Any, skeleton: Skeleton) -> None:
    """Two black boxes without a skin of their own, on the bone of the head."""
    head_3 = skeleton.rest_J7[skeleton.index("Head"), :3]
    bpy.ops.mesh.primitive_cube_add(size=0.05, location=head_3 + np.array([0.04, -0.11, 0.12]))
    first = bpy.context.active_object
    bpy.ops.mesh.primitive_cube_add(size=0.05, location=head_3 + np.array([-0.04, -0.11, 0.12]))
    second = bpy.context.active_object
    with bpy.context.temp_override(active_object=first, selected_editable_objects=[first, second]):
        bpy.ops.object.join()
    first.name = "Eyes"
    material = bpy.data.materials.new("Eyes")
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.01, 0.01, 0.01, 1.0)
    first.data.materials.append(material)
    world = first.matrix_world.copy()
    first.parent, first.parent_type, first.parent_bone = armature, "BONE", skeleton.names[skeleton.index("Head")]
    first.matrix_world = world
