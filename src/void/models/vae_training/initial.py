"""A start from which the VAE learns in a tenth of the steps."""

from __future__ import annotations

import torch
from diffusers.models.autoencoders.autoencoder_kl_cogvideox import CogVideoXResnetBlock3D, CogVideoXSpatialNorm3D

from void.models.vae import VoidVAE

INITIAL_LOGVAR = -6.0


@torch.no_grad()
def tame(vae: VoidVAE) -> None:
    """Make a randomly initialised VAE nearly linear, in place.

    PyTorch's default weights multiply every decoder feature by a random, mostly small function of the latents, add a
    random residual in each block, and bury the latents in unit noise. Here the modulation begins as the identity, the
    residual branches at zero, and the noise small.
    """
    for module in vae.modules():
        if isinstance(module, CogVideoXSpatialNorm3D):
            for layer, constant in ((module.conv_y.conv, 1.0), (module.conv_b.conv, 0.0)):
                layer.weight.zero_()
                layer.bias.fill_(constant)
        elif isinstance(module, CogVideoXResnetBlock3D):
            module.conv2.conv.weight.zero_()
            module.conv2.conv.bias.zero_()
    last = vae.encoder.conv_out.conv
    means = last.bias.shape[0] // 2
    last.weight[means:].zero_()
    last.bias[means:].fill_(INITIAL_LOGVAR)
