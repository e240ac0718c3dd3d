"""How a clip and its quadmask become the transformer's input: one code path for training and inference.

Input channels per latent pixel, in this order: noisy latent 16 | mask latent 16 | latent of the unedited input clip 16.

What is random in it, the pixel noise on the input clip, comes from a generator that the caller seeds.

Shape legend: B batch, T frames (pixel or latent), C channels, H height, W width.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from void.quadmask import AFFECTED, KEEP, OVERLAP, PRIMARY, Quadmask
from void.recipe import MaskLevels

# Value in [0, 1] that the VAE sees for each grey level on disk. The released model was trained on the three-level form,
# where affected is 1 - 127/255: hence 128. `binary` is what its second pass feeds at inference.
MASK_VALUES: dict[MaskLevels, dict[int, float]] = {
    MaskLevels.quad: {PRIMARY: 0.0, OVERLAP: 63 / 255, AFFECTED: 127 / 255, KEEP: 1.0},
    MaskLevels.trimask: {PRIMARY: 0.0, OVERLAP: 0.0, AFFECTED: 128 / 255, KEEP: 1.0},
    MaskLevels.binary: {PRIMARY: 0.0, OVERLAP: 0.0, AFFECTED: 0.0, KEEP: 1.0},
}

# The released distribution of the pixel noise's standard deviation in training: log-normal with mean 0.0564.
TRAINING_LOG_SIGMA_MEAN, TRAINING_LOG_SIGMA_STD = -3.0, 0.5


def training_sigma(generator: torch.Generator) -> float:
    """Draw the standard deviation of a training clip's pixel noise: exp(N(-3, 0.5)), median 0.05."""
    normal = torch.randn((), generator=generator).item()
    return math.exp(TRAINING_LOG_SIGMA_MEAN + TRAINING_LOG_SIGMA_STD * normal)


def condition_videos(
    video: NDArray[np.uint8] | Tensor,
    quadmask: Quadmask,
    levels: MaskLevels,
    *,
    sigma: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """What the VAE encodes of a condition: the mask, and the unedited input clip, the removed region included.

    Args:
        video: the input clip, uint8 `(T, H, W, 3)` or float `(1, 3, T, H, W)` in [-1, 1].
        quadmask: of the same size.
        levels: any but `released`, for which `effective_levels` gives one.
        sigma: standard deviation of the pixel noise; values of exactly -1 get none.
        generator: gives the noise; a CPU generator, so the same noise comes on every device.

    Returns:
        float32 `(2, 3, T, H, W)` on the CPU: the mask in [0, 1], then the clip in [-1, 1] plus noise (not clamped).
    """
    video_BCTHW = video.detach().to("cpu", torch.float32) if isinstance(video, Tensor) else rgb_video(video)
    assert video_BCTHW.shape == (1, 3, *quadmask.shape)
    if sigma > 0:
        assert generator is not None, "pixel noise needs a seeded generator"
        noise_BCTHW = sigma * torch.randn(video_BCTHW.shape, generator=generator)
        video_BCTHW = video_BCTHW + noise_BCTHW.masked_fill_(video_BCTHW == -1, 0)
    return torch.cat([mask_video(quadmask, levels), video_BCTHW])


def mask_video(quadmask: Quadmask, levels: MaskLevels) -> Tensor:
    """The mask as the VAE's input: float32 `(1, 3, T, H, W)` in [0, 1] (not [-1, 1]), object 0, background 1.

    Args:
        quadmask: the mask.
        levels: any but `released`.
    """
    table = torch.zeros(256)
    for grey, value in MASK_VALUES[levels].items():
        table[grey] = value
    values_THW = table[torch.from_numpy(quadmask.pack()).long()]
    return values_THW.expand(1, 3, *values_THW.shape)


def rgb_video(frames_THWC: NDArray[np.uint8]) -> Tensor:
    """uint8 frames as the VAE's input: float32 `(1, 3, T, H, W)` in [-1, 1]."""
    assert frames_THWC.dtype == np.uint8 and frames_THWC.ndim == 4 and frames_THWC.shape[-1] == 3
    return torch.from_numpy(frames_THWC).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def to_frames(video_BCTHW: Tensor) -> list[NDArray[np.uint8]]:
    """The inverse of `rgb_video` for a batch: one uint8 `(T, H, W, 3)` array per clip, clamped and rounded."""
    scaled = ((video_BCTHW.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return list(scaled.permute(0, 2, 3, 4, 1).contiguous().cpu().numpy())


def condition_latents(mask_latents_BTCHW: Tensor, video_latents_BTCHW: Tensor) -> Tensor:
    """The condition `(B, T, 32, h, w)`: mask latents, then latents of the input clip, both scaled."""
    assert mask_latents_BTCHW.shape == video_latents_BTCHW.shape
    return torch.cat([mask_latents_BTCHW, video_latents_BTCHW], dim=2)


def model_input(noisy_BTCHW: Tensor, condition_BTCHW: Tensor) -> Tensor:
    """The transformer's input `(B, T, 48, h, w)`: noisy latents, then the condition."""
    return torch.cat([noisy_BTCHW, condition_BTCHW.to(noisy_BTCHW.dtype)], dim=2)
