"""The world as it was recorded: objects, furniture and the person as the clip has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.human.bodies import centred
from data_gen.human.props import StoredProp
from data_gen.human.timeline import Clip
from data_gen.human.touch import PERSON
from data_gen.scene.poses import Poses
from data_gen.scene.simulate import Contact, World
from data_gen.scene.spec import SceneSpec


def factual_world(
    spec: SceneSpec, clip: Clip, stored: Mapping[int, StoredProp], contacts: tuple[Contact, ...]
) -> World:
    """The world with the person. Velocities are central differences of the poses.

    Args:
        spec: its first objects are the clip's, its last is the person; what is between them never moves.
        clip: with as many frames as the spec.
        stored: the files of each of the clip's objects.
        contacts: see `touch.touches`.
    """
    person = len(spec.objects) - 1
    poses = {
        i: np.tile([*item.position, *item.quaternion], (spec.frames, 1)) for i, item in enumerate(spec.objects)
    } | {i: centred(clip.props_TN7[:, i], item.centre_3) for i, item in stored.items()}
    heads_TJ3 = clip.joints_TJ7[..., :3]
    poses[person] = np.tile([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], (spec.frames, 1))
    poses[person][:, :3] = (heads_TJ3.min(axis=1) + heads_TJ3.max(axis=1)) / 2
    return World(
        positions={i: poses_T7[:, :3] for i, poses_T7 in poses.items()},
        quaternions={i: poses_T7[:, 3:] for i, poses_T7 in poses.items()},
        contacts=tuple(_named(contact, person) for contact in contacts),
        velocities={i: np.gradient(poses_T7[:, :3], 1 / spec.fps, axis=0) for i, poses_T7 in poses.items()},
        spins={i: spin(poses_T7[:, 3:], spec.fps) for i, poses_T7 in poses.items()},
        joints={person: clip.joints_TJ7},
    )


def spin(quaternions_T4: Poses, fps: float) -> NDArray[np.float64]:
    """Angular velocity `(T, 3)` about the world's axes, radians per second; one-sided at both ends."""
    turns = Rotation.from_quat(quaternions_T4[:, [1, 2, 3, 0]])
    before = np.maximum(np.arange(len(quaternions_T4)) - 1, 0)
    after = np.minimum(np.arange(len(quaternions_T4)) + 1, len(quaternions_T4) - 1)
    return (turns[after] * turns[before].inv()).as_rotvec() * (fps / (after - before))[:, None]


def _named(contact: Contact, person: int) -> Contact:
    first, second = sorted(person if index == PERSON else index for index in (contact.first, contact.second))
    return replace(contact, first=first, second=second)
