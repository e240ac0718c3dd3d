"""Sequences as single .glb files: an armature with its skinned meshes, and one root node for each object.

The layout of HUMOTO's public subset. Frames of joints and objects are those that Blender had when it wrote the file.
Shape legend: T frames, J joints, N props, V vertices, F triangles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion, Prop, SequenceError, check_motion
from data_gen.human.sources.blender_figure import INFLUENCES, UNSET_COLOR
from data_gen.human.sources.characters import Characters
from data_gen.human.sources.gltf import Array, Gltf, GltfError
from data_gen.human.sources.meshes import TO_Z_UP, kind_of_name
from data_gen.human.sources.sequences import REMEDY, by_name, files_with, known, required_folder
from data_gen.human.sources.store import MotionStore
from data_gen.scene.poses import Poses
from data_gen.scene.skin import Skeleton, Skin
from void.files import sha256_file

GLB = "humoto_glb"
SCALE_TOLERANCE = 1e-3
"""By which the scale of a rigid object may change."""
Z_UP = np.eye(4)
Z_UP[:3, :3] = TO_Z_UP


class GlbSource:
    """See `MotionSource`.

    Args:
        config: `root` and `characters` are used.
        cache: folder for what has been read.

    Raises:
        InputError: the root is missing or holds no .glb file, a name stands for two files, a character's file is
            missing.
    """

    def __init__(self, config: HumanConfig, cache: Path) -> None:
        root = required_folder(config.root)
        self._files = by_name(files_with(root, (".glb",)), root)
        self._characters = Characters(config)
        self._store = MotionStore(cache)

    @property
    def sequences(self) -> tuple[str, ...]:
        """Names of the files, without their suffix."""
        return tuple(self._files)

    @property
    def characters(self) -> tuple[str, ...]:
        """Names in the configuration."""
        return self._characters.names

    def describe(self) -> dict[str, Any]:
        """What was found."""
        return {"motion": GLB, "sequences": len(self._files), "characters": list(self.characters)}

    def read(self, sequence: str, character: str | None = None) -> Motion:
        """See `MotionSource`. Raises InputError for an unknown name, SequenceError for a bad file."""
        path = known(self._files, sequence, "sequence")
        origin = {"kind": GLB, "sequence": sequence, "file": sha256_file(path)}
        motion = self._store.get(origin, lambda: _read(path, sequence))
        return self._characters.play(motion, character, origin, self._store)


def _read(path: Path, sequence: str) -> Motion:
    try:
        gltf = Gltf(path)
        times_T, fps = _time_base(gltf, sequence)
        worlds = gltf.worlds(times_T)
        skeleton, skin, armature, joints_TJ7 = _figure(gltf, worlds, sequence)
        props, poses = [], []
        for node in _object_nodes(gltf, armature):
            prop, poses_T7 = _prop(gltf, node, worlds, sequence)
            props.append(prop)
            poses.append(poses_T7)
    except (GltfError, KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, SequenceError):
            raise
        raise SequenceError(sequence, "glb", f"cannot be read from {path.name}: {error}", REMEDY) from error
    props_TN7 = np.stack(poses, axis=1) if poses else np.zeros((len(times_T), 0, 7))
    motion = Motion(GLB, sequence, path.stem, fps, skeleton, skin, joints_TJ7, tuple(props), props_TN7)
    return check_motion(motion, REMEDY)


def _time_base(gltf: Gltf, sequence: str) -> tuple[Array, float]:
    """Instants `(T,)` of the frames, and their rate: that of the curve with the most keys."""
    curves = [times for times in gltf.key_times if len(times) > 1]
    if not curves:
        raise SequenceError(sequence, "animations", "are missing: nothing moves", REMEDY)
    rate = 1 / float(np.median(np.diff(max(curves, key=len))))
    fps = float(round(rate)) if abs(rate - round(rate)) < 0.01 * rate else rate
    first, last = min(times[0] for times in curves), max(times[-1] for times in curves)
    return first + np.arange(round((last - first) * fps) + 1) / fps, fps


def _figure(gltf: Gltf, worlds: list[Array], sequence: str) -> tuple[Skeleton, Skin, int, Poses]:
    """Skeleton, skin, root node of the figure, and poses of the joints."""
    skinned = [index for index, node in enumerate(gltf.nodes) if "skin" in node and "mesh" in node]
    if not skinned:
        raise SequenceError(sequence, "armature", "is missing: no mesh has a skin", REMEDY)
    skins = gltf.document["skins"]
    binds = {index: _binds(gltf, skins[index]) for index in sorted({gltf.nodes[node]["skin"] for node in skinned})}
    main = binds[gltf.nodes[skinned[0]]["skin"]]
    nodes = sorted(main, key=lambda node: len(_ancestors(gltf, node)))
    names = tuple(gltf.nodes[node].get("name", f"node{node}") for node in nodes)
    parents = tuple(next((nodes.index(up) for up in _ancestors(gltf, node) if up in main), -1) for node in nodes)
    world_TJ44 = np.stack([worlds[node] for node in nodes], axis=1)
    # What the skin is bound in may have another unit than the world, such as centimetres.
    scale = float(np.cbrt(np.linalg.det((world_TJ44[0, 0] @ main[nodes[0]])[:3, :3])))
    rest_J44 = np.linalg.inv([main[node] for node in nodes])
    rest_J44[:, :3, 3] *= scale
    skin = _skin(gltf, skinned, binds, nodes, scale)
    return Skeleton(names, parents, _poses(Z_UP @ rest_J44)), skin, _root(gltf, nodes[0]), _poses(Z_UP @ world_TJ44)


def _binds(gltf: Gltf, skin: dict[str, Any]) -> dict[int, Array]:
    """Inverse bind matrix of each joint's node."""
    matrices_J44 = gltf.accessor(skin["inverseBindMatrices"]).astype(np.float64).reshape(-1, 4, 4).transpose(0, 2, 1)
    return dict(zip(skin["joints"], matrices_J44, strict=True))


def _ancestors(gltf: Gltf, node: int) -> list[int]:
    """Nodes above a node, nearest first."""
    found = []
    while gltf.parents[node] >= 0:
        node = gltf.parents[node]
        found.append(node)
    return found


def _root(gltf: Gltf, node: int) -> int:
    return [node, *_ancestors(gltf, node)][-1]


def _skin(gltf: Gltf, skinned: list[int], binds: dict[int, dict[int, Array]], nodes: list[int], scale: float) -> Skin:
    vertices, triangles, joints, weights, part_F = [], [], [], [], []
    parts: dict[str, tuple[float, float, float] | None] = {}
    main = binds[gltf.nodes[skinned[0]]["skin"]]
    first = 0
    for node in skinned:
        own = binds[gltf.nodes[node]["skin"]]
        listed = np.array([nodes.index(joint) for joint in own])
        to_main = np.linalg.inv(main[nodes[listed[0]]]) @ own[nodes[listed[0]]]
        for primitive in gltf.primitives(gltf.nodes[node]["mesh"]):
            attributes = primitive["attributes"]
            vertices_V3 = gltf.accessor(attributes["POSITION"]).astype(np.float64)
            vertices.append((vertices_V3 @ to_main[:3, :3].T + to_main[:3, 3]) * scale)
            faces_F3 = gltf.triangles(primitive)
            triangles.append(faces_F3 + first)
            sets = range(sum(name.startswith("WEIGHTS_") for name in attributes))
            all_weights = np.concatenate([gltf.accessor(attributes[f"WEIGHTS_{k}"]) for k in sets], axis=1)
            all_joints = np.concatenate([gltf.accessor(attributes[f"JOINTS_{k}"]) for k in sets], axis=1)
            order_V4 = np.argsort(-all_weights, axis=1, kind="stable")[:, :INFLUENCES]
            weights_V4 = np.take_along_axis(all_weights, order_V4, axis=1).astype(np.float64)
            weights.append(weights_V4 / np.maximum(weights_V4.sum(axis=1, keepdims=True), 1e-12))
            joints.append(listed[np.take_along_axis(all_joints, order_V4, axis=1).astype(np.int64)])
            name, color = _material(gltf, primitive, gltf.nodes[node].get("name", "body"))
            parts.setdefault(name, color)
            part_F.append(np.full(len(faces_F3), list(parts).index(name)))
            first += len(vertices_V3)
    return Skin(
        np.concatenate(vertices) @ TO_Z_UP.T,
        np.concatenate(triangles),
        np.concatenate(joints),
        np.concatenate(weights),
        tuple(parts),
        np.concatenate(part_F),
        tuple(parts.values()),
    )


def _material(gltf: Gltf, primitive: dict[str, Any], mesh: str) -> tuple[str, tuple[float, float, float] | None]:
    """Name of a part, and its linear RGB; None: it has none of its own, or an image."""
    if "material" not in primitive:
        return mesh, None
    facts = gltf.document["materials"][primitive["material"]]
    surface = facts.get("pbrMetallicRoughness", {})
    red, green, blue = (float(value) for value in surface.get("baseColorFactor", (1.0, 1.0, 1.0))[:3])
    unset = "baseColorFactor" not in surface or np.allclose((red, green, blue), UNSET_COLOR, atol=1e-3)
    return facts.get("name", mesh), None if unset or "baseColorTexture" in surface else (red, green, blue)


def _object_nodes(gltf: Gltf, armature: int) -> list[int]:
    """Root nodes with a mesh somewhere below, other than the figure's; by name."""
    roots = {_root(gltf, node) for node, facts in enumerate(gltf.nodes) if "mesh" in facts}
    # A skinned mesh may lie beside its armature.
    figure = {armature} | {_root(gltf, node) for node, facts in enumerate(gltf.nodes) if "skin" in facts}
    return sorted(roots - figure, key=lambda node: gltf.nodes[node].get("name", ""))


def _prop(gltf: Gltf, node: int, worlds: list[Array], sequence: str) -> tuple[Prop, Poses]:
    name = gltf.nodes[node].get("name", f"node{node}")
    world_T44 = worlds[node].copy()
    scale_T3 = np.linalg.norm(world_T44[:, :3, :3], axis=1)
    if np.abs(scale_T3 / scale_T3[0] - 1).max() > SCALE_TOLERANCE:
        raise SequenceError(sequence, f"object {name}", "changes its size; objects are rigid", REMEDY)
    scale_3 = scale_T3[0] * np.array([np.sign(np.linalg.det(world_T44[0, :3, :3])), 1.0, 1.0])
    vertices: list[Array] = []
    triangles = []
    to_node_44 = np.linalg.inv(world_T44[0])
    for below, facts in enumerate(gltf.nodes):
        if "mesh" not in facts or (below != node and node not in _ancestors(gltf, below)):
            continue
        to_object_44 = to_node_44 @ worlds[below][0]
        for primitive in gltf.primitives(facts["mesh"]):
            vertices_V3 = gltf.accessor(primitive["attributes"]["POSITION"]).astype(np.float64)
            triangles.append(gltf.triangles(primitive) + sum(len(part) for part in vertices))
            vertices.append((vertices_V3 @ to_object_44[:3, :3].T + to_object_44[:3, 3]) * scale_3)
    if not vertices:
        raise SequenceError(sequence, f"object {name}", "has no triangles", REMEDY)
    world_T44[:, :3, :3] *= np.sign(scale_3)
    prop = Prop(name, kind_of_name(name), np.concatenate(vertices) @ TO_Z_UP.T, np.concatenate(triangles))
    return prop, _poses(Z_UP @ world_T44 @ Z_UP.T)


def _poses(matrices_44: NDArray[np.float64]) -> Poses:
    """Position and turn of transforms `(..., 4, 4)`; their scale is left out."""
    axes_33 = matrices_44[..., :3, :3] / np.linalg.norm(matrices_44[..., :3, :3], axis=-2, keepdims=True)
    turns_4 = Rotation.from_matrix(axes_33.reshape(-1, 3, 3)).as_quat()[:, [3, 0, 1, 2]]
    return np.concatenate([matrices_44[..., :3, 3], turns_4.reshape(*matrices_44.shape[:-2], 4)], axis=-1)
