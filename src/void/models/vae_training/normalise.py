"""Rescaling a trained VAE's latents, exactly, inside its weights.

Diffusion wants latents of unit deviation in every channel. The encoder's last layer and every layer of the decoder that
reads latents are linear in them, so a factor per channel moves from one to the other without changing any
reconstruction. The scaling factor then keeps the value of the full-size model.
"""

from __future__ import annotations

import torch
from diffusers.models.autoencoders.autoencoder_kl_cogvideox import CogVideoXSpatialNorm3D
from torch import Tensor

from void.models.vae import VoidVAE, encode_moments


def latent_statistics(vae: VoidVAE, video_BCTHW: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation `(C,)` of scaled posterior means over all clips and positions."""
    mean_BTCHW, _ = encode_moments(vae, video_BCTHW)
    scaled = mean_BTCHW.movedim(2, -1).flatten(0, -2) * vae.config.scaling_factor
    return scaled.mean(0), scaled.std(0)


@torch.no_grad()
def divide_latents(vae: VoidVAE, divisor_C: Tensor) -> None:
    """Divide latent channel c by `divisor_C[c]` > 0, in place; reconstructions stay the same up to rounding."""
    assert vae.quant_conv is None and vae.post_quant_conv is None
    last = vae.encoder.conv_out.conv
    # Output channels: posterior means, then log-variances, which shift by the logarithm of the squared factor.
    last.weight[: len(divisor_C)] /= divisor_C.view(-1, 1, 1, 1, 1)
    last.bias[: len(divisor_C)] /= divisor_C
    last.bias[len(divisor_C) :] -= 2 * divisor_C.log()
    readers = [vae.decoder.conv_in.conv]
    for module in vae.decoder.modules():
        if isinstance(module, CogVideoXSpatialNorm3D):
            readers += [module.conv_y.conv, module.conv_b.conv]
    for reader in readers:
        reader.weight *= divisor_C.view(1, -1, 1, 1, 1)
