"""A recorded motion: a person, the objects they handle, and where both are at each frame. Metres, seconds, Z up.

Shape legend: T frames, J joints, N props, V vertices, F triangles. A pose is 7 numbers:
position and quaternion (w, x, y, z).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data_gen.scene.poses import Poses
from data_gen.scene.skin import Skeleton, Skin
from void.errors import InputError

UNIT_TOLERANCE = 1e-3
"""By which the length of a quaternion may differ from 1."""
MIN_FRAMES = 2


class SequenceError(InputError):
    """A sequence cannot be used; the message names the sequence and the field."""

    def __init__(self, sequence: str, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"sequence {sequence}: {field} {problem}", remedy)
        self.sequence = sequence
        self.field = field
        self.detail = problem


@dataclass(frozen=True, eq=False)
class Prop:
    """A rigid object of a motion."""

    name: str
    """Unique in the motion (`mug`, `mug.001`)."""
    kind: str
    """What it is, without a number (`mug`, `side_table`)."""
    vertices_V3: NDArray[np.float64]
    """In its own frame, metres."""
    triangles_F3: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Motion:
    """A sequence: frame t is time t / fps."""

    source: str
    """Kind of the source, a value of `scene.motion`."""
    sequence: str
    character: str
    """Name of the figure."""
    fps: float
    skeleton: Skeleton
    skin: Skin
    joints_TJ7: Poses
    """Pose of each joint in the world."""
    props: tuple[Prop, ...]
    props_TN7: Poses
    """Pose of each prop's own frame in the world."""
    hold_error: float = 0.0
    """Metres by which a hand misses what it holds, at most; 0 where the figure is the one that was recorded."""

    @property
    def frames(self) -> int:
        """T."""
        return len(self.joints_TJ7)

    @property
    def seconds(self) -> float:
        """Time between the first and the last frame."""
        return (self.frames - 1) / self.fps

    def joint(self, name: str) -> Poses:
        """Poses `(T, 7)` of one joint; `mixamorig:` may be left out. Raises KeyError."""
        return self.joints_TJ7[:, self.skeleton.index(name)]


class MotionSource(Protocol):
    """Where motions come from."""

    @property
    def sequences(self) -> tuple[str, ...]:
        """Names of all sequences, sorted."""

    @property
    def characters(self) -> tuple[str, ...]:
        """Names of the figures that can play any sequence; empty: each is played by its own."""

    def read(self, sequence: str, character: str | None = None) -> Motion:
        """A motion, checked.

        Args:
            sequence: one of `sequences`.
            character: one of `characters`; None: the sequence's own figure.

        Raises:
            SequenceError: a file is missing or damaged, or a value is impossible.
        """

    def describe(self) -> dict[str, Any]:
        """Facts for the record of a data set."""


def check_motion(motion: Motion, remedy: str) -> Motion:
    """The motion, if it can be played.

    Args:
        motion: as read.
        remedy: what to do about a bad one.

    Raises:
        SequenceError: too short, a pose that is not finite or whose quaternion is not a unit, shapes that do not fit,
            a figure that does not stand upright (Z up), no Hips, two props of one name.
    """

    def wrong(field: str, problem: str) -> SequenceError:
        return SequenceError(motion.sequence, field, problem, remedy)

    if motion.frames < MIN_FRAMES:
        raise wrong("armature", f"has {motion.frames} frames; a clip needs {MIN_FRAMES} or more")
    if not motion.fps > 0:
        raise wrong("fps", f"= {motion.fps}")
    if motion.joints_TJ7.shape[1:] != (len(motion.skeleton.names), 7):
        raise wrong("armature", f"has shape {motion.joints_TJ7.shape} for {len(motion.skeleton.names)} joints")
    if motion.props_TN7.shape != (motion.frames, len(motion.props), 7):
        raise wrong("objects", f"have {len(motion.props_TN7)} frames, the armature has {motion.frames}")
    names = [prop.name for prop in motion.props]
    if len(set(names)) < len(names):
        raise wrong("objects", f"have names more than once: {', '.join(sorted(names))}")
    _check_poses(motion.joints_TJ7, motion.skeleton.names, "armature", wrong)
    _check_poses(motion.props_TN7, names, "objects", wrong)
    for prop in motion.props:
        if len(prop.vertices_V3) < 4 or not np.isfinite(prop.vertices_V3).all():
            raise wrong(f"object {prop.name}", "has a mesh without volume, or with vertices that are not finite")
    try:
        hips, head = motion.skeleton.index("Hips"), motion.skeleton.index("Head")
    except KeyError as error:
        raise wrong("armature", f"has no bone {error.args[0]}; its bones are not Mixamo's") from error
    upright = motion.skeleton.rest_J7[head, :3] - motion.skeleton.rest_J7[hips, :3]
    if np.argmax(np.abs(upright)) != 2 or upright[2] <= 0:
        raise wrong("armature", "does not stand upright along +Z: its up axis is another one")
    return motion


def _check_poses(poses_TK7: Poses, names: Sequence[str], field: str, wrong: Any) -> None:
    finite_TK = np.isfinite(poses_TK7).all(axis=-1)
    if not finite_TK.all():
        frame, index = np.argwhere(~finite_TK)[0]
        raise wrong(f"{field}.{names[index]}", f"is not finite at frame {frame}")
    off_TK = np.abs(np.linalg.norm(poses_TK7[..., 3:], axis=-1) - 1) > UNIT_TOLERANCE
    if off_TK.any():
        frame, index = np.argwhere(off_TK)[0]
        length = np.linalg.norm(poses_TK7[frame, index, 3:])
        raise wrong(f"{field}.{names[index]}", f"has a quaternion of length {length:.3g} at frame {frame}, not 1")
