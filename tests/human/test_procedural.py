"""Composed motions: feet stay, hands hold, nothing floats, and a name decides everything."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from data_gen.human.kinematics import apply, descendants, inverse
from data_gen.human.motion import Motion
from data_gen.human.procedural import MOTIONS, compose_motion, sequence_names
from data_gen.human.skinning import skinned

NAMES = sequence_names(1)
EVERY = 13
"""Frames between those that are looked at."""
FURNITURE = {"table", "working_chair", "utility_cart", "cabinet", "drawer"}
BALLS = {"ball", "basketball", "football"}

composed = functools.cache(compose_motion)


def mesh(motion: Motion, index: int, frame: int) -> trimesh.Trimesh:
    prop = motion.props[index]
    vertices_V3 = apply(motion.props_TN7[frame, index], prop.vertices_V3)
    return trimesh.Trimesh(vertices_V3, prop.triangles_F3, process=False)


def hands_P3(motion: Motion, frame: int) -> np.ndarray:
    """Skin of the hands and feet in the world."""
    limbs = ("LeftHand", "RightHand", "LeftFoot", "RightFoot")
    joints = [j for name in limbs for j in descendants(motion.skeleton, motion.skeleton.index(name))]
    mine_V = np.isin(motion.skin.joints_V4[:, 0], joints)
    return skinned(motion.skin, motion.skeleton, motion.joints_TJ7[frame])[mine_V]


def test_there_are_a_dozen_motions_with_names_of_their_own() -> None:
    names = sequence_names(3)
    assert len(MOTIONS) >= 12
    assert len(set(names)) == len(names) == 3 * len(MOTIONS)
    assert list(names) == sorted(names)
    assert set(sequence_names(1)) <= set(names)


def test_a_name_decides_the_motion_and_other_names_differ() -> None:
    first, again, other = (compose_motion(f"carry_two_hands_{name}") for name in ("box_0", "box_0", "box_7"))
    assert np.array_equal(first.joints_TJ7, again.joints_TJ7)
    assert np.array_equal(first.props_TN7, again.props_TN7)
    assert np.array_equal(first.skin.vertices_V3, again.skin.vertices_V3)
    assert first.skeleton.rest_J7[:, 2].max() != other.skeleton.rest_J7[:, 2].max()


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        compose_motion("carry_one_hand_piano_0")


@pytest.mark.parametrize("name", NAMES)
def test_the_motion_fits_a_room(name: str) -> None:
    motion = composed(name)
    assert 4.0 <= motion.seconds <= 9.0
    assert np.abs(motion.joints_TJ7[..., :2]).max() < 2.5
    assert motion.joints_TJ7[..., 2].min() > 0.0


@pytest.mark.parametrize("name", NAMES)
def test_one_foot_or_both_stand_still_at_each_frame(name: str) -> None:
    motion = composed(name)
    moved = []
    for side in ("Left", "Right"):
        steps_T3 = np.diff(motion.joint(f"{side}Foot")[:, :3], axis=0)
        moved.append(np.linalg.norm(steps_T3, axis=-1))
    assert np.minimum(*moved).max() < 0.01


@pytest.mark.parametrize("name", NAMES)
def test_no_joint_jumps(name: str) -> None:
    motion = composed(name)
    steps_TJ = np.linalg.norm(np.diff(motion.joints_TJ7[..., :3], axis=0), axis=-1)
    assert steps_TJ.max() * motion.fps < 8.0


@pytest.mark.parametrize("name", NAMES)
def test_bones_keep_their_lengths(name: str) -> None:
    motion = composed(name)
    for j, parent in enumerate(motion.skeleton.parents):
        if parent >= 0:
            rest = np.linalg.norm(motion.skeleton.rest_J7[j, :3] - motion.skeleton.rest_J7[parent, :3])
            lengths_T = np.linalg.norm(motion.joints_TJ7[:, j, :3] - motion.joints_TJ7[:, parent, :3], axis=-1)
            assert np.abs(lengths_T - rest).max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_nothing_floats_and_nothing_sinks(name: str) -> None:
    """What is off the floor is in a hand, on something, or on a parabola."""
    motion = composed(name)
    for frame in range(1, motion.frames - 1, EVERY):
        meshes = [mesh(motion, i, frame) for i in range(len(motion.props))]
        hands = hands_P3(motion, frame)
        held = {i for i, one in enumerate(meshes) if near(hands, one) < 0.03}
        carried = held | {i for i, one in enumerate(meshes) if abs(one.bounds[0, 2]) < 0.002}
        carried |= {i for i, prop in enumerate(motion.props) if prop.kind in BALLS and falls(motion, i, frame)}
        for _ in meshes:
            carried |= {a for a, b in itertools.permutations(range(len(meshes)), 2) if b in carried
                        and stands_on(meshes[a], meshes[b])}  # fmt: skip
        assert carried == set(range(len(meshes))), f"frame {frame}"
        assert min(one.bounds[0, 2] for one in meshes) > -0.002


def near(points_P3: np.ndarray, one: trimesh.Trimesh) -> float:
    low_3, high_3 = one.bounds
    box_P = np.all((points_P3 > low_3 - 0.05) & (points_P3 < high_3 + 0.05), axis=-1)
    if not box_P.any():
        return np.inf
    surface_Q3, _ = trimesh.sample.sample_surface(one, 3000, seed=0)
    return float(cKDTree(surface_Q3).query(points_P3[box_P])[0].min())


def stands_on(upper: trimesh.Trimesh, lower: trimesh.Trimesh) -> bool:
    """Whether a face of the lower one is 0 to 2 mm from the upper one's lowest points."""
    feet_K3 = upper.vertices[upper.vertices[:, 2] < upper.bounds[0, 2] + 1e-4]
    middle_3 = feet_K3.mean(axis=0)
    low_3, high_3 = lower.bounds
    if (middle_3[:2] < low_3[:2]).any() or (middle_3[:2] > high_3[:2]).any():
        return False
    closest_F3 = trimesh.triangles.closest_point(lower.triangles, np.tile(middle_3, (len(lower.triangles), 1)))
    return bool(np.linalg.norm(closest_F3 - middle_3, axis=-1).min() < 0.002)


def falls(motion: Motion, index: int, frame: int) -> bool:
    """Whether the ball's middle has gravity's acceleration at a frame, or is at a bounce or at its release."""
    prop = motion.props[index]
    middle_3 = (prop.vertices_V3.max(axis=0) + prop.vertices_V3.min(axis=0)) / 2
    heights_T = apply(motion.props_TN7[:, index], middle_3)[:, 2]
    around = slice(max(frame - 2, 0), frame + 3)
    down_T = np.diff(heights_T[around], n=2) * motion.fps**2
    return bool((np.abs(down_T + 9.81) < 0.05 * 9.81).any())


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("place", "lift"))])
def test_what_stands_on_the_table_stands_exactly_still(name: str) -> None:
    motion = composed(name)
    index = next(i for i, prop in enumerate(motion.props) if prop.kind not in FURNITURE)
    frames = slice(-15, None) if name.startswith("place") else slice(0, 10)
    assert (motion.props_TN7[frames, index] == motion.props_TN7[frames, index][0]).all()
    assert motion.props_TN7[frames, index, 2][0] == pytest.approx(0.74)


def test_a_thrown_ball_bounces_and_slows_down() -> None:
    motion = composed(next(name for name in NAMES if name.startswith("throw")))
    prop = motion.props[0]
    radius = float(np.ptp(prop.vertices_V3[:, 2])) / 2
    middles_T3 = apply(motion.props_TN7[:, 0], np.array([0.0, 0.0, radius]))
    assert middles_T3[:, 2].min() > radius - 0.002
    low_T = (middles_T3[1:-1, 2] < middles_T3[:-2, 2]) & (middles_T3[1:-1, 2] <= middles_T3[2:, 2])
    assert low_T.sum() >= 2
    speeds_T = np.linalg.norm(np.diff(middles_T3[:, :2], axis=0), axis=-1) * motion.fps
    assert speeds_T[-1] < 0.6 * speeds_T.max()


def test_what_is_on_a_tray_stays_on_it() -> None:
    motion = composed(next(name for name in NAMES if name.startswith("tray")))
    for i in (1, 2):
        relative_T3 = apply(inverse(motion.props_TN7[:, 0]), motion.props_TN7[:, i, :3])
        assert np.ptp(relative_T3, axis=0).max() < 1e-9


def test_a_kicked_ball_is_touched_by_the_foot_before_it_moves() -> None:
    motion = composed(next(name for name in NAMES if name.startswith("kick")))
    start = int((np.linalg.norm(np.diff(motion.props_TN7[:, 0, :3], axis=0), axis=-1) > 1e-6).argmax())
    assert start > 30
    assert min(near(hands_P3(motion, frame), mesh(motion, 0, frame)) for frame in (start, start + 1)) < 0.03
