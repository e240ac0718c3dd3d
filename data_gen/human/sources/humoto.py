"""HUMOTO's release: a folder for each sequence with its motion (.pkl), its figure (.fbx) and notes (.yaml).

Conventions: data-generation facts of the release. `armature` holds the basis of each pose bone (relative to rest,
quaternion w, x, y, z first, then the location in metres); `objects` hold locations and turns in the world, Z up, of the
raw vertices of the objects' meshes. Shape legend: T frames, J joints, N props.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from data_gen.human.config import HumanConfig
from data_gen.human.kinematics import forward
from data_gen.human.motion import MIN_FRAMES, Motion, Prop, SequenceError, check_motion
from data_gen.human.sources.blender_figure import Figure, read_figure
from data_gen.human.sources.characters import Characters
from data_gen.human.sources.importing import Importer
from data_gen.human.sources.joint_names import mixamo_bone
from data_gen.human.sources.meshes import MeshFolder, kind_of_name, read_prop
from data_gen.human.sources.safe_pickle import load_plain
from data_gen.human.sources.sequences import REMEDY, WHERE, beside, by_name, files_with, known, required_folder
from data_gen.human.sources.store import MotionStore
from data_gen.scene.poses import IDENTITY, Poses
from void.errors import InputError
from void.files import sha256_file
from void.text import read_text

HUMOTO = "humoto"
FPS = 30.0
"""Frames a second of the recordings; FBX files do not say, .glb files say 24. `fps` in a .yaml file says otherwise."""
OBJECTS = "humoto_objects*"
"""Folders beside the root that hold the meshes, where the configuration names none."""
BODY_MESHES = frozenset(
    [
        "Armature",
        "Body",
        "Bottoms",
        "Eyes",
        "Eyelashes",
        "Hair",
        "Shoes",
        "Tops",
        "Ch02_Body",
        "Ch02_Cloth",
        "Ch02_Eyelashes",
        "Ch02_Hair",
        "Ch02_Sneakers",
        "Ch02_Socks",
    ]
)
"""Meshes of figures that are listed among the objects of some sequences."""


class HumotoSource:
    """See `MotionSource`.

    Args:
        config: `root`, `objects`, `fps` and `characters` are used.
        cache: folder for what has been read.
        kind: what `Motion.source` says.

    Raises:
        InputError: the root is missing or holds no sequence, a name stands for two sequences, a character's file is
            missing.
    """

    def __init__(self, config: HumanConfig, cache: Path, *, kind: str = HUMOTO) -> None:
        self._kind = kind
        self._root = required_folder(config.root)
        self._folders = _sequence_folders(self._root)
        self._meshes = MeshFolder(_objects_folder(config, self._root))
        self._characters = Characters(config, cache)
        self._importer = Importer(cache)
        self._store = MotionStore(cache)
        self._fps = config.fps

    @property
    def sequences(self) -> tuple[str, ...]:
        """Names of the folders."""
        return tuple(self._folders)

    @property
    def characters(self) -> tuple[str, ...]:
        """Names in the configuration."""
        return self._characters.names

    def describe(self) -> dict[str, Any]:
        """What was found."""
        return {"motion": self._kind, "sequences": len(self._folders), "characters": list(self.characters)}

    def read(self, sequence: str, character: str | None = None) -> Motion:
        """See `MotionSource`. Raises InputError for an unknown name, SequenceError for bad files."""
        folder = known(self._folders, sequence, "sequence")
        pkl, fbx = (beside(folder, sequence, suffix) for suffix in (".pkl", ".fbx"))
        value = load_plain(pkl, sequence)
        basis, objects = _armature(value, sequence), _objects(value, sequence)
        if not fbx.is_file():
            raise SequenceError(sequence, "fbx", f"is missing: {fbx} does not exist", REMEDY)
        noted = _check_notes(beside(folder, sequence, ".yaml"), sequence, objects)
        fps = self._fps or noted
        files = {name: self._meshes.find(name) for name in objects}
        origin = {
            "kind": self._kind,
            "sequence": sequence,
            "files": [sha256_file(path) for path in (pkl, fbx)],
            "meshes": {name: sha256_file(path) if path else None for name, path in files.items()},
            "fps": fps,
        }

        def parse() -> Motion:
            figure, own_meshes = self._figure(fbx, sequence)
            skeleton, skin = figure.skeleton, figure.skin
            names = [name for name in objects if name not in BODY_MESHES | own_meshes]
            models = value.get("object_models") or {}
            props = tuple(self._prop(name, files[name], models, sequence) for name in names)
            joints_TJ7 = forward(skeleton, _basis_array(basis, skeleton.names, sequence))
            frames = len(joints_TJ7)
            props_TN7 = np.empty((frames, len(names), 7))
            for i, name in enumerate(names):
                props_TN7[:, i] = _object_poses(objects[name], frames, name, sequence)
            own = Motion(self._kind, sequence, fbx.stem, fps, skeleton, skin, joints_TJ7, props, props_TN7)
            return check_motion(own, REMEDY)

        motion = self._store.get(origin, parse)
        return self._characters.play(motion, character, origin, self._store)

    def _figure(self, fbx: Path, sequence: str) -> tuple[Motion | Figure, frozenset[str]]:
        """The figure of a sequence, and the names of its meshes. Files that were not made here get a process."""
        if self._kind == HUMOTO:
            found = self._importer.figure(fbx, sequence, "fbx")
            return found.motion, found.meshes
        figure = read_figure(fbx, sequence, "fbx")
        return figure, figure.meshes

    def _prop(self, name: str, path: Path | None, models: Mapping[str, Any], sequence: str) -> Prop:
        if path is not None:
            return read_prop(path, name, sequence)
        model = models.get(name) or models.get(kind_of_name(name))
        if model is None:
            raise SequenceError(
                sequence,
                f"object {name}",
                f"has no mesh in {self._meshes.folder}",
                "put it there, name the right folder (scene.human.objects), or leave the sequence out",
            )
        try:
            vertices, faces = model["mesh"]
            vertices_V3, faces_F3 = np.array(vertices, np.float64), np.array(faces, np.int64)
            assert vertices_V3.shape[1:] == (3,) and faces_F3.shape[1:] == (3,)
            assert faces_F3.min() >= 0 and faces_F3.max() < len(vertices_V3)
        except (TypeError, KeyError, ValueError, AssertionError) as error:
            raise SequenceError(
                sequence, f"object_models.{name}", "is not a mesh of vertices and triangles", REMEDY
            ) from error
        return Prop(name, kind_of_name(name), vertices_V3, faces_F3)


def _sequence_folders(root: Path) -> dict[str, Path]:
    files = files_with(root, (".pkl", ".fbx"))
    return by_name(list({path.parent for path in files if path.stem == path.parent.name}), root)


def _objects_folder(config: HumanConfig, root: Path) -> Path:
    if config.objects:
        if not Path(config.objects).is_dir():
            raise InputError(f"scene.human.objects={config.objects} is not a folder", WHERE)
        return Path(config.objects)
    beside = sorted(path for path in root.resolve().parent.glob(OBJECTS) if path.is_dir())
    return beside[0] if beside else root


def _armature(value: Any, sequence: str) -> list[dict[str, Any]]:
    armature = value.get("armature") if isinstance(value, dict) else None
    frames: list[Any] = armature if isinstance(armature, list) else [None]
    if not all(isinstance(frame, dict) and all(isinstance(bone, str) for bone in frame) for frame in frames):
        raise SequenceError(sequence, "armature", "is not a list of {bone: 7 numbers}", REMEDY)
    if len(frames) < MIN_FRAMES:
        raise SequenceError(
            sequence, "armature", f"has {len(frames)} frames; a clip needs {MIN_FRAMES} or more", REMEDY
        )
    return [{mixamo_bone(bone): values for bone, values in frame.items()} for frame in frames]


def _objects(value: dict[str, Any], sequence: str) -> dict[str, Any]:
    objects = value.get("objects")
    if not isinstance(objects, dict) or not all(isinstance(name, str) for name in objects):
        raise SequenceError(sequence, "objects", "is not {name: list of 7 numbers for each frame}", REMEDY)
    return objects


def _check_notes(path: Path, sequence: str, objects: Mapping[str, Any]) -> float:
    """Frames a second, after a look at whether the objects that the notes list are there."""
    if not path.is_file():
        return FPS
    try:
        notes = yaml.safe_load(read_text(path)) or {}
        listed = [name for name in notes.get("objects") or [] if isinstance(name, str)]
        fps = float(notes.get("fps", FPS))
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, ValueError) as error:
        raise SequenceError(sequence, "yaml", f"cannot be read from {path.name}: {error}", REMEDY) from error
    absent = {kind_of_name(name) for name in listed} - {kind_of_name(name) for name in objects}
    if absent:
        raise SequenceError(sequence, "yaml.objects", f"lists {', '.join(sorted(absent))}, the .pkl does not", REMEDY)
    return fps


def _basis_array(armature: list[dict[str, Any]], bones: Sequence[str], sequence: str) -> Poses:
    """Basis `(T, J, 7)`, location first; a bone of the figure that the motion does not have stays at rest."""
    basis_TJ7 = np.tile(IDENTITY, (len(armature), len(bones), 1))
    for t, frame in enumerate(armature):
        if frame.keys() != armature[0].keys():
            odd = sorted(frame.keys() ^ armature[0].keys())[0]
            raise SequenceError(sequence, f"armature.{odd}", f"is not in every frame (frames 0 and {t} differ)", REMEDY)
    for name in armature[0]:
        if name not in bones:
            raise SequenceError(
                sequence, f"armature.{name}", f"is no bone of the figure, whose bones are {', '.join(bones[:4])}, ...",
                REMEDY,
            )  # fmt: skip
        values_T7 = _numbers([frame[name] for frame in armature], f"armature.{name}", sequence)
        basis_TJ7[:, bones.index(name)] = values_T7[:, [4, 5, 6, 0, 1, 2, 3]]
    return basis_TJ7


def _object_poses(values: Any, frames: int, name: str, sequence: str) -> Poses:
    poses_T7 = _numbers(values, f"objects.{name}", sequence)
    if len(poses_T7) != frames:
        raise SequenceError(
            sequence, f"objects.{name}", f"has {len(poses_T7)} frames, the armature has {frames}", REMEDY
        )
    return poses_T7[:, [4, 5, 6, 0, 1, 2, 3]]


def _numbers(values: Any, field: str, sequence: str) -> NDArray[np.float64]:
    try:
        numbers_T7 = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise SequenceError(sequence, field, f"is not a list of numbers: {error}", REMEDY) from error
    if numbers_T7.ndim != 2 or numbers_T7.shape[1] != 7:
        raise SequenceError(sequence, field, f"has shape {numbers_T7.shape}, not (frames, 7)", REMEDY)
    return numbers_T7
