"""A figure as Blender imports it from a file: its armature as a skeleton, its skinned meshes as one skin.

Blender's state is global: a file is opened in an empty scene, and the scene is emptied again. Shape legend: J joints, V
vertices, F triangles.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_gen.human.motion import SequenceError
from data_gen.scene.skin import Skeleton, Skin

INFLUENCES = 4
"""Joints that a vertex follows, at most."""
UNSET_COLOR = 0.8
"""Grey of a material that nobody gave a colour, in Blender and in FBX."""


@contextlib.contextmanager
def empty_blender() -> Iterator[Any]:
    """Blender's module with an empty scene, before and after; what it prints is swallowed."""
    import bpy

    with contextlib.redirect_stdout(io.StringIO()):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        try:
            yield bpy
        finally:
            bpy.ops.wm.read_factory_settings(use_empty=True)


def read_fbx_figure(path: Path, sequence: str, field: str) -> tuple[Skeleton, Skin, frozenset[str]]:
    """The figure of an FBX file, in world metres with Z up, in its rest pose.

    Args:
        path: the file.
        sequence: that an error names.
        field: that an error names.

    Returns:
        Skeleton, skin, and the names of the meshes that the skin is made of.

    Raises:
        SequenceError: the file cannot be read, or has no armature or no skinned mesh.
    """
    with empty_blender() as bpy:
        try:
            bpy.ops.import_scene.fbx(filepath=str(path), use_anim=False)
        except RuntimeError as error:
            raise SequenceError(
                sequence, field, f"cannot be read from {path.name}: {error}", "fetch the file again"
            ) from error
        return figure_of(bpy, sequence, field)


def figure_of(bpy: Any, sequence: str, field: str) -> tuple[Skeleton, Skin, frozenset[str]]:
    """The figure of the open scene; see `read_fbx_figure`."""
    armatures = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    if len(armatures) != 1:
        raise SequenceError(
            sequence, field, f"holds {len(armatures)} armatures, not one", "export the figure alone with its bones"
        )
    armature = armatures[0]
    bpy.context.view_layer.update()
    bones = _parents_first(armature.data.bones)
    names = [bone.name for bone in bones]
    rest_J7 = np.array([_pose(armature.matrix_world @ bone.matrix_local) for bone in bones])
    parents = tuple(names.index(bone.parent.name) if bone.parent else -1 for bone in bones)
    meshes = sorted((item for item in bpy.data.objects if _follows(item, armature)), key=lambda item: item.name)
    if not meshes:
        raise SequenceError(sequence, field, "has no mesh that follows its bones", "export it with its skin")
    skin = _skin(meshes, names)
    return Skeleton(tuple(names), parents, rest_J7), skin, frozenset(item.name for item in meshes)


def _parents_first(bones: Any) -> list[Any]:
    ordered: list[Any] = []
    waiting = [bone for bone in bones if bone.parent is None]
    while waiting:
        bone = waiting.pop(0)
        ordered.append(bone)
        waiting[:0] = list(bone.children)
    return ordered


def _follows(item: Any, armature: Any) -> bool:
    if item.type != "MESH" or not item.vertex_groups:
        return False
    modified = any(modifier.type == "ARMATURE" and modifier.object == armature for modifier in item.modifiers)
    return modified or item.parent == armature


def _pose(matrix: Any) -> list[float]:
    position, quaternion, _ = matrix.decompose()
    return [*position, *quaternion.normalized()]


def _skin(meshes: Sequence[Any], names: Sequence[str]) -> Skin:
    vertices, triangles, joints, weights, parts_of_faces = [], [], [], [], []
    parts: dict[str, tuple[float, float, float] | None] = {}
    first = 0
    for item in meshes:
        mesh = item.data
        local_V3 = np.empty(len(mesh.vertices) * 3)
        mesh.vertices.foreach_get("co", local_V3)
        to_world = np.array(item.matrix_world)
        vertices.append(local_V3.reshape(-1, 3) @ to_world[:3, :3].T + to_world[:3, 3])
        mesh.calc_loop_triangles()
        corners_F3 = np.empty(len(mesh.loop_triangles) * 3, np.int64)
        mesh.loop_triangles.foreach_get("vertices", corners_F3)
        triangles.append(corners_F3.reshape(-1, 3) + first)
        slots_F = np.empty(len(mesh.loop_triangles), np.int64)
        mesh.loop_triangles.foreach_get("material_index", slots_F)
        materials = [slot.material for slot in item.material_slots if slot.material] or [None]
        for material in materials:
            parts.setdefault(material.name if material else item.name, _color(material))
        index_of = [list(parts).index(material.name if material else item.name) for material in materials]
        parts_of_faces.append(np.array(index_of)[np.minimum(slots_F, len(index_of) - 1)])
        joints_V4, weights_V4 = _influences(item, names)
        joints.append(joints_V4)
        weights.append(weights_V4)
        first += len(mesh.vertices)
    return Skin(
        np.concatenate(vertices),
        np.concatenate(triangles),
        np.concatenate(joints),
        np.concatenate(weights),
        tuple(parts),
        np.concatenate(parts_of_faces),
        tuple(parts.values()),
    )


def _influences(item: Any, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The joints `(V, 4)` that the vertices of a mesh follow most, and how much; those without any follow the root."""
    joint_of = {group.index: names.index(group.name) for group in item.vertex_groups if group.name in names}
    joints_V4 = np.zeros((len(item.data.vertices), INFLUENCES), np.int64)
    weights_V4 = np.zeros((len(item.data.vertices), INFLUENCES))
    for row, vertex in enumerate(item.data.vertices):
        found = sorted(((g.weight, joint_of[g.group]) for g in vertex.groups if g.group in joint_of), reverse=True)
        for column, (weight, joint) in enumerate(found[:INFLUENCES]):
            joints_V4[row, column], weights_V4[row, column] = joint, weight
    sum_V1 = weights_V4.sum(axis=-1, keepdims=True)
    weights_V4[sum_V1[:, 0] <= 0, 0] = 1.0
    return joints_V4, weights_V4 / np.where(sum_V1 > 0, sum_V1, 1.0)


def _color(material: Any) -> tuple[float, float, float] | None:
    """Linear RGB of a material; None: it has none of its own, or an image."""
    if material is None or not material.use_nodes:
        return None
    node = next((node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
    if node is None or node.inputs["Base Color"].is_linked:
        return None
    red, green, blue = (float(value) for value in node.inputs["Base Color"].default_value[:3])
    return None if np.allclose((red, green, blue), UNSET_COLOR, atol=1e-3) else (red, green, blue)
