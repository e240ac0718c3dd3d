"""The noise of a training step: Gaussian in pass 1, in pass 2 noise that moves with the clip, made imperfect.

Pass 1's result, whose motion drives the noise at inference, is not the truth, so training sees noise whose correlation
is disturbed by a share g of fresh noise, drawn for each sample (Burgert et al., CVPR 2025; docs/noise.md).

Shape legend: B batch, T latent frames, C latent channels, H latent rows, W latent columns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from void.data.dataset import Batch
from void.noise.config import NoiseConfig
from void.noise.degradation import degrade
from void.recipe import Degradation


def training_noise(batch: Batch, draws: torch.Generator, config: NoiseConfig, formula: Degradation) -> Tensor:
    """Noise for a batch on the CPU, `(B, T, C, H, W)`.

    Args:
        batch: its `noise_BTCHW` is degraded by g ~ U(0, `config.degradation`) and used with `config.probability`;
            without it all noise is Gaussian.
        draws: a CPU generator.
        config: of the noise.
        formula: `recipe.noise_degradation`.
    """
    fresh_BTCHW = torch.randn(batch.target_BTCHW.shape, generator=draws)
    if batch.noise_BTCHW is None:
        return fresh_BTCHW
    g_B = config.degradation * torch.rand(len(batch), generator=draws)
    is_warped_B = torch.rand(len(batch), generator=draws) < config.probability
    degraded_BTCHW = degrade(batch.noise_BTCHW, fresh_BTCHW, g_B, formula)
    return torch.where(is_warped_B[:, None, None, None, None], degraded_BTCHW, fresh_BTCHW)
