"""Mask values per rule, colour ranges and channel order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from void.conditioning import condition_latents, mask_video, model_input, rgb_video, to_frames
from void.quadmask import AFFECTED, KEEP, OVERLAP, PRIMARY, Quadmask
from void.recipe import MaskLevels


@pytest.mark.parametrize(
    ("levels", "values"),
    [
        (MaskLevels.quad, [0, 63 / 255, 127 / 255, 1]),
        (MaskLevels.trimask, [0, 0, 128 / 255, 1]),
        (MaskLevels.binary, [0, 0, 0, 1]),
    ],
)
def test_mask_values(levels: MaskLevels, values: list[float]) -> None:
    grey = np.array([PRIMARY, OVERLAP, AFFECTED, KEEP], np.uint8).reshape(2, 1, 2)
    mask_BCTHW = mask_video(Quadmask.unpack(grey), levels)
    assert mask_BCTHW.shape == (1, 3, 2, 1, 2) and mask_BCTHW.dtype == torch.float32
    for channel in range(3):
        torch.testing.assert_close(mask_BCTHW[0, channel].flatten(), torch.tensor(values, dtype=torch.float32))


def test_every_colour_survives_the_round_trip() -> None:
    frames_THWC = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    video_BCTHW = rgb_video(frames_THWC)
    assert video_BCTHW.shape == (1, 3, 1, 16, 16)
    assert video_BCTHW.min() == -1 and video_BCTHW.max() == 1
    (back_THWC,) = to_frames(video_BCTHW)
    assert back_THWC.dtype == np.uint8 and np.array_equal(back_THWC, frames_THWC)


def test_layout_and_clamping() -> None:
    frames_THWC = np.zeros((2, 4, 6, 3), np.uint8)
    frames_THWC[1, 2, 3, 0] = 255
    assert rgb_video(frames_THWC)[0, 0, 1, 2, 3] == 1
    clips = to_frames(torch.stack([torch.full((3, 1, 2, 2), -3.0), torch.full((3, 1, 2, 2), 3.0)]))
    assert [clip.shape for clip in clips] == [(1, 2, 2, 3)] * 2
    assert (clips[0] == 0).all() and (clips[1] == 255).all()


def test_channel_order() -> None:
    noisy, mask, video = (torch.full((2, 4, 16, 2, 3), float(value)) for value in (1, 2, 3))
    assembled_BTCHW = model_input(noisy, condition_latents(mask, video))
    assert assembled_BTCHW.shape == (2, 4, 48, 2, 3)
    assert assembled_BTCHW[0, 0, :, 0, 0].tolist() == [1] * 16 + [2] * 16 + [3] * 16
