"""The CogVideoX VAE with the released decoding rule: T latent frames become 4T - 3 pixel frames, for every T.

diffusers' own decode groups latents in pairs from the start and returns 4T frames when T is even, as it always is
here. Encoding is unchanged.

Shape legend: B batch, T frames (pixel or latent), C channels, H height, W width.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from diffusers import AutoencoderKLCogVideoX, ModelMixin
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.upsampling import CogVideoXUpsample3D
from torch import Tensor
from torch.nn import functional as F

# A saved pipeline names this module as the VAE's library; diffusers then looks for the base class in it.
__all__ = ["ClipUpsample3D", "ModelMixin", "VoidVAE", "decode_latents", "encode_moments"]

DECODE_CHUNK = 2


class ClipUpsample3D(CogVideoXUpsample3D):
    """Nearest upsampling that is told whether its chunk opens the clip; diffusers guesses that from the chunk's length.

    The clip's first latent stays one frame; every frame of every later chunk is doubled in time.
    """

    opens_clip = True

    @classmethod
    def replacing(cls, upsampler: CogVideoXUpsample3D) -> ClipUpsample3D:
        """The same layer (same weights and state-dict keys), with the explicit rule."""
        replacement = cls.__new__(cls)
        torch.nn.Module.__init__(replacement)
        replacement.conv = upsampler.conv
        replacement.compress_time = upsampler.compress_time
        return replacement

    def forward(self, inputs: Tensor) -> Tensor:
        """`(B, C, t, h, w)` to `(B, C, t or 2t, 2h, 2w)`."""
        doubles_time = self.compress_time and not self.opens_clip
        upsampled_BCTHW = F.interpolate(inputs, scale_factor=(2.0 if doubles_time else 1.0, 2.0, 2.0))
        batch, _, frames, _, _ = upsampled_BCTHW.shape
        images = self.conv(upsampled_BCTHW.transpose(1, 2).flatten(0, 1))
        return images.unflatten(0, (batch, frames)).transpose(1, 2)


class VoidVAE(AutoencoderKLCogVideoX):
    """AutoencoderKLCogVideoX that decodes the first latent alone and then pairs (a last single one where T is even).

    Weights and configuration are those of the diffusers class. Tiled decoding is refused: its tiles follow diffusers'
    rule.
    """

    # diffusers reads the accepted configuration keys from this signature.
    @functools.wraps(AutoencoderKLCogVideoX.__init__)  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for block in self.decoder.up_blocks:
            if block.upsamplers is not None:
                block.upsamplers = torch.nn.ModuleList(ClipUpsample3D.replacing(layer) for layer in block.upsamplers)

    def _decode(self, z: Tensor, return_dict: bool = True) -> DecoderOutput | tuple[Tensor]:
        assert not self.use_tiling, "tiled decoding returns another number of frames; keep the VAE untiled"
        sizes = [1] + [DECODE_CHUNK] * ((z.shape[2] - 1) // DECODE_CHUNK)
        if sum(sizes) < z.shape[2]:
            sizes.append(1)
        frames_BCTHW, conv_cache = [], None
        for index, chunk in enumerate(z.split(sizes, dim=2)):
            self._announce(opens_clip=index == 0)
            if self.post_quant_conv is not None:
                chunk = self.post_quant_conv(chunk)
            decoded, conv_cache = self.decoder(chunk, conv_cache=conv_cache)
            frames_BCTHW.append(decoded)
        video_BCTHW = torch.cat(frames_BCTHW, dim=2)
        return DecoderOutput(sample=video_BCTHW) if return_dict else (video_BCTHW,)

    def _announce(self, opens_clip: bool) -> None:
        for module in self.decoder.modules():
            if isinstance(module, ClipUpsample3D):
                module.opens_clip = opens_clip


def encode_moments(vae: VoidVAE, video_BCTHW: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of the posterior, as the VAE gives them (not multiplied by the scaling factor).

    Args:
        video_BCTHW: RGB in [-1, 1], or a mask video in [0, 1]; 4k+1 frames, sides multiples of 8.

    Returns:
        two float32 tensors `(B, T_lat, 16, h, w)`.
    """
    with torch.no_grad():
        posterior = vae.encode(video_BCTHW.to(vae.device, vae.dtype)).latent_dist
    return posterior.mean.transpose(1, 2).float(), posterior.logvar.transpose(1, 2).float()


def decode_latents(vae: VoidVAE, latents_BTCHW: Tensor) -> Tensor:
    """RGB video `(B, 3, 4T-3, H, W)`, float32, in about [-1, 1], from scaled latents `(B, T, 16, h, w)`."""
    latents_BCTHW = latents_BTCHW.to(vae.device, vae.dtype).transpose(1, 2) / vae.config.scaling_factor
    with torch.no_grad():
        return vae.decode(latents_BCTHW).sample.float()
