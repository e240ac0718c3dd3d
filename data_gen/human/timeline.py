"""The one time base of a clip: figure and objects are read off their sequence at the same instants.

Shape legend: T frames of the clip, F of the sequence, J joints, N props. A pose: position, quaternion (w, x, y, z).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data_gen.human.motion import Motion, SequenceError
from data_gen.scene.poses import Poses

EXACT = 1e-6
"""Frames by which an instant may miss a frame of the sequence and still be that frame."""
NEARLY_PARALLEL = 0.9995
"""Cosine between two quaternions above which straight interpolation is as good as slerp."""
MOVED = 0.01
"""Metres by which an object gets away from where it was, for it to have moved."""
TREMOR = 0.002
"""Metres by which a recorded object at rest trembles."""
LEVER = 0.3
"""Metres from its middle at which an object's turning counts as a distance."""


@dataclass(frozen=True, eq=False)
class Clip:
    """The motion at each frame of a clip."""

    joints_TJ7: Poses
    props_TN7: Poses


def retime(motion: Motion, *, start: float, frames: int, fps: float, squeezed: bool) -> Clip:
    """Resample a motion: positions linearly, quaternions by slerp the shorter way, both at the same instants.

    Args:
        motion: with F frames.
        start: seconds into the sequence at frame 0 of the clip; ignored where squeezed.
        frames: T.
        fps: frames of the clip a second.
        squeezed: the clip shows the whole sequence, however long it is; else it runs at the sequence's pace.

    Raises:
        SequenceError: the sequence ends before the clip does, or the clip starts before it.
    """
    instants_T = source_frames(motion, start=start, frames=frames, fps=fps, squeezed=squeezed)
    return Clip(sample(motion.joints_TJ7, instants_T), sample(motion.props_TN7, instants_T))


def source_frames(motion: Motion, *, start: float, frames: int, fps: float, squeezed: bool) -> NDArray[np.float64]:
    """Where each frame of the clip is in the sequence, in frames of the sequence. Arguments and errors as `retime`."""
    last = motion.frames - 1
    if squeezed:
        return np.linspace(0.0, last, frames)
    instants_T = (start + np.arange(frames) / fps) * motion.fps
    if instants_T[0] < -EXACT or instants_T[-1] > last + EXACT:
        raise SequenceError(
            motion.sequence,
            "armature",
            f"lasts {motion.seconds:.2f} s, the clip {(frames - 1) / fps:.2f} s from second {start:.2f}",
            "use shorter clips (scene.frames), or scene.human.time=squeezed",
        )
    return instants_T.clip(0, last)


def sample(poses_FK7: Poses, instants_T: NDArray[np.float64]) -> Poses:
    """Poses `(T, K, 7)` at instants, in frames; those at a frame are that frame's to the bit."""
    nearest_T = np.rint(instants_T)
    snapped_T = np.where(np.abs(instants_T - nearest_T) < EXACT, nearest_T, instants_T)
    before_T = np.floor(snapped_T).astype(int)
    after_T = np.minimum(before_T + 1, len(poses_FK7) - 1)
    share_T11 = (snapped_T - before_T)[:, None, None]
    first_TK7, second_TK7 = poses_FK7[before_T], poses_FK7[after_T]
    positions_TK3 = first_TK7[..., :3] + share_T11 * (second_TK7[..., :3] - first_TK7[..., :3])
    quaternions_TK4 = _slerp(first_TK7[..., 3:], second_TK7[..., 3:], share_T11)
    between_TK7 = np.concatenate([positions_TK3, quaternions_TK4], axis=-1)
    return np.where(share_T11 == 0, first_TK7, between_TK7)


def _slerp(first_TK4: Poses, second_TK4: Poses, share_T11: NDArray[np.float64]) -> Poses:
    cosine_TK1 = (first_TK4 * second_TK4).sum(axis=-1, keepdims=True)
    second_TK4 = np.where(cosine_TK1 < 0, -second_TK4, second_TK4)
    angle_TK1 = np.arccos(np.abs(cosine_TK1).clip(0, 1))
    straight_TK1 = np.cos(angle_TK1) > NEARLY_PARALLEL
    sine_TK1 = np.where(straight_TK1, 1.0, np.sin(angle_TK1))
    weight_TK1 = np.where(straight_TK1, 1 - share_T11, np.sin((1 - share_T11) * angle_TK1) / sine_TK1)
    other_TK1 = np.where(straight_TK1, share_T11, np.sin(share_T11 * angle_TK1) / sine_TK1)
    mixed_TK4 = weight_TK1 * first_TK4 + other_TK1 * second_TK4
    return mixed_TK4 / np.linalg.norm(mixed_TK4, axis=-1, keepdims=True)


def displacement(poses_T7: Poses) -> NDArray[np.float64]:
    """Metres `(T,)` by which an object is away from where it is at the first frame, turns counted at `LEVER`."""
    shift_T = np.linalg.norm(poses_T7[:, :3] - poses_T7[0, :3], axis=-1)
    cosine_T = np.abs(poses_T7[:, 3:] @ poses_T7[0, 3:]).clip(0, 1)
    turn_T = np.where(cosine_T > 1 - 1e-12, 0.0, 2 * np.arccos(cosine_T))
    return shift_T + LEVER * turn_T


def steadied(clip: Clip) -> Clip:
    """The clip without the trembling of recorded objects at rest.

    What is never further than `MOVED` from where it is at the first frame stays there; what moves later stays there
    until it is further away than `TREMOR`.
    """
    props_TN7 = clip.props_TN7.copy()
    for i in range(props_TN7.shape[1]):
        away_T = displacement(props_TN7[:, i])
        still = len(away_T) if away_T.max() <= MOVED else int((away_T > TREMOR).argmax())
        props_TN7[:still, i] = props_TN7[0, i]
    return replace(clip, props_TN7=props_TN7)
