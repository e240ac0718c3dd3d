"""One time base for figure and objects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tabletop import FPS, box, motion_of, still

from data_gen.human.motion import Motion, SequenceError
from data_gen.human.timeline import Clip, displacement, retime, steadied

FRAMES = 31


def turning(frames: int, step: float) -> np.ndarray:
    """Moves 0.1 m along x and turns about z by `step` radians each frame; signs of the quaternions alternate."""
    poses_T7 = np.zeros((frames, 7))
    poses_T7[:, 0] = 0.1 * np.arange(frames)
    quaternions_T4 = Rotation.from_euler("z", step * np.arange(frames)[:, None]).as_quat()[:, [3, 0, 1, 2]]
    poses_T7[:, 3:] = quaternions_T4 * np.where(np.arange(frames) % 2, -1, 1)[:, None]
    return poses_T7


@pytest.fixture
def motion() -> Motion:
    """The hand moves as the object does, 12 frames a second."""
    path_T7 = turning(FRAMES, 0.3)
    made = motion_of([box()], [path_T7], path_T7[:, :3])
    joints_TJ7 = made.joints_TJ7.copy()
    joints_TJ7[:, 2] = path_T7
    return replace(made, joints_TJ7=joints_TJ7)


@pytest.mark.parametrize("squeezed", [False, True])
def test_what_moves_evenly_still_does_and_all_share_one_map(motion: Motion, squeezed: bool) -> None:
    clip = retime(motion, start=0.1, frames=14, fps=7.3, squeezed=squeezed)
    np.testing.assert_array_equal(clip.joints_TJ7[:, 2], clip.props_TN7[:, 0])
    x_T = clip.props_TN7[:, 0, 0]
    np.testing.assert_allclose(np.diff(x_T), x_T[1] - x_T[0], atol=1e-12)
    turns = Rotation.from_quat(clip.props_TN7[:, 0][:, [4, 5, 6, 3]])
    steps_T = (turns[1:] * turns[:-1].inv()).magnitude()
    np.testing.assert_allclose(steps_T, 3.0 * (x_T[1] - x_T[0]), atol=1e-9)
    if squeezed:
        assert (x_T[0], x_T[-1]) == pytest.approx((0.0, 3.0))
    else:
        assert (x_T[0], x_T[1] - x_T[0]) == pytest.approx((0.12, 1.2 / 7.3))


def test_frames_of_the_sequence_come_out_to_the_bit(motion: Motion) -> None:
    clip = retime(motion, start=5 / FPS, frames=9, fps=FPS / 3, squeezed=False)
    np.testing.assert_array_equal(clip.props_TN7, motion.props_TN7[5:30:3])
    np.testing.assert_array_equal(clip.joints_TJ7, motion.joints_TJ7[5:30:3])


def test_small_turns_are_even_too(motion: Motion) -> None:
    slow = replace(motion, props_TN7=turning(FRAMES, 0.01)[:, None])
    clip = retime(slow, start=0.0, frames=61, fps=2 * FPS, squeezed=False)
    angle_T = Rotation.from_quat(clip.props_TN7[:, 0][:, [4, 5, 6, 3]]).magnitude()
    np.testing.assert_allclose(angle_T, 0.005 * np.arange(61), atol=1e-9)


def test_a_sequence_that_is_too_short_is_refused(motion: Motion) -> None:
    with pytest.raises(SequenceError, match=r"by_hand.*lasts 2\.50 s, the clip 2\.50 s from second 0\.50"):
        retime(motion, start=0.5, frames=FRAMES, fps=FPS, squeezed=False)
    assert len(retime(motion, start=0.0, frames=FRAMES, fps=FPS, squeezed=False).props_TN7) == FRAMES


def test_trembling_at_rest_is_taken_out_and_motion_is_not() -> None:
    noise_T3 = np.random.default_rng(0).uniform(-5e-4, 5e-4, (FRAMES, 3))
    resting_T7, lifted_T7 = still(0, 0, 0, FRAMES), still(1, 0, 0, FRAMES)
    resting_T7[:, :3] += noise_T3
    lifted_T7[:, :3] += noise_T3
    lifted_T7[20:, 2] += 0.03 * np.arange(1, 12)
    clip = Clip(np.zeros((FRAMES, 1, 7)), np.stack([resting_T7, lifted_T7], axis=1))
    steady = steadied(clip).props_TN7
    assert (steady[:, 0] == resting_T7[0]).all()
    assert (steady[:20, 1] == lifted_T7[0]).all()
    np.testing.assert_array_equal(steady[20:, 1], lifted_T7[20:])


def test_a_turn_is_a_displacement() -> None:
    away_T = displacement(turning(3, 0.1) * np.array([0, 1, 1, 1, 1, 1, 1]))
    np.testing.assert_allclose(away_T, [0.0, 0.03, 0.06], atol=1e-9)
