"""Mask values per rule and stage, pixel noise, colour ranges and channel order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from void.conditioning import (
    condition_latents,
    condition_videos,
    mask_video,
    model_input,
    rgb_video,
    to_frames,
    training_sigma,
)
from void.models.config import INFERENCE_SIGMA
from void.quadmask import AFFECTED, KEEP, OVERLAP, PRIMARY, Quadmask
from void.recipe import MaskLevels, Stage, effective_levels

# Values in the VAE for primary, overlap, affected and keep.
QUAD = [0, 63 / 255, 127 / 255, 1]
TRIMASK = [0, 0, 128 / 255, 1]
BINARY = [0, 0, 0, 1]


def four_levels() -> Quadmask:
    """Primary, overlap, affected, keep: `(2, 1, 2)`."""
    return Quadmask.unpack(np.array([PRIMARY, OVERLAP, AFFECTED, KEEP], np.uint8).reshape(2, 1, 2))


@pytest.mark.parametrize(
    ("levels", "training_pass1", "training_pass2", "inference_pass1", "inference_pass2"),
    [
        ("quad", QUAD, QUAD, QUAD, QUAD),
        ("trimask", TRIMASK, TRIMASK, TRIMASK, TRIMASK),
        ("binary", BINARY, BINARY, BINARY, BINARY),
        ("released", TRIMASK, TRIMASK, TRIMASK, BINARY),
    ],
)
def test_the_table_of_levels(
    levels: str,
    training_pass1: list[float],
    training_pass2: list[float],
    inference_pass1: list[float],
    inference_pass2: list[float],
) -> None:
    table = {
        (Stage.pass1, True): training_pass1,
        (Stage.pass2, True): training_pass2,
        (Stage.pass1, False): inference_pass1,
        (Stage.pass2, False): inference_pass2,
    }
    for (stage, training), values in table.items():
        effective = effective_levels(MaskLevels(levels), stage, training=training)
        seen = mask_video(four_levels(), effective)[0, 0].flatten()
        torch.testing.assert_close(seen, torch.tensor(values, dtype=torch.float32), msg=f"{stage} {training=}")


@pytest.mark.parametrize(
    ("levels", "values"), [(MaskLevels.quad, QUAD), (MaskLevels.trimask, TRIMASK), (MaskLevels.binary, BINARY)]
)
def test_mask_values(levels: MaskLevels, values: list[float]) -> None:
    mask_BCTHW = mask_video(four_levels(), levels)
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


def clip_and_mask() -> tuple[np.ndarray, Quadmask]:
    """A clip whose left half is black in its red channel alone, with half of it removed."""
    frames_THWC = np.random.default_rng(0).integers(1, 256, (5, 32, 48, 3), np.uint8)
    frames_THWC[:, :, :24, 0] = 0
    primary = np.zeros((5, 32, 48), bool)
    primary[:, 16:] = True
    return frames_THWC, Quadmask(primary, np.zeros_like(primary))


def test_the_condition_is_the_mask_and_the_clip_not_blanked() -> None:
    frames_THWC, quadmask = clip_and_mask()
    both_BCTHW = condition_videos(frames_THWC, quadmask, MaskLevels.quad)
    assert both_BCTHW.shape == (2, 3, 5, 32, 48) and both_BCTHW.dtype == torch.float32
    assert torch.equal(both_BCTHW[:1], mask_video(quadmask, MaskLevels.quad))
    assert torch.equal(both_BCTHW[1:], rgb_video(frames_THWC))


def test_a_clip_in_numbers_equals_the_clip_in_bytes() -> None:
    frames_THWC, quadmask = clip_and_mask()
    from_bytes = condition_videos(frames_THWC, quadmask, MaskLevels.trimask)
    assert torch.equal(condition_videos(rgb_video(frames_THWC), quadmask, MaskLevels.trimask), from_bytes)


def test_pixel_noise_spares_the_mask_and_values_of_exactly_minus_one() -> None:
    frames_THWC, quadmask = clip_and_mask()
    clean_CTHW = condition_videos(frames_THWC, quadmask, MaskLevels.quad)[1]
    draws = torch.Generator().manual_seed(3)
    noisy_BCTHW = condition_videos(frames_THWC, quadmask, MaskLevels.quad, sigma=INFERENCE_SIGMA, generator=draws)
    assert torch.equal(noisy_BCTHW[0], mask_video(quadmask, MaskLevels.quad)[0])
    noise_CTHW = noisy_BCTHW[1] - clean_CTHW
    assert (noise_CTHW[0, :, :, :24] == 0).all()
    noise = torch.cat([noise_CTHW[0, :, :, 24:].flatten(), noise_CTHW[1:].flatten()])
    assert abs(noise.std().item() / INFERENCE_SIGMA - 1) < 0.03
    assert abs(noise.mean().item()) < 0.03 * INFERENCE_SIGMA


def test_pixel_noise_comes_from_the_given_generator_alone() -> None:
    frames_THWC, quadmask = clip_and_mask()

    def noisy(seed: int) -> torch.Tensor:
        draws = torch.Generator().manual_seed(seed)
        return condition_videos(frames_THWC, quadmask, MaskLevels.quad, sigma=0.1, generator=draws)

    torch.manual_seed(0)
    first = noisy(1)
    torch.manual_seed(9)
    assert torch.equal(noisy(1), first)
    assert not torch.equal(noisy(2), first)


def test_training_sigma_is_log_normal() -> None:
    draws = torch.Generator().manual_seed(0)
    logarithms = torch.tensor([training_sigma(draws) for _ in range(4000)]).log()
    assert abs(logarithms.mean().item() + 3) < 0.03
    assert abs(logarithms.std().item() - 0.5) < 0.02
    assert abs(logarithms.exp().mean().item() / INFERENCE_SIGMA - 1) < 0.03
