"""Scaling and cropping a pair to the model's geometry."""

from __future__ import annotations

import numpy as np
import pytest

from void.data.fit import check_length, cover_size, fit_frames, fit_mask
from void.errors import InputError
from void.quadmask import Quadmask


@pytest.mark.parametrize(
    ("size", "to", "expected"),
    [((96, 128), (96, 128), (96, 128)), ((384, 384), (96, 128), (128, 128)), ((900, 1600), (384, 672), (384, 683))],
)
def test_cover_size(size: tuple[int, int], to: tuple[int, int], expected: tuple[int, int]) -> None:
    assert cover_size(*size, *to) == expected


def test_frames_of_the_right_size_are_untouched() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)
    assert np.array_equal(fit_frames(frames, 32, 48), frames)


def test_a_square_clip_loses_top_and_bottom_and_is_not_stretched() -> None:
    frames = np.zeros((1, 64, 64, 3), np.uint8)
    frames[:, 24:40, 24:40] = 255
    fitted = fit_frames(frames, 32, 64)
    assert fitted.shape == (1, 32, 64, 3)
    assert np.array_equal(fitted, frames[:, 16:48])


def test_mask_follows_the_frames_and_keeps_its_four_levels() -> None:
    primary = np.zeros((1, 64, 96), bool)
    primary[:, 16:40, 32:64] = True
    affected = np.zeros_like(primary)
    affected[:, 32:48, 32:64] = True
    frames = np.where(primary, 255, 0).astype(np.uint8)[..., None].repeat(3, axis=-1)
    fitted = fit_mask(Quadmask(primary, affected), 32, 32)
    assert set(np.unique(fitted.pack())) == {0, 63, 127, 255}
    assert np.array_equal(fitted.primary_THW, fit_frames(frames, 32, 32)[..., 0] >= 128)


def test_a_short_clip_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"pair-7 has 5 frames, fewer than data.frames = 13"):
        check_length(5, 13, "pair-7")
