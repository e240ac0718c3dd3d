"""The training objective: the same ten lines in training and in validation.

Shape legend: B batch, T latent frames, C latent channels, H latent rows, W latent columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from void.conditioning import condition_latents, model_input
from void.data.dataset import Batch
from void.diffusion import Schedule


def velocity_loss(
    transformer: nn.Module,
    schedule: Schedule,
    batch: Batch,
    noise_BTCHW: Tensor,
    t_B: Tensor,
    rotary: tuple[Tensor, Tensor],
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Squared error of the predicted velocity, per sample: float32 `(B,)`.

        x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) n
        v   = sqrt(a_t) n   - sqrt(1 - a_t) x_0
        L   = mean |v_theta(x_t, mask, input, text, t) - v|^2

    Args:
        transformer: v_theta.
        schedule: gives a_t, in float32.
        batch: scaled latents and text embeddings.
        noise_BTCHW: n, standard normal.
        t_B: int64 timesteps.
        rotary: tables for this latent shape.
        dtype: type in which the transformer takes its input.
    """
    x_t = schedule.add_noise(batch.target_BTCHW, noise_BTCHW, t_B)
    v = schedule.velocity(batch.target_BTCHW, noise_BTCHW, t_B)
    condition_BTCHW = condition_latents(batch.mask_BTCHW, batch.input_BTCHW)
    v_theta = transformer(
        hidden_states=model_input(x_t, condition_BTCHW).to(dtype),
        encoder_hidden_states=batch.text_BLD.to(dtype),
        timestep=t_B,
        image_rotary_emb=rotary,
        return_dict=False,
    )[0]
    return (v_theta.float() - v).square().flatten(1).mean(1)
