"""A sequence as Blender imports it from a glTF file: the figure, rigid objects, and where they are at each frame.

Shape legend: T frames, J joints, N props.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.human.motion import Motion, Prop, SequenceError
from data_gen.human.sources.blender_figure import Figure, belongs, empty_blender, figure_of, find_armature, open_file
from data_gen.human.sources.meshes import kind_of_name
from data_gen.human.sources.sequences import REMEDY
from data_gen.scene.poses import Poses

SCALE_TOLERANCE = 1e-3
"""By which the scale of a rigid object may change, and metres by which its parts may move against each other."""
BONE_TOLERANCE = 0.02
"""By which the scale of a bone may change: a skin follows its bones without being stretched."""
Array = NDArray[np.float64]


def read_sequence(path: Path, sequence: str, field: str, animation: str, folder: Path) -> tuple[Motion, Figure]:
    """The motion of a glTF file. It changes Blender's scene.

    Animations that move different things run together. Where several move one thing, `animation` names the one that is
    played; the others are left out, also for what they move alone.

    Args:
        path: File of the sequence.
        sequence: Name of the sequence.
        field: Name of the file's role in errors.
        animation: Name of an animation, for files that need a choice.
        folder: Folder for the look of a figure with images.

    Returns:
        The motion, without the kind of its source, and its figure.

    Raises:
        SequenceError: the file cannot be read, nothing moves, a choice of animation is needed, there is no figure, an
            object changes its size or moves in itself.
    """
    with empty_blender() as bpy:
        open_file(bpy, path, sequence, field)
        actions = _choose_actions(bpy, sequence, animation)
        keys, fps = _time_base(bpy, actions, sequence)
        armature = find_armature(bpy, sequence, "armature")
        roots = _object_roots(bpy, armature)
        figure = figure_of(bpy, sequence, "armature", folder)
        for item in bpy.data.objects:
            if item.type == "MESH":
                item.modifiers.clear()  # Nobody looks at the skin, which would be bent at every frame.
        joints_TJ44, worlds_TN44, inside = _play(bpy, armature, figure.bones, roots, keys)
        _check_bones(joints_TJ44, figure.skeleton.names, sequence)
        props, poses = [], []
        for n, root in enumerate(roots):
            _check_parts(inside[n], root.name, sequence)
            prop, poses_T7 = _prop(root, worlds_TN44[:, n], sequence)
            props.append(prop)
            poses.append(poses_T7)
    props_TN7 = np.stack(poses, axis=1) if poses else np.zeros((len(keys), 0, 7))
    joints_TJ7 = _poses(joints_TJ44)
    motion = Motion("", sequence, path.stem, fps, figure.skeleton, figure.skin, joints_TJ7, tuple(props), props_TN7)
    return motion, figure


def _choose_actions(bpy: Any, sequence: str, animation: str) -> list[Any]:
    """Give each object the one action that it plays; returns them."""
    tracks_of = {
        item: {track.name: track.strips[0].action for track in item.animation_data.nla_tracks if track.strips}
        for item in bpy.data.objects
        if item.animation_data
    }
    contested = sorted({name for tracks in tracks_of.values() if len(tracks) > 1 for name in tracks})
    if contested and animation not in contested:
        of = next(item.name for item, tracks in tracks_of.items() if len(tracks) > 1)
        raise SequenceError(
            sequence,
            "animations",
            f"that move {of} are several: {', '.join(contested)}"
            + (f"; scene.human.animation={animation} is none of them" if animation else ""),
            "choose one: scene.human.animation=NAME",
        )
    chosen = []
    for item, tracks in tracks_of.items():
        playing = [action for name, action in tracks.items() if name == animation or name not in contested]
        if animation in tracks and contested:
            playing = [tracks[animation]]
        data = item.animation_data
        for track in list(data.nla_tracks):
            data.nla_tracks.remove(track)
        data.action = playing[0] if playing else None
        chosen += playing[:1]
    return chosen


def _time_base(bpy: Any, actions: Sequence[Any], sequence: str) -> tuple[Array, float]:
    """Blender's frames `(T,)` at which the sequence has its own, and their rate: that of the curve with most keys."""
    scene = bpy.context.scene
    rate = scene.render.fps / scene.render.fps_base
    curves = []
    for action in actions:
        for curve in action.fcurves:
            points = np.empty(len(curve.keyframe_points) * 2)
            curve.keyframe_points.foreach_get("co", points)
            curves.append(points[::2] / rate)
    curves = [times for times in curves if len(times) > 1]
    if not curves:
        raise SequenceError(sequence, "animations", "are missing: nothing moves", REMEDY)
    step = float(np.median(np.diff(max(curves, key=len))))
    first, last = min(times[0] for times in curves), max(times[-1] for times in curves)
    if not step > 0 or not np.isfinite([first, last]).all():
        raise SequenceError(sequence, "animations", "have keys at impossible times", REMEDY)
    fps = float(round(1 / step)) if abs(1 / step - round(1 / step)) < 0.01 / step else 1 / step
    return (first + np.arange(round((last - first) * fps) + 1) / fps) * rate, fps


def _object_roots(bpy: Any, armature: Any) -> list[Any]:
    """Topmost objects with a mesh somewhere below and no part of the figure; by name."""
    found: list[Any] = []
    waiting = [item for item in bpy.data.objects if item.parent is None]
    while waiting:
        item = waiting.pop()
        below = [item, *item.children_recursive]
        if item == armature or belongs(item, armature):
            continue
        if armature in below or any(belongs(other, armature) for other in below):
            waiting += item.children
        elif any(other.type == "MESH" and len(other.data.polygons) for other in below):
            found.append(item)
    return sorted(found, key=lambda item: item.name)


def _play(
    bpy: Any, armature: Any, bones: Sequence[str], roots: Sequence[Any], keys: Array
) -> tuple[Array, Array, list[dict[str, Array]]]:
    """World transforms of joints `(T, J, 4, 4)` and objects `(T, N, 4, 4)`, and of each object's parts in it."""
    joints, worlds = [], []
    parts = [[item for item in root.children_recursive if item.type == "MESH"] for root in roots]
    inside: list[dict[str, list[Array]]] = [{item.name: [] for item in below} for below in parts]
    posed = [armature.pose.bones[name] for name in bones]
    for key in keys:
        bpy.context.scene.frame_set(int(np.floor(key)), subframe=float(key - np.floor(key)))
        top = np.array(armature.matrix_world)
        joints.append(top @ np.array([bone.matrix for bone in posed]))
        worlds.append(np.array([root.matrix_world for root in roots]).reshape(-1, 4, 4))
        for n, below in enumerate(parts):
            for item in below:
                inside[n][item.name].append(np.linalg.pinv(worlds[-1][n]) @ np.array(item.matrix_world))
    together = [{name: np.array(found) for name, found in of.items()} for of in inside]
    return np.array(joints), np.array(worlds), together


def _check_bones(joints_TJ44: Array, names: Sequence[str], sequence: str) -> None:
    scale_TJ3 = np.linalg.norm(joints_TJ44[..., :3, :3], axis=-2)
    odd_J = np.abs(scale_TJ3 / np.maximum(scale_TJ3[:1], 1e-12) - 1).max(axis=(0, 2)) > BONE_TOLERANCE
    if odd_J.any():
        name = names[int(np.argmax(odd_J))]
        raise SequenceError(
            sequence, f"armature.{name}", "changes its size; a skin is not stretched by its bones", REMEDY
        )


def _check_parts(inside: dict[str, Array], name: str, sequence: str) -> None:
    for part, placed_T44 in inside.items():
        if np.abs(placed_T44 - placed_T44[0])[:, :3, :].max() > SCALE_TOLERANCE:
            raise SequenceError(
                sequence, f"object {name}", f"has a part {part} that moves on its own; objects are rigid",
                "make each moving part an object without a parent",
            )  # fmt: skip


def _prop(root: Any, world_T44: Array, sequence: str) -> tuple[Prop, Poses]:
    """An object in its own frame, which is that of its root without the scale, and its poses `(T, 7)`."""
    scale_T3 = np.linalg.norm(world_T44[:, :3, :3], axis=1)
    if not scale_T3.min() > 0 or np.abs(scale_T3 / scale_T3[0] - 1).max() > SCALE_TOLERANCE:
        raise SequenceError(sequence, f"object {root.name}", "changes its size; objects are rigid", REMEDY)
    scale_3 = scale_T3[0] * np.array([np.sign(np.linalg.det(world_T44[0, :3, :3])), 1.0, 1.0])
    vertices: list[Array] = []
    triangles = []
    for item in [root, *sorted(root.children_recursive, key=lambda item: item.name)]:
        if item.type != "MESH":
            continue
        mesh = item.data
        points_V3 = np.empty(len(mesh.vertices) * 3)
        mesh.vertices.foreach_get("co", points_V3)
        mesh.calc_loop_triangles()
        corners_F3 = np.empty(len(mesh.loop_triangles) * 3, np.int64)
        mesh.loop_triangles.foreach_get("vertices", corners_F3)
        to_root_44 = _within(item, root)
        triangles.append(corners_F3.reshape(-1, 3) + sum(len(part) for part in vertices))
        vertices.append((points_V3.reshape(-1, 3) @ to_root_44[:3, :3].T + to_root_44[:3, 3]) * scale_3)
    turned_T44 = world_T44.copy()
    turned_T44[:, :3, :3] *= np.sign(scale_3)
    prop = Prop(root.name, kind_of_name(root.name), np.concatenate(vertices), np.concatenate(triangles))
    return prop, _poses(turned_T44)


def _within(item: Any, root: Any) -> Array:
    """Transform of an object in its root's frame, by the steps between: it does not depend on where the root is."""
    found = np.eye(4)
    while item != root:
        found = np.array(item.matrix_local) @ found
        item = item.parent
    return found


def _poses(matrices_44: Array) -> Poses:
    """Position and turn of transforms `(..., 4, 4)`; their scale is left out."""
    axes_33 = matrices_44[..., :3, :3] / np.linalg.norm(matrices_44[..., :3, :3], axis=-2, keepdims=True)
    turns_4 = Rotation.from_matrix(axes_33.reshape(-1, 3, 3)).as_quat()[:, [3, 0, 1, 2]]
    return np.concatenate([matrices_44[..., :3, 3], turns_4.reshape(*matrices_44.shape[:-2], 4)], axis=-1)
