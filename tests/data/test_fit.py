"""Scaling and cropping a pair to the model's geometry."""

from __future__ import annotations

import numpy as np
import pytest

from void.data.config import DataConfig
from void.data.fit import cover_size, fit_flow, fit_frames, fit_mask, fit_pair
from void.errors import InputError
from void.layers import FLOW_REMOVED
from void.pairs import Pair
from void.quadmask import Quadmask
from void.shapes import check_length


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


def affine_flow(height: int, width: int) -> np.ndarray:
    """Flow `(1, 2, H, W)` of a zoom about the middle, by 0.1 across and 0.2 downwards, in pixels of this size."""
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    return np.stack([0.1 * (columns - width / 2), 0.2 * (rows - height / 2)])[None]


def test_flow_of_the_right_size_is_untouched() -> None:
    flow = affine_flow(32, 48).astype(np.float32)
    fitted = fit_flow(flow, 32, 48)
    assert fitted.dtype == np.float32 and np.array_equal(fitted, flow)


@pytest.mark.parametrize(("size", "to"), [((96, 128), (48, 64)), ((48, 64), (96, 128)), ((64, 64), (32, 64))])
def test_flow_counts_in_pixels_of_the_new_grid(size: tuple[int, int], to: tuple[int, int]) -> None:
    """A pixel takes the motion of the old one at its centre, which lies at most half an old pixel away."""
    fitted = fit_flow(affine_flow(*size), *to)
    scale = max(to[0] / size[0], to[1] / size[1])
    assert fitted.shape == (1, 2, *to)
    error = np.abs(fitted - affine_flow(*to)).max(axis=(0, 2, 3))
    assert (error <= np.array([0.1, 0.2]) * scale / 2 + 1e-6).all()


def test_flow_keeps_to_the_pixels_of_its_object() -> None:
    frames, flow = np.zeros((2, 96, 96, 3), np.uint8), np.zeros((1, 2, 96, 96), np.float32)
    frames[:, 21:64, 30:71] = 255
    flow[:, :, 21:64, 30:71] = 3.0
    fitted = fit_flow(flow, 32, 32)
    inside = fit_frames(frames, 32, 32)[0, ..., 0]
    assert set(np.unique(fitted)) == {0.0, 1.0}
    assert (fitted[0, 0][inside == 255] == 1).all() and (fitted[0, 0][inside == 0] == 0).all()


def test_a_pair_brings_its_flow_along() -> None:
    frames = np.zeros((7, 64, 64, 3), np.uint8)
    nothing = np.zeros((7, 64, 64), bool)
    flow = np.full((6, 2, 64, 64), 4.0, np.float16)
    pair = Pair(frames, frames, Quadmask(nothing, nothing), 12.0, {}, {FLOW_REMOVED: {"flow": flow}})
    fitted = fit_pair(pair, DataConfig(frames=5, height=32, width=32), "pair-7")
    assert list(fitted.layers) == [FLOW_REMOVED]
    fitted_T2HW = fitted.layers[FLOW_REMOVED]["flow"]
    assert fitted_T2HW.shape == (4, 2, 32, 32) and (fitted_T2HW == 2).all()


def test_a_short_clip_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"pair-7 has 5 frames, fewer than data.frames = 13"):
        check_length(5, 13, "pair-7")
