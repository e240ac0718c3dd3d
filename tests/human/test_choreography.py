"""Procedural motions: feet that stay, hands that hold, objects that neither float nor sink."""

from __future__ import annotations

import numpy as np
import pytest

from data_gen.human.choreography import MOTIONS, compose_motion, sequence_names
from data_gen.human.choreography.body import PALM
from data_gen.human.choreography.stage import Stage
from data_gen.human.motion import Motion, check_motion
from data_gen.scene.poses import apply
from data_gen.scene.skin import skinned

MAX_SLIDE = 0.01
ON_FLOOR = 0.02
"""Metres above its lowest height below which an ankle stands."""
GRAVITY = 9.81


@pytest.fixture(scope="module")
def motions() -> dict[str, Motion]:
    """One sequence of each motion."""
    names = sequence_names(2)
    return {motion: compose_motion(next(n for n in names if n.startswith(f"{motion}_"))) for motion in MOTIONS}


def palms(motion: Motion, side: str) -> np.ndarray:
    skeleton = motion.skeleton
    wrist, tip = skeleton.index(f"{side}Hand"), skeleton.index(f"{side}HandMiddle4")
    length = float(np.linalg.norm(skeleton.rest_J7[tip, :3] - skeleton.rest_J7[wrist, :3]))
    return apply(motion.joints_TJ7[:, wrist], np.array([0.0, PALM * length, 0.0]))


def vertices_of(motion: Motion, index: int, frame: int) -> np.ndarray:
    return apply(motion.props_TN7[frame, index], motion.props[index].vertices_V3)


def test_there_are_enough_motions_with_names_of_their_own() -> None:
    assert len(MOTIONS) >= 12
    names = sequence_names(8)
    assert len(set(names)) == len(names) == 8 * len(MOTIONS) and list(names) == sorted(names)
    with pytest.raises(KeyError):
        compose_motion("juggle_ball_000")


def test_a_name_decides_the_motion_and_variations_differ() -> None:
    first, again, other = (compose_motion(f"carry_one_hand_mug_{k}") for k in ("000", "000", "005"))
    np.testing.assert_array_equal(first.joints_TJ7, again.joints_TJ7)
    heights = [motion.skeleton.rest_J7[:, 2].max() for motion in (first, other)]
    assert abs(heights[0] - heights[1]) > 0.005


@pytest.mark.parametrize("name", MOTIONS)
def test_every_motion_can_be_played_for_five_seconds(name: str, motions: dict[str, Motion]) -> None:
    motion = check_motion(motions[name], "mend it")
    assert motion.seconds >= 5 and motion.fps == 30
    steps = np.linalg.norm(np.diff(motion.joints_TJ7[..., :3], axis=0), axis=-1) * motion.fps
    assert steps.max() < 9, "no joint jumps"


@pytest.mark.parametrize("name", MOTIONS)
def test_standing_feet_do_not_slide_nor_sink(name: str, motions: dict[str, Motion]) -> None:
    motion = motions[name]
    for side in ("Left", "Right"):
        ankle_T3 = motion.joint(f"{side}Foot")[:, :3]
        stands_T = ankle_T3[:, 2] < ankle_T3[:, 2].min() + ON_FLOOR
        slide_T = np.linalg.norm(np.diff(ankle_T3[:, :2], axis=0), axis=-1)
        assert slide_T[stands_T[1:] & stands_T[:-1]].max() < MAX_SLIDE
    for frame in np.linspace(0, motion.frames - 1, 6).astype(int):
        lowest = skinned(motion.skin, motion.skeleton, motion.joints_TJ7[frame])[:, 2].min()
        assert -0.02 < lowest < 0.03


@pytest.mark.parametrize("name", sorted(set(MOTIONS) - {"kick"}))
def test_palms_are_at_their_grips_in_every_variation(name: str) -> None:
    for seed in range(6):
        stage = Stage(np.random.default_rng(seed), 6.0)
        MOTIONS[name].perform(stage, MOTIONS[name].kinds[seed % len(MOTIONS[name].kinds)])
        motion = stage.motion("unturned", yaw=0.0)
        hips_T2 = stage.controls.hips_T3[:, :2]
        middle_3 = np.array([*(hips_T2.min(axis=0) + hips_T2.max(axis=0)) / 2, 0.0])
        held_T2 = stage.controls.used_T2 >= 1
        assert held_T2.any()
        for k, side in enumerate(("Left", "Right")):
            missed_T = np.linalg.norm(palms(motion, side) + middle_3 - stage.controls.grips_T23[:, k], axis=-1)
            assert missed_T[held_T2[:, k]].max(initial=0.0) < 0.01, (seed, side)


@pytest.mark.parametrize("name", sorted(set(MOTIONS) - {"kick", "throw", "lift", "place", "sit"}))
def test_what_is_held_keeps_its_place_in_the_hand(name: str, motions: dict[str, Motion]) -> None:
    motion = motions[name]
    moving = [i for i in range(len(motion.props)) if np.ptp(motion.props_TN7[:, i], axis=0).max() > 0.01]
    assert moving
    nearest = []
    for i in moving:
        for side in ("Left", "Right"):
            gaps = []
            for frame in range(0, motion.frames, 10):
                away_V = np.linalg.norm(vertices_of(motion, i, frame) - palms(motion, side)[frame], axis=-1)
                gaps.append(float(away_V.min()))
            nearest.append(np.ptp(gaps))
    assert min(nearest) < 0.015


@pytest.mark.parametrize("name", MOTIONS)
def test_nothing_is_below_the_floor_and_nothing_floats_unheld(name: str, motions: dict[str, Motion]) -> None:
    motion = motions[name]
    hands = [palms(motion, side) for side in ("Left", "Right")]
    for i in range(len(motion.props)):
        lows = np.array([vertices_of(motion, i, t)[:, 2].min() for t in range(motion.frames)])
        assert lows.min() > -0.002
        falling_T = np.zeros(motion.frames, bool)
        acceleration = np.diff(motion.props_TN7[:, i, 2], n=2) * motion.fps**2
        falling_T[1:-1] = np.abs(acceleration + GRAVITY) < 0.05 * GRAVITY
        for t in range(0, motion.frames, 15):
            if lows[t] < 0.002 or falling_T[t]:
                continue
            vertices_V3 = vertices_of(motion, i, t)
            held = min(float(np.linalg.norm(vertices_V3 - hand[t], axis=-1).min()) for hand in hands) < 0.2
            below = [j for j in range(len(motion.props)) if j != i and _carries(vertices_of(motion, j, t), vertices_V3)]
            bounces = name in ("throw", "kick")
            assert held or below or bounces, (motion.props[i].name, t)


def _carries(below_V3: np.ndarray, above_V3: np.ndarray) -> bool:
    """Whether the box around one object reaches to the foot of another, which is within its outline."""
    foot = above_V3[:, 2].min()
    middle = (above_V3.min(axis=0) + above_V3.max(axis=0)) / 2
    inside = (below_V3[:, :2].min(axis=0) < middle[:2]).all() and (middle[:2] < below_V3[:, :2].max(axis=0)).all()
    return bool(inside and below_V3[:, 2].min() - 0.01 < foot < below_V3[:, 2].max() + 0.003)


def test_a_thrown_ball_falls_as_gravity_says(motions: dict[str, Motion]) -> None:
    motion = motions["throw"]
    (ball,) = range(len(motion.props))
    radius = np.ptp(motion.props[ball].vertices_V3[:, 2]) / 2
    middles_T3 = apply(motion.props_TN7[:, ball], np.array([0.0, 0.0, radius]))
    falling_T = np.diff(middles_T3[:, 2], n=2) * motion.fps**2
    assert (np.abs(falling_T / GRAVITY + 1) < 0.02).sum() >= 8
    speed_T = np.linalg.norm(np.diff(middles_T3[:, :2], axis=0), axis=-1) * motion.fps
    assert speed_T[-1] < 0.6 * speed_T.max() and middles_T3[-1, 2] == pytest.approx(radius, abs=0.002)
