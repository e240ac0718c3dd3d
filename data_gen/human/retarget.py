"""Another figure plays a motion: it turns its joints alike, stands where the first one stood, and holds what it held.

1. Each joint turns in the world as the recorded one does from its rest pose: D R D^-1 per bone, with D the difference
   of the rest poses. Where the limbs of the rest poses point elsewhere (A-pose, T-pose), that is made up for first.
2. The hips go where the recorded ones go over the floor, since objects do not move away; upright, they are as high as
   the figure's legs are long. The lower they are, the more of the recorded height remains: seats stay seats.
3. Feet go to the recorded places, and stay on one place while they stand. The hips come down where a leg is too short.
4. Hands that are on an object are brought to the recorded places on it, by inverse kinematics of the arm; the hips come
   down where they do not reach.

Shape legend: T frames, J joints of the recorded skeleton, K of the figure's. Metres, Z up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

from data_gen.human.holds import held_frames, palm
from data_gen.human.kinematics import bend_limb
from data_gen.human.motion import Motion, SequenceError
from data_gen.scene.poses import Poses, between, compose, conjugate, inverse, multiply, rotate
from data_gen.scene.skin import Skeleton, Skin

SIDES = ("Left", "Right")
LEG, ARM = ("UpLeg", "Leg", "Foot"), ("Arm", "ForeArm", "Hand")
BONE_ENDS = {"UpLeg": "Leg", "Leg": "Foot", "Arm": "ForeArm", "ForeArm": "Hand"}
"""Bones whose rest direction is aligned, and the joints at their ends."""
STANDING_HEIGHT, STANDING_SPEED = 0.05, 0.25
"""A foot stands that is lower over its rest place (metres) and slower (m/s) than this."""
BENT, UPRIGHT = 0.6, 0.9
"""Heights of the hips, as shares of that at rest, between which legs begin to count and count fully."""
LONGEST = 0.998
"""Share of its length to which a leg is stretched."""
BLEND = 0.2
"""Seconds before and after a contact in which a limb comes to it and leaves it."""
STOOPS = 4
"""Times that the hips are lowered, at most, so that hands reach what lies low."""
CLOSE = 1e-3
"""Metres over its place at which a hand is there."""
FORWARD = 0.05
"""How much a straight knee wants to bend forward."""


def retarget(motion: Motion, skeleton: Skeleton, skin: Skin, character: str) -> Motion:
    """The motion, played by another figure.

    Args:
        motion: as recorded, with Mixamo's joints; those it lacks follow their parents.
        skeleton: of the other figure, with Mixamo's joints.
        skin: of the other figure.
        character: its name.

    Returns:
        The motion with the figure's joints; `hold_error` is the largest distance by which the middle of a hand misses
        its recorded place on what it touches.

    Raises:
        SequenceError: either skeleton lacks a joint of the hips, arms or legs.
    """
    check_joints(motion.sequence, motion.skeleton, "armature")
    check_joints(motion.sequence, skeleton, f"character {character}")
    turned_TK7 = _turned_alike(motion, skeleton)
    held = {f"{side}Hand": held_frames(motion, f"{side}Hand") for side in SIDES}
    stoop_T = np.zeros(motion.frames)
    for _ in range(STOOPS):
        joints_TK7, error, above_T = _holding(motion, skeleton, _planted(motion, skeleton, turned_TK7, stoop_T), held)
        if above_T.max() < CLOSE:
            break
        stoop_T += above_T
    return replace(
        motion,
        character=character,
        skeleton=skeleton,
        skin=skin,
        joints_TJ7=joints_TK7,
        hold_error=max(motion.hold_error, error),
    )


def leg_length(skeleton: Skeleton) -> float:
    """Metres from the hip joint over the knee to the ankle, mean of both legs."""
    places = [[skeleton.rest_J7[skeleton.index(f"{side}{joint}"), :3] for joint in LEG] for side in SIDES]
    return float(np.mean([np.linalg.norm(np.diff(leg, axis=0), axis=-1).sum() for leg in places]))


def check_joints(sequence: str, skeleton: Skeleton, field: str) -> None:
    """Raise SequenceError where a skeleton lacks a joint of the hips, arms or legs."""
    for name in ("Hips", *(f"{side}{joint}" for side in SIDES for joint in (*LEG, *ARM))):
        try:
            skeleton.index(name)
        except KeyError as error:
            raise SequenceError(
                sequence, field, f"has no bone {name}", "give it Mixamo's bones, or leave the sequence out"
            ) from error


def _bare(name: str) -> str:
    return name.removeprefix("mixamorig:")


def _facing(skeleton: Skeleton) -> float:
    """Angle about +Z by which the line from the right to the left hip is turned from +X at rest."""
    left_3, right_3 = (skeleton.rest_J7[skeleton.index(f"{side}UpLeg"), :3] for side in SIDES)
    return float(np.arctan2(*(left_3 - right_3)[[1, 0]]))


def _aligned_rest(recorded: Skeleton, skeleton: Skeleton) -> NDArray[np.float64]:
    """Turns `(K, 4)` of the figure's joints at rest, with its limbs in the directions of the recorded rest pose."""
    half = (_facing(recorded) - _facing(skeleton)) / 2
    around_4 = np.array([np.cos(half), 0.0, 0.0, np.sin(half)])
    turns_K4 = np.empty((len(skeleton.names), 4))
    for k, parent in enumerate(skeleton.parents):
        turns_K4[k] = turns_K4[parent] if parent >= 0 else around_4
        name = _bare(skeleton.names[k])
        side = next((side for side in SIDES if name.startswith(side)), None)
        if side is None:
            continue
        joint = name.removeprefix(side)
        if joint in BONE_ENDS:
            end = f"{side}{BONE_ENDS[joint]}"
            wanted_3, own_3 = (
                item.rest_J7[item.index(end), :3] - item.rest_J7[item.index(name), :3] for item in (recorded, skeleton)
            )
            turns_K4[k] = multiply(between(rotate(turns_K4[k], own_3), wanted_3), turns_K4[k])
        elif joint == "Foot":
            turns_K4[k] = around_4  # Soles stay level, however the leg was turned.
    return multiply(turns_K4, skeleton.rest_J7[:, 3:])


def _turned_alike(motion: Motion, skeleton: Skeleton) -> Poses:
    """Poses `(T, K, 7)` of the figure's joints, with the hips at their height."""
    recorded = motion.skeleton
    rest_K4 = _aligned_rest(recorded, skeleton)
    known = {_bare(name): j for j, name in enumerate(recorded.names)}
    joints_TK7 = np.empty((motion.frames, len(skeleton.names), 7))
    for k, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        if parent >= 0:
            joints_TK7[:, k] = compose(
                joints_TK7[:, parent], compose(inverse(skeleton.rest_J7[parent]), skeleton.rest_J7[k])
            )
        else:
            joints_TK7[:, k] = skeleton.rest_J7[k]
        j = known.get(_bare(name))
        if j is not None:
            delta_T4 = multiply(motion.joints_TJ7[:, j, 3:], conjugate(recorded.rest_J7[j, 3:]))
            joints_TK7[:, k, 3:] = multiply(delta_T4, rest_K4[k])
        if _bare(name) == "Hips":
            joints_TK7[:, k, :3] = _hips(motion, skeleton)
    return joints_TK7


def _hips(motion: Motion, skeleton: Skeleton) -> NDArray[np.float64]:
    """Where the figure's hips go `(T, 3)`."""
    hips_T3 = motion.joint("Hips")[:, :3].copy()
    rest = motion.skeleton.rest_J7[motion.skeleton.index("Hips"), 2]
    standing_T = np.clip((hips_T3[:, 2] / rest - BENT) / (UPRIGHT - BENT), 0.0, 1.0)
    hips_T3[:, 2] += (skeleton.rest_J7[skeleton.index("Hips"), 2] - rest) * standing_T
    return hips_T3


def _planted(motion: Motion, skeleton: Skeleton, joints_TK7: Poses, stoop_T: NDArray[np.float64]) -> Poses:
    """The poses with the feet where the recorded ones are, as high over the floor as the figure's ankles.

    The hips are lowered by `stoop_T`, or by more where legs are too short.
    """
    targets = {side: _foot_path(motion, skeleton, f"{side}Foot") for side in SIDES}
    drop_T = stoop_T
    for side, target_T3 in targets.items():
        hip, knee, ankle = (skeleton.index(f"{side}{joint}") for joint in LEG)
        places_3 = skeleton.rest_J7[[hip, knee, ankle], :3]
        longest = LONGEST * np.linalg.norm(np.diff(places_3, axis=0), axis=-1).sum()
        apart_T3 = joints_TK7[:, hip, :3] - target_T3
        lowest_T = np.sqrt(np.maximum(longest**2 - (apart_T3[:, :2] ** 2).sum(axis=-1), 0.0))
        drop_T = np.maximum(drop_T, apart_T3[:, 2] - lowest_T)
    width = _window(motion)
    # Widened before it is smoothed, so that no frame gets less than it needs.
    lowered_TK7 = joints_TK7.copy()
    lowered_TK7[..., 2] -= uniform_filter1d(maximum_filter1d(drop_T, width), width)[:, None]
    forward_T3 = _forward(motion)
    for side, target_T3 in targets.items():
        hip, knee, ankle = (skeleton.index(f"{side}{joint}") for joint in LEG)
        start_T3 = lowered_TK7[:, hip, :3]
        way_T3 = lowered_TK7[:, ankle, :3] - start_T3
        share_T1 = ((lowered_TK7[:, knee, :3] - start_T3) * way_T3).sum(axis=-1, keepdims=True)
        bend_T3 = lowered_TK7[:, knee, :3] - start_T3 - share_T1 / (way_T3**2).sum(axis=-1, keepdims=True) * way_T3
        limb = [f"{side}{joint}" for joint in LEG]
        lowered_TK7 = bend_limb(skeleton, lowered_TK7, limb, target_T3, bend_T3 + FORWARD * forward_T3)
    return lowered_TK7


def _foot_path(motion: Motion, skeleton: Skeleton, foot: str) -> NDArray[np.float64]:
    """Places `(T, 3)` of the figure's ankle: the recorded ones, each stance at one place."""
    path_T3 = motion.joint(foot)[:, :3]
    rest = motion.skeleton.rest_J7[motion.skeleton.index(foot), 2]
    speed_T = np.linalg.norm(np.gradient(path_T3, axis=0), axis=-1) * motion.fps
    standing_T = (path_T3[:, 2] < rest + STANDING_HEIGHT) & (speed_T < STANDING_SPEED)
    offset_T3 = np.zeros_like(path_T3)
    for frames in _runs(standing_T):
        offset_T3[frames] = np.median(path_T3[frames], axis=0) - path_T3[frames]
    smooth_T3 = gaussian_filter1d(offset_T3, _window(motion) / 4, axis=0, mode="nearest")
    path_T3 = path_T3 + np.where(standing_T[:, None], offset_T3, smooth_T3)
    path_T3[:, 2] += skeleton.rest_J7[skeleton.index(foot), 2] - rest
    return path_T3


def _holding(
    motion: Motion, skeleton: Skeleton, joints_TK7: Poses, held: Mapping[str, NDArray[np.bool_]]
) -> tuple[Poses, float, NDArray[np.float64]]:
    """The poses with hands on what they touch.

    Returns:
        The poses, the largest distance in metres by which a hand misses its place, and at each frame `(T,)` how far
        a hand is from a place below it.
    """
    misses = [0.0]
    above_T = np.zeros(motion.frames)
    width = _window(motion)
    for side in SIDES:
        hand = f"{side}Hand"
        held_T = held[hand]
        if not held_T.any():
            continue
        wanted_T3 = palm(motion.skeleton, motion.joints_TJ7, hand)
        shift_T3 = wanted_T3 - palm(skeleton, joints_TK7, hand)
        weight_T = uniform_filter1d(maximum_filter1d(held_T.astype(float), width), width)
        target_T3 = joints_TK7[:, skeleton.index(hand), :3] + weight_T[:, None] * shift_T3
        joints_TK7 = bend_limb(skeleton, joints_TK7, [f"{side}{joint}" for joint in ARM], target_T3)
        miss_T3 = (palm(skeleton, joints_TK7, hand) - wanted_T3) * held_T[:, None]
        miss_T = np.linalg.norm(miss_T3, axis=-1)
        misses.append(float(miss_T.max()))
        above_T = np.maximum(above_T, np.where(miss_T3[:, 2] > 0, miss_T, 0.0))
    return joints_TK7, max(misses), above_T


def _forward(motion: Motion) -> NDArray[np.float64]:
    """Where the pelvis faces `(T, 3)`: across the line from the right to the left hip."""
    left_T3, right_T3 = (motion.joint(f"{side}UpLeg")[:, :3] for side in SIDES)
    forward_T3 = np.cross(left_T3 - right_T3, [0.0, 0.0, 1.0])
    return forward_T3 / np.maximum(np.linalg.norm(forward_T3, axis=-1, keepdims=True), 1e-9)


def _window(motion: Motion) -> int:
    """Frames of the blend, an odd number."""
    return 2 * max(1, round(BLEND * motion.fps / 2)) + 1


def _runs(flags_T: NDArray[np.bool_]) -> list[slice]:
    """Stretches of frames at which a flag is set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags_T, [False]]).astype(int)))
    return [slice(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
