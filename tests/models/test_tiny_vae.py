"""The shipped VAE of the tiny model: small, normalised, and it shows the scene."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from void.composition import compose_config
from void.models.build import build_vae
from void.models.vae import VoidVAE, decode_latents, encode_moments
from void.models.vae_training.batches import to_video
from void.models.vae_training.clips import mask_clip, rgb_clip
from void.models.vae_training.normalise import latent_statistics
from void.models.weights import SHIPPED

CLIPS = 4


@pytest.fixture(scope="module")
def vae() -> VoidVAE:
    return build_vae(compose_config(["model=tiny"]).model)


def psnr(original: Tensor, rebuilt: Tensor, span: float) -> float:
    return -10 * math.log10(((rebuilt - original) / span).square().mean().item())


def rebuild(vae: VoidVAE, video_BCTHW: Tensor) -> Tensor:
    mean_BTCHW, _ = encode_moments(vae, video_BCTHW)
    return decode_latents(vae, mean_BTCHW * vae.config.scaling_factor)


def test_small(vae: VoidVAE) -> None:
    assert sum(parameter.numel() for parameter in vae.parameters()) < 1_000_000
    assert (SHIPPED / "tiny_vae.safetensors").stat().st_size < 2 * 2**20


def test_unseen_clips_are_recognisable(vae: VoidVAE) -> None:
    clips = [rgb_clip(np.random.default_rng([99, index]), 13, 96, 128) for index in range(CLIPS)]
    video_BCTHW = torch.cat([to_video(clip) for clip in clips])
    assert psnr(video_BCTHW, rebuild(vae, video_BCTHW).clamp(-1, 1), span=2) > 24
    std_C = latent_statistics(vae, video_BCTHW)[1]
    assert std_C.min() > 0.3 and std_C.max() < 3


def test_masks_survive(vae: VoidVAE) -> None:
    masks = [mask_clip(np.random.default_rng([98, index]), 13, 96, 128) for index in range(CLIPS)]
    video_BCTHW = torch.cat([to_video(mask) for mask in masks])
    rebuilt_BCTHW = rebuild(vae, video_BCTHW)
    assert psnr(video_BCTHW, rebuilt_BCTHW.clamp(0, 1), span=1) > 20
    primary = torch.from_numpy(np.stack([mask.primary_THW & ~mask.affected_THW for mask in masks]))
    kept = torch.from_numpy(np.stack([mask.regions()["kept"] for mask in masks]))
    brightness = rebuilt_BCTHW.mean(dim=1)
    assert brightness[primary].mean() < 0.3 and brightness[kept].mean() > 0.8
