"""The flow-warped error on clips whose motion is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from void.evaluation.temporal import warp_errors
from void.noise.flow import DisFlow
from void.noise.motion import Motion, estimate_motion, visible

SHIFT, FRAMES, HEIGHT, WIDTH = 3, 4, 40, 56
WHOLE = {"frame": np.ones((FRAMES, HEIGHT, WIDTH), bool)}


def moving(seed: int = 0) -> NDArray[np.uint8]:
    """A soft texture that moves 3 pixels to the left from frame to frame."""
    wide = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH + SHIFT * FRAMES, 3)).astype(np.uint8)
    soft = cv2.normalize(cv2.GaussianBlur(wide, (0, 0), 2.0), None, 30, 200, cv2.NORM_MINMAX)
    return np.stack([soft[:, SHIFT * frame : SHIFT * frame + WIDTH] for frame in range(FRAMES)])


def uniform(x: float, y: float = 0.0) -> torch.Tensor:
    return torch.tensor([x, y]).view(2, 1, 1).expand(2, HEIGHT, WIDTH).contiguous()


def shifted() -> Motion:
    """The motion of `moving`, exactly."""
    seen_HW = visible(uniform(-SHIFT), uniform(SHIFT))
    return Motion(torch.stack([uniform(-SHIFT)] * (FRAMES - 1)), np.stack([seen_HW] * (FRAMES - 1)))


def frame_error(frames_THWC: NDArray[np.uint8], motion: Motion) -> float:
    error = warp_errors(frames_THWC, motion, WHOLE)["frame"]
    assert error is not None
    return error


def test_a_clip_that_moves_as_the_flow_says_has_none() -> None:
    assert frame_error(moving(), shifted()) == pytest.approx(0.0, abs=1e-2)


def test_motion_the_other_way_is_an_error() -> None:
    assert frame_error(moving()[::-1], shifted()) > 10


def test_flicker_is_measured_in_grey_levels() -> None:
    flicker_THWC = moving()
    flicker_THWC[1::2] += 8
    assert frame_error(flicker_THWC, shifted()) == pytest.approx(8.0, abs=1e-2)
    flicker_THWC[1::2] += 8
    assert frame_error(flicker_THWC, shifted()) == pytest.approx(16.0, abs=1e-2)


def test_one_colour_of_three_counts_a_third_of_the_square() -> None:
    flicker_THWC = moving()
    flicker_THWC[1::2, :, :, 0] += 9
    assert frame_error(flicker_THWC, shifted()) == pytest.approx(9 / np.sqrt(3), abs=1e-2)


def test_a_brightness_that_stays_changes_nothing() -> None:
    rough_THWC = moving()
    rough_THWC[1:] = np.random.default_rng(1).integers(40, 180, rough_THWC[1:].shape)
    assert frame_error(rough_THWC + 50, shifted()) == pytest.approx(frame_error(rough_THWC, shifted()), rel=1e-5)


def test_regions_are_those_of_the_earlier_frame() -> None:
    flicker_THWC = moving()
    flicker_THWC[1, :, 10 - SHIFT : 20 - SHIFT] += 12
    strip_THW = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    strip_THW[0, :, 10:20] = True
    regions = {"strip": strip_THW, "next": np.roll(strip_THW, 20, axis=2), "none": np.zeros_like(strip_THW)}
    errors = warp_errors(flicker_THWC, shifted(), regions)
    assert errors["strip"] == pytest.approx(12.0, abs=1e-2)
    assert errors["next"] == pytest.approx(0.0, abs=1e-2)
    assert errors["none"] is None


def test_what_leaves_the_frame_is_not_compared() -> None:
    seen_HW = visible(uniform(-SHIFT), uniform(SHIFT))
    assert not seen_HW[:, :SHIFT].any() and seen_HW[:, SHIFT:].all()


def test_what_is_hidden_is_not_compared() -> None:
    backward_2HW = uniform(SHIFT)
    backward_2HW[:, :, 20:30] = 0.0
    seen_HW = visible(uniform(-SHIFT), backward_2HW)
    assert not seen_HW[:, 20 + SHIFT : 30 + SHIFT].any()
    assert seen_HW[:, SHIFT : 19 + SHIFT].all() and seen_HW[:, 31 + SHIFT :].all()


def test_a_covered_object_does_not_count() -> None:
    covered_THWC = moving()
    covered_THWC[:, :, 20:30] = 255
    backward_2HW = uniform(SHIFT)
    backward_2HW[:, :, 20:30] = 0.0
    forward_2HW = uniform(-SHIFT)
    forward_2HW[:, :, 20:30] = 0.0
    seen_HW = visible(forward_2HW, backward_2HW)
    motion = Motion(torch.stack([forward_2HW] * (FRAMES - 1)), np.stack([seen_HW] * (FRAMES - 1)))
    everywhere = Motion(motion.flow_T2HW, np.ones_like(motion.visible_THW))
    assert frame_error(covered_THWC, everywhere) > 20
    assert frame_error(covered_THWC, motion) < 6


def test_estimated_motion_finds_the_shift() -> None:
    motion = estimate_motion(moving(), DisFlow())
    assert motion.flow_T2HW[:, 0, 8:-8, 12:-8].median() == pytest.approx(-SHIFT, abs=0.1)
    assert motion.visible_THW[:, 8:-8, 12:-8].mean() > 0.9
    assert frame_error(moving(), motion) < 2


def test_a_single_frame_has_no_value() -> None:
    still = Motion(torch.zeros(0, 2, HEIGHT, WIDTH), np.zeros((0, HEIGHT, WIDTH), bool))
    assert warp_errors(moving()[:1], still, WHOLE) == {"frame": None}
