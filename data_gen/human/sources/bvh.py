"""Motion capture as .bvh files, played by a figure of our own that holds an object.

Shape legend: T frames, J joints.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data_gen.human.config import HumanConfig
from data_gen.human.figure import build_figure, draw_traits
from data_gen.human.holds import palm
from data_gen.human.motion import MIN_FRAMES, Motion, Prop, SequenceError, check_motion
from data_gen.human.retarget import ARM, LEG, SIDES, leg_length, retarget
from data_gen.human.sources.bvh_file import Bvh, BvhError, read_bvh
from data_gen.human.sources.characters import Characters
from data_gen.human.sources.joint_names import mixamo_names
from data_gen.human.sources.meshes import SUFFIXES, TO_Z_UP, read_prop
from data_gen.human.sources.sequences import REMEDY, by_name, files_with, known, required_folder
from data_gen.human.sources.store import MotionStore
from data_gen.scene.poses import Points, Poses, compose, inverse
from data_gen.scene.skin import Skeleton, Skin
from void.errors import InputError
from void.files import sha256_file

BVH = "bvh"
AXES = "XYZ"
Y, Z = 1, 2
UPRIGHT = 0.9
"""Least cosine between +Z and the trunk and legs of somebody who stands: 26 degrees."""
NEEDED = ("Hips", "Head", *(f"{side}{joint}" for side in SIDES for joint in (*LEG, *ARM)))
LOWEST = 2.0
"""Percentile of the heights of the feet that counts as standing on the floor."""


class BvhSource:
    """See `MotionSource`.

    Args:
        config: `root`, `fps`, `bvh_object`, `bvh_joint` and `characters` are used.
        cache: folder for what has been read.

    Raises:
        InputError: the root is missing or holds no .bvh file, a name stands for two files, the object is no mesh
            file, a character's file is missing.
    """

    def __init__(self, config: HumanConfig, cache: Path) -> None:
        root = required_folder(config.root)
        self._files = by_name(files_with(root, (".bvh",)), root)
        self._object = Path(config.bvh_object)
        if not self._object.is_file() or self._object.suffix.lower() not in SUFFIXES:
            raise InputError(
                f"scene.human.bvh_object={config.bvh_object!r} is not a mesh file",
                f"name one ({', '.join(SUFFIXES)}; metres) of what the person holds",
            )
        self._joint = config.bvh_joint
        self._fps = config.fps
        self._characters = Characters(config, cache)
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
        return {
            "motion": BVH,
            "sequences": len(self._files),
            "characters": list(self.characters),
            "object": self._object.stem,
            "joint": self._joint,
        }

    def read(self, sequence: str, character: str | None = None) -> Motion:
        """See `MotionSource`. Raises InputError for an unknown name, SequenceError for a bad file."""
        path = known(self._files, sequence, "sequence")
        files = [sha256_file(path), sha256_file(self._object)]
        origin: dict[str, Any] = {
            "kind": BVH,
            "sequence": sequence,
            "files": files,
            "object": self._object.stem,
            "joint": self._joint,
        }
        if self._fps:
            origin["fps"] = self._fps
        motion = self._store.get(origin, lambda: self._compose(path, sequence))
        return self._characters.play(motion, character, origin, self._store)

    def _compose(self, path: Path, sequence: str) -> Motion:
        seed = int.from_bytes(hashlib.sha256(sequence.encode()).digest()[:8], "big")
        skeleton, skin = build_figure(draw_traits(np.random.default_rng(seed)))
        recorded = recorded_motion(path, sequence, skin, leg_length(skeleton))
        recorded = replace(recorded, fps=self._fps or recorded.fps)
        motion = retarget(recorded, skeleton, skin, f"figure {seed % 10000}")
        prop = read_prop(self._object, self._object.stem, sequence)
        try:
            props_TN7 = _attached(motion, self._joint, prop)[:, None]
        except KeyError as error:
            raise InputError(
                f"scene.human.bvh_joint={self._joint} is no joint of the figure",
                "name one of Mixamo's, such as RightHand",
            ) from error
        whole = Motion(
            BVH, sequence, motion.character, motion.fps, skeleton, skin, motion.joints_TJ7, (prop,), props_TN7
        )
        return check_motion(whole, REMEDY)


def recorded_motion(path: Path, sequence: str, skin: Skin, legs: float) -> Motion:
    """The motion of a .bvh file, without objects: metres, Z up, on the floor, about the origin.

    Up is where the head is from the hips in most of the recording. The rest pose is the file's (all angles zero) if
    somebody stands in it; in many archives the bones of that pose lie along one axis, and then it is the most upright
    recorded frame. The file's unit does not matter, since the whole is scaled.

    Args:
        path: of the file.
        sequence: its name.
        skin: any; it is not the recorded person's.
        legs: metres from hip to ankle that the whole is scaled to.

    Raises:
        SequenceError: the file is damaged, has too few frames, lacks a joint, has legs of no length, is not recorded
            with +Y or +Z up, or has nobody standing in it.
    """

    def wrong(field: str, problem: str, remedy: str = REMEDY) -> SequenceError:
        return SequenceError(sequence, field, problem, remedy)

    try:
        bvh = read_bvh(path)
    except BvhError as error:
        raise wrong("bvh", str(error)) from error
    if len(bvh.values_TC) < MIN_FRAMES:
        raise wrong("Frames", f"= {len(bvh.values_TC)}; a clip needs {MIN_FRAMES} or more")
    if not np.isfinite(bvh.values_TC).all():
        raise wrong("MOTION", f"is not finite at frame {np.argwhere(~np.isfinite(bvh.values_TC))[0][0]}")
    index = mixamo_names(bvh.names, bvh.parents)
    for name in NEEDED:
        if name not in index:
            raise wrong("HIERARCHY", f"has no joint that could be {name} among {', '.join(bvh.names[:6])}, ...")
    zero_J7, joints_TJ7 = _poses(bvh)
    trunk_3 = (joints_TJ7[:, index["Head"], :3] - joints_TJ7[:, index["Hips"], :3]).mean(axis=0)
    up = int(np.argmax(np.abs(trunk_3)))
    if up not in (Y, Z) or trunk_3[up] <= 0:
        sign = "-" if trunk_3[up] < 0 else "+"
        raise wrong(
            "MOTION",
            f"has the head over the hips along {sign}{AXES[up]}",
            "export it with +Y or +Z up, or leave it out",
        )
    if up == Y:
        zero_J7, joints_TJ7 = _y_to_z_up(zero_J7), _y_to_z_up(joints_TJ7)
    rest_J7 = _standing(np.concatenate([zero_J7[None], joints_TJ7]), index)
    if rest_J7 is None:
        raise wrong("MOTION", "has nobody standing upright at any frame, nor with all angles zero")
    names = {j: f"mixamorig:{name}" for name, j in index.items()}
    skeleton = Skeleton(tuple(names.get(j, own) for j, own in enumerate(bvh.names)), tuple(bvh.parents), rest_J7)
    own_legs = leg_length(skeleton)
    if not own_legs > 0:
        raise wrong("OFFSET", "is zero along both legs")
    rest_J7[:, :2] -= rest_J7[index["Hips"], :2]
    rest_J7[:, 2] -= rest_J7[:, 2].min()
    rest_J7[:, :3] *= legs / own_legs
    joints_TJ7[..., :3] *= legs / own_legs
    feet = [index[f"{side}Foot"] for side in SIDES]
    joints_TJ7[..., 2] -= np.percentile((joints_TJ7[:, feet, 2] - rest_J7[feet, 2]).min(axis=1), LOWEST)
    path_T2 = joints_TJ7[:, index["Hips"], :2]
    joints_TJ7[..., :2] -= (path_T2.min(axis=0) + path_T2.max(axis=0)) / 2
    nothing = np.zeros((len(joints_TJ7), 0, 7))
    return Motion(BVH, sequence, path.stem, 1 / bvh.seconds, skeleton, skin, joints_TJ7, (), nothing)


def _poses(bvh: Bvh) -> tuple[Poses, Poses]:
    """Poses with all angles zero `(J, 7)` and of the frames `(T, J, 7)`, in the file's unit and axes."""
    places_J3 = bvh.rest()
    zero_J7 = np.concatenate([places_J3, np.tile([1.0, 0.0, 0.0, 0.0], (len(places_J3), 1))], axis=-1)
    places_TJ3, turns = bvh.poses()
    quaternions = turns.as_quat()[:, [3, 0, 1, 2]].reshape(*places_TJ3.shape[:2], 4)
    return zero_J7, np.concatenate([places_TJ3, quaternions], axis=-1)


def _y_to_z_up(poses_7: Poses) -> Poses:
    """Poses with their places and turns in a world that has Z up."""
    return np.concatenate([poses_7[..., :3] @ TO_Z_UP.T, poses_7[..., 3:4], poses_7[..., 4:] @ TO_Z_UP.T], axis=-1)


def _standing(poses_KJ7: Poses, index: dict[str, int]) -> Poses | None:
    """A copy of the first of K poses, if somebody stands in it, or else of the most upright; None: nobody stands."""
    pairs = [("Hips", "Head"), *((f"{side}Foot", f"{side}UpLeg") for side in SIDES)]
    upright_K = np.min([_slope(poses_KJ7[:, index[a], :3], poses_KJ7[:, index[b], :3]) for a, b in pairs], axis=0)
    best = 0 if upright_K[0] >= UPRIGHT else int(np.argmax(upright_K))
    return poses_KJ7[best].copy() if upright_K[best] >= UPRIGHT else None


def _slope(low_K3: Points, high_K3: Points) -> Points:
    """Cosine `(K,)` between +Z and the way from one point to another."""
    way_K3 = high_K3 - low_K3
    return way_K3[:, 2] / np.maximum(np.linalg.norm(way_K3, axis=-1), np.finfo(float).tiny)


def _attached(motion: Motion, joint: str, prop: Prop) -> Poses:
    """Poses `(T, 7)` of an object that follows a joint: upright at frame 0, its middle where the hand is."""
    joint_T7 = motion.joint(joint)
    place_3 = (palm(motion.skeleton, motion.joints_TJ7, joint) if joint.endswith("Hand") else joint_T7[:, :3])[0]
    middle_3 = (prop.vertices_V3.min(axis=0) + prop.vertices_V3.max(axis=0)) / 2
    start_7 = np.array([*(place_3 - middle_3), 1.0, 0.0, 0.0, 0.0])
    return compose(joint_T7, compose(inverse(joint_T7[0]), start_7))
