"""Another figure plays a motion: directions of limbs, feet, hands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_motion import carry, figure

from data_gen.human.holds import held_frames, palm
from data_gen.human.motion import Motion, SequenceError, check_motion
from data_gen.human.retarget import leg_length, retarget
from data_gen.scene.skin import Skeleton

MOTION = carry()
FIGURES = {
    "same": {},
    "long legs": {"leg": 0.95},
    "short": {"leg": 0.72, "arm": 0.5},
    "arms down, other frames, turned": {"drop": 0.7, "roll": 1.1, "yaw": 2.0},
}


def played(**traits: float) -> Motion:
    return retarget(MOTION, *figure(**traits), "other")


def directions(motion: Motion, first: str, second: str) -> np.ndarray:
    bone_T3 = motion.joint(second)[:, :3] - motion.joint(first)[:, :3]
    return bone_T3 / np.linalg.norm(bone_T3, axis=-1, keepdims=True)


def lengths(skeleton: Skeleton, joints_J7: np.ndarray) -> np.ndarray:
    pairs = [(j, parent) for j, parent in enumerate(skeleton.parents) if parent >= 0]
    return np.array([np.linalg.norm(joints_J7[j, :3] - joints_J7[parent, :3]) for j, parent in pairs])


def test_the_recorded_figure_plays_itself() -> None:
    result = played()
    assert np.abs(result.joints_TJ7[..., :3] - MOTION.joints_TJ7[..., :3]).max() < 5e-3
    assert result.hold_error < 1e-6
    assert result.character == "other"


def test_rest_poses_that_differ_in_all_but_proportions_give_the_same_places() -> None:
    result = played(**FIGURES["arms down, other frames, turned"])
    assert np.abs(result.joints_TJ7[..., :3] - MOTION.joints_TJ7[..., :3]).max() < 5e-3


@pytest.mark.parametrize("traits", FIGURES.values(), ids=FIGURES)
def test_the_free_arm_points_where_the_recorded_one_points(traits: dict[str, float]) -> None:
    result = played(**traits)
    for bone in (("LeftArm", "LeftForeArm"), ("LeftForeArm", "LeftHand"), ("Spine", "Head")):
        assert np.abs(directions(result, *bone) - directions(MOTION, *bone)).max() < 1e-6


@pytest.mark.parametrize("traits", FIGURES.values(), ids=FIGURES)
def test_bones_keep_their_lengths_and_the_motion_is_sound(traits: dict[str, float]) -> None:
    result = check_motion(played(**traits), "")
    for joints_J7 in result.joints_TJ7:
        own = lengths(result.skeleton, joints_J7)
        assert np.allclose(own, lengths(result.skeleton, result.skeleton.rest_J7), atol=1e-9)


@pytest.mark.parametrize("traits", FIGURES.values(), ids=FIGURES)
def test_standing_feet_do_not_slide(traits: dict[str, float]) -> None:
    result = played(**traits)
    slides = []
    for foot in ("LeftFoot", "RightFoot"):
        recorded_T3, path_T3 = MOTION.joint(foot)[:, :3], result.joint(foot)[:, :3]
        still_T = np.linalg.norm(np.diff(recorded_T3, axis=0), axis=-1) < 1e-6
        assert still_T.sum() > 10
        slides.append(np.linalg.norm(np.diff(path_T3, axis=0), axis=-1)[still_T].max())
        assert abs(path_T3[:, 2].min() - result.skeleton.rest_J7[result.skeleton.index(foot), 2]) < 5e-3
    assert max(slides) < 0.01


def test_hips_are_as_high_as_the_legs_are_long() -> None:
    long = played(leg=0.95)
    added = leg_length(long.skeleton) - leg_length(MOTION.skeleton)
    assert added == pytest.approx(0.11, abs=1e-3)
    rise_T = long.joint("Hips")[:, 2] - MOTION.joint("Hips")[:, 2]
    assert np.abs(rise_T - added).max() < 0.02


def test_hips_over_a_seat_stay_at_its_height() -> None:
    shift_3 = np.array([0.0, 0.0, -0.5])
    hips_TJ7 = MOTION.joints_TJ7.copy()
    hips_TJ7[..., :3] += shift_3
    low = retarget(replace(MOTION, joints_TJ7=hips_TJ7), *figure(leg=0.95), "other")
    assert np.abs(low.joint("Hips")[:, 2] - hips_TJ7[:, 0, 2]).max() < 1e-9


def test_the_hand_stays_on_the_cup() -> None:
    assert held_frames(MOTION, "RightHand").all()
    assert not held_frames(MOTION, "LeftHand").any()
    result = played(leg=0.8, arm=0.53)
    miss_T = np.linalg.norm(
        palm(result.skeleton, result.joints_TJ7, "RightHand") - palm(MOTION.skeleton, MOTION.joints_TJ7, "RightHand"),
        axis=-1,
    )
    assert miss_T.max() < 1e-3
    assert result.hold_error == pytest.approx(miss_T.max())


def test_a_tall_figure_stoops_to_what_it_holds() -> None:
    tall = played(leg=1.1, arm=0.5)
    upright = retarget(replace(MOTION, props=(), props_TN7=MOTION.props_TN7[:, :0]), *figure(leg=1.1, arm=0.5), "other")
    assert tall.hold_error < 0.01
    assert (upright.joint("Hips")[:, 2] - tall.joint("Hips")[:, 2]).min() > 0.05


def test_an_arm_that_cannot_reach_is_reported() -> None:
    result = played(arm=0.25)
    assert 0.05 < result.hold_error < 0.5


@pytest.mark.parametrize("bone", ["LeftForeArm", "Hips"])
def test_a_missing_bone_is_named(bone: str) -> None:
    skeleton, skin = figure()
    names = tuple(name.replace(bone, "Tentacle") for name in skeleton.names)
    with pytest.raises(SequenceError, match=bone) as caught:
        retarget(MOTION, replace(skeleton, names=names), skin, "other")
    assert caught.value.sequence == "carry_mug"
    assert caught.value.field == "character other"
