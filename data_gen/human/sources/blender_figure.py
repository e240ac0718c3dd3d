"""A figure as Blender imports it from a file: its armature as a skeleton, its meshes as one skin.

Blender's state is global: a file is opened in an empty scene, and the scene is emptied again. Shape legend: J joints, V
vertices, F triangles.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_gen.human.motion import SequenceError
from data_gen.human.sources.blender_look import (
    UNSET_COLOR,
    drop_nameless_images,
    has_look,
    joined,
    part_colors,
    shades,
    write_look,
)
from data_gen.human.sources.joint_names import mixamo_bone
from data_gen.scene.skin import Skeleton, Skin

GLTF, FBX = (".glb", ".gltf"), (".fbx",)
FIGURE_SUFFIXES = (*FBX, *GLTF)
"""Of files that a figure can be read from."""
INFLUENCES = 4
"""Joints that a vertex follows, at most."""
LOOK = "look.blend"
DRACO = "libextern_draco"
"""Library of Blender's that its Python package lacks."""
_REASON = re.compile(r"^\w*(Error|Exception): (?!Python: Traceback)")


@dataclass(frozen=True, eq=False)
class Figure:
    """What a file tells of a figure, in world metres with Z up, in its rest pose."""

    skeleton: Skeleton
    skin: Skin
    bones: tuple[str, ...]
    """The file's own names of the skeleton's joints."""
    meshes: frozenset[str]
    """Names of the meshes that the skin is made of."""
    images: tuple[Path, ...] = ()
    """Files beside the figure's that its look was taken from."""
    notes: tuple[str, ...] = ()
    """What a user should know of how the file was read."""


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


def open_file(bpy: Any, path: Path, sequence: str, field: str, *, animated: bool = False) -> None:
    """Import a file into the open scene.

    Args:
        bpy: Blender's module, with an empty scene.
        path: File with one of `FIGURE_SUFFIXES`, in any case.
        sequence: Name of the sequence in errors.
        field: Name of the file's role in errors.
        animated: Whether animations of an FBX file are read; those of glTF always are.

    Raises:
        SequenceError: Blender cannot read it.
    """
    try:
        if path.suffix.lower() in GLTF:
            # BLENDER leaves the frames of bones as they are in the file.
            bpy.ops.import_scene.gltf(filepath=str(path), bone_heuristic="BLENDER", disable_bone_shape=True)
        else:
            bpy.ops.import_scene.fbx(filepath=str(path), use_anim=animated)
    except RuntimeError as error:
        if DRACO in str(error):
            raise SequenceError(
                sequence, field, f"is compressed in {path.name}: Blender's package comes without Draco",
                "export it without mesh compression",
            ) from error  # fmt: skip
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = next((line for line in reversed(lines) if _REASON.match(line)), lines[-1] if lines else "no reason")
        raise SequenceError(
            sequence, field, f"cannot be read from {path.name}: {reason}", "export or fetch the file again"
        ) from error


def read_figure(path: Path, sequence: str, field: str, folder: Path | None = None) -> Figure:
    """The figure of an FBX or glTF file. It changes Blender's scene.

    Args:
        path: File of the figure.
        sequence: Name of the sequence in errors.
        field: Name of the file's role in errors.
        folder: Folder for the look of a figure with images; None: such a figure has its mean colours alone.

    Raises:
        SequenceError: the file cannot be read, has no armature or no skinned mesh, or an image is missing.
    """
    with empty_blender() as bpy:
        open_file(bpy, path, sequence, field)
        return figure_of(bpy, sequence, field, folder)


def figure_of(bpy: Any, sequence: str, field: str, folder: Path | None = None) -> Figure:
    """The figure of the open scene; see `read_figure`. Meshes of a figure with images are joined to one."""
    armature = find_armature(bpy, sequence, field)
    bpy.context.view_layer.update()
    bones = parents_first(armature.data.bones)
    own = [bone.name for bone in bones]
    rest_J7 = np.array([_pose(armature.matrix_world @ bone.matrix_local) for bone in bones])
    parents = tuple(own.index(bone.parent.name) if bone.parent else -1 for bone in bones)
    meshes = sorted((item for item in bpy.data.objects if belongs(item, armature)), key=lambda item: item.name)
    if not meshes:
        raise SequenceError(sequence, field, "has no mesh that follows its bones", "export it with its skin")
    names = frozenset(item.name for item in meshes)
    nameless = drop_nameless_images(meshes)
    notes = (f"images of {', '.join(nameless)} have no file: drawn without them",) if nameless else ()
    look: Path | None = None
    images: tuple[Path, ...] = ()
    if has_look(meshes):
        meshes = [joined(bpy, meshes)]
        if folder is not None:
            look = folder / LOOK
            images = write_look(bpy, meshes[0], look, sequence, field)
    skin = _skin(meshes, own, look)
    joints = tuple(mixamo_bone(name) for name in own)
    return Figure(Skeleton(joints, parents, rest_J7), skin, tuple(own), names, images, notes)


def find_armature(bpy: Any, sequence: str, field: str) -> Any:
    """The armature of the open scene. Raises SequenceError: there is none, or more than one."""
    armatures = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    if len(armatures) != 1:
        raise SequenceError(
            sequence, field, f"holds {len(armatures)} armatures, not one", "export the figure alone with its bones"
        )
    return armatures[0]


def parents_first(bones: Any) -> list[Any]:
    """Bones of an armature, each after its parent."""
    ordered: list[Any] = []
    waiting = [bone for bone in bones if bone.parent is None]
    while waiting:
        bone = waiting.pop(0)
        ordered.append(bone)
        waiting[:0] = list(bone.children)
    return ordered


def belongs(item: Any, armature: Any) -> bool:
    """Whether an object is part of a figure's surface: a mesh that bends with its bones, or hangs on one."""
    if item.type != "MESH":
        return False
    if item.parent == armature and item.parent_type == "BONE":
        return True
    modified = any(modifier.type == "ARMATURE" and modifier.object == armature for modifier in item.modifiers)
    return bool(item.vertex_groups) and (modified or item.parent == armature)


def _pose(matrix: Any) -> list[float]:
    position, quaternion, _ = matrix.decompose()
    return [*position, *quaternion.normalized()]


def _skin(meshes: Sequence[Any], names: Sequence[str], look: Path | None) -> Skin:
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
        materials = [slot.material for slot in item.material_slots] or [None]
        for material in materials:
            parts.setdefault(material.name if material else item.name, _color(material))
        index_of = [list(parts).index(material.name if material else item.name) for material in materials]
        parts_of_faces.append(np.array(index_of)[np.minimum(slots_F, len(index_of) - 1)])
        joints_V4, weights_V4 = _influences(item, names)
        joints.append(joints_V4)
        weights.append(weights_V4)
        first += len(mesh.vertices)
    skin = Skin(
        np.concatenate(vertices),
        np.concatenate(triangles),
        np.concatenate(joints),
        np.concatenate(weights),
        tuple(parts),
        np.concatenate(parts_of_faces),
        tuple(parts.values()),
    )
    if not has_look(meshes):
        return skin
    shade_F3 = shades(meshes[0])
    return replace(skin, colors=part_colors(shade_F3, skin), look=look, shade_F3=shade_F3)


def _influences(item: Any, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The joints `(V, 4)` that the vertices of a mesh follow most, and how much; those without any follow the bone that
    the mesh hangs on, or the root."""
    joint_of = {group.index: names.index(group.name) for group in item.vertex_groups if group.name in names}
    joints_V4 = np.zeros((len(item.data.vertices), INFLUENCES), np.int64)
    if item.parent_type == "BONE" and item.parent_bone in names:
        joint_of = {}
        joints_V4[:, 0] = names.index(item.parent_bone)
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
