"""Resizing by each rule of the recipe, and the released loader's golden clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from void.quadmask import Quadmask
from void.recipe import MaskResize, VideoResize
from void.resize import bin_means, resize_frames, resize_mask
from void.video import read_mask, read_video

SHARED = Path(__file__).parents[1] / "../shared"
SIZES = [(12, 20), (7, 13), (1, 1), (24, 40), (50, 31), (12, 90), (48, 80)]


def noise(frames: int = 2, height: int = 24, width: int = 40) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), np.uint8)


def pooled(frames_THWC: NDArray[np.uint8], height: int, width: int) -> torch.Tensor:
    """What torch makes of the same frames, `(T, height, width, C)`."""
    frames_TCHW = torch.from_numpy(frames_THWC).permute(0, 3, 1, 2).double()
    return torch.nn.functional.interpolate(frames_TCHW, (height, width), mode="area").permute(0, 2, 3, 1)


@pytest.mark.parametrize("size", SIZES)
def test_bins_are_adaptive_average_pooling(size: tuple[int, int]) -> None:
    frames_THWC = noise()
    expected_THWC = pooled(frames_THWC, *size)
    means_THWC = np.stack([bin_means(frame, *size) for frame in frames_THWC])
    torch.testing.assert_close(torch.from_numpy(means_THWC), expected_THWC, atol=1e-9, rtol=0)
    resized_THWC = resize_frames(frames_THWC, *size, VideoResize.bins)
    assert resized_THWC.dtype == np.uint8
    assert np.abs(resized_THWC - expected_THWC.numpy()).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", VideoResize)
def test_a_uniform_clip_stays_uniform(rule: VideoResize, size: tuple[int, int]) -> None:
    resized_THWC = resize_frames(np.full((2, 24, 40, 3), 77, np.uint8), *size, rule)
    assert resized_THWC.shape == (2, *size, 3) and (resized_THWC == 77).all()


@pytest.mark.parametrize("rule", VideoResize)
def test_the_right_size_is_left_alone(rule: VideoResize) -> None:
    assert np.array_equal(resize_frames(noise(), 24, 40, rule), noise())


def test_the_rules_agree_where_bins_are_exact_areas_and_differ_elsewhere() -> None:
    halves = [resize_frames(noise(), 12, 20, rule).astype(int) for rule in VideoResize]
    assert np.abs(halves[0] - halves[1]).max() <= 1
    thirds = [resize_frames(noise(), 9, 15, rule).astype(int) for rule in VideoResize]
    assert np.abs(thirds[0] - thirds[1]).max() > 10


def test_area_shrinks_one_side_and_enlarges_the_other() -> None:
    stripes_THWC = np.zeros((1, 8, 8, 3), np.uint8)
    stripes_THWC[:, ::2] = 255
    grey_THWC = resize_frames(stripes_THWC, 4, 16, VideoResize.area)
    assert grey_THWC.shape == (1, 4, 16, 3) and np.isin(grey_THWC, (127, 128)).all()


@pytest.mark.parametrize("size", SIZES)
def test_layers_is_the_quadmasks_own_resize(size: tuple[int, int]) -> None:
    mask = Quadmask(noise()[..., 0] < 80, noise()[..., 1] < 120)
    assert np.array_equal(resize_mask(mask, *size, MaskResize.layers).pack(), mask.resize(*size).pack())


def test_grey_quantises_at_the_released_thresholds() -> None:
    # 255 pixels to one: with n of them kept and the rest primary the blend is n exactly.
    kept = np.tile(np.arange(255), (255, 1)) < np.arange(255)[:, None]
    mask = Quadmask(~kept[:, None, :], np.zeros_like(kept)[:, None, :])
    levels = resize_mask(mask, 1, 1, MaskResize.grey).pack().ravel()
    assert [int(np.argmax(levels == level)) for level in (0, 63, 127, 255)] == [0, 32, 96, 192]
    assert (np.diff(levels.astype(int)) >= 0).all()


def test_grey_draws_a_rim_that_layers_does_not() -> None:
    primary = np.zeros((1, 30, 30), bool)
    primary[:, 4:17, 4:17] = True
    mask = Quadmask(primary, np.zeros_like(primary))
    assert set(np.unique(resize_mask(mask, 10, 10, MaskResize.grey).pack())) == {0, 63, 127, 255}
    assert set(np.unique(resize_mask(mask, 10, 10, MaskResize.layers).pack())) == {0, 255}


def test_grey_leaves_a_mask_of_the_right_size_alone() -> None:
    mask = Quadmask(noise()[..., 0] < 80, noise()[..., 1] < 120)
    assert np.array_equal(resize_mask(mask, 24, 40, MaskResize.grey).pack(), mask.pack())


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared folder")
def test_the_released_loaders_clip() -> None:
    golden = np.load(SHARED / "golden/released_loader_BigBen.npz")
    sample = SHARED / "samples/BigBen"
    quadmask, _ = read_mask(sample / "trimask_quadmask.mp4")
    clip_THWC, _ = read_video(sample / "input_video.mp4")
    mask = resize_mask(quadmask, 384, 672, MaskResize.grey).pack()
    mirrored = [*range(50), *range(49, 14, -1)]
    assert np.array_equal(255 - mask[mirrored], golden["mask_inverted_uint8"][0, 0])
    frames_THWC = resize_frames(clip_THWC, 384, 672, VideoResize.bins)[mirrored]
    for frame_HWC, name in ((frames_THWC[0], "video_frame0"), (frames_THWC[-1], "video_last")):
        released_HWC = golden[name].astype(np.float32).transpose(1, 2, 0)
        assert np.abs(frame_HWC / 255 - released_HWC).max() <= 2 / 255
    assert np.abs(frames_THWC.mean(axis=(1, 2, 3)) / 255 - golden["video_frame_means"]).max() <= 1 / 255
