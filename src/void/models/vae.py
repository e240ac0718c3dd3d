"""The CogVideoX VAE with the released decoding rule: T latent frames become 4T - 3 pixel frames, for every T.

diffusers' own decode groups latents in pairs from the start and returns 4T frames when T is even, as it always is
here. Encoding is unchanged.

Shape legend: B batch, T frames (pixel or latent), C channels, H height, W width.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKLCogVideoX, ModelMixin
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.upsampling import CogVideoXUpsample3D
from torch import Tensor
from torch.nn import functional as F

from void.errors import InputError
from void.models.tiling import map_tiles, spread
from void.shapes import SPATIAL_COMPRESSION

# A saved pipeline names this module as the VAE's library; diffusers then looks for the base class in it.
__all__ = ["ClipUpsample3D", "ModelMixin", "VoidVAE", "decode_latents", "encode_moments"]

DECODE_CHUNK = 2
SMALLEST_TILE = 64
LARGEST_OVERLAP = 0.5


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

    Weights and configuration are those of the diffusers class. With `enable_tiling()` it works in spatial tiles, each
    by the same rule in time. The group norms then see a tile and not the whole frame: the result is near the untiled
    one, never equal to it.
    """

    # diffusers reads the accepted configuration keys from this signature.
    @functools.wraps(AutoencoderKLCogVideoX.__init__)  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for block in self.decoder.up_blocks:
            if block.upsamplers is not None:
                block.upsamplers = torch.nn.ModuleList(ClipUpsample3D.replacing(layer) for layer in block.upsamplers)

    def enable_tiling(
        self,
        tile_sample_min_height: int | None = None,
        tile_sample_min_width: int | None = None,
        tile_overlap_factor_height: float | None = None,
        tile_overlap_factor_width: float | None = None,
    ) -> None:
        """Work in spatial tiles on every clip that is larger than one.

        Args:
            tile_sample_min_height: pixels, a multiple of 8, at least 16; None: half the configured sample height,
                rounded down to a multiple of 8, but at least 64.
            tile_sample_min_width: likewise.
            tile_overlap_factor_height: least share of a tile that its neighbour has too, above 0 and at most a half;
                None: diffusers' 1/6.
            tile_overlap_factor_width: likewise; None: 1/5.

        Raises:
            InputError: a value is outside these bounds.
        """
        for name, pixels in (("height", tile_sample_min_height), ("width", tile_sample_min_width)):
            if pixels is not None and (pixels < 2 * SPATIAL_COMPRESSION or pixels % SPATIAL_COMPRESSION):
                raise InputError(
                    f"tile_sample_min_{name} = {pixels} is no tile", "use a multiple of 8 pixels, at least 16"
                )
        for name, factor in (("height", tile_overlap_factor_height), ("width", tile_overlap_factor_width)):
            if factor is not None and not 0 < factor <= LARGEST_OVERLAP:
                raise InputError(f"tile_overlap_factor_{name} = {factor} is out of range", "use 0 < factor <= 0.5")
        super().enable_tiling(
            tile_sample_min_height or _tile(self.config.sample_height),
            tile_sample_min_width or _tile(self.config.sample_width),
            tile_overlap_factor_height,
            tile_overlap_factor_width,
        )

    def tiled_encode(self, x: Tensor) -> Tensor:
        """Moments `(B, 2C, T_lat, h, w)` of a clip `(B, 3, T, H, W)`, tile by tile."""
        return self._in_tiles(self._encode, x, scale_in=SPATIAL_COMPRESSION, scale_out=1)

    def tiled_decode(self, z: Tensor, return_dict: bool = True) -> DecoderOutput | tuple[Tensor]:
        """A clip `(B, 3, 4T-3, H, W)` from latents `(B, C, T, h, w)`, tile by tile."""
        video_BCTHW = self._in_tiles(self._decode_chunks, z, scale_in=1, scale_out=SPATIAL_COMPRESSION)
        return DecoderOutput(sample=video_BCTHW) if return_dict else (video_BCTHW,)

    def _in_tiles(
        self, function: Callable[[Tensor], Tensor], whole_BCTHW: Tensor, *, scale_in: int, scale_out: int
    ) -> Tensor:
        height, width = (side // scale_in for side in whole_BCTHW.shape[3:])
        tile_height, tile_width = self.tile_latent_min_height, self.tile_latent_min_width
        return map_tiles(
            function,
            whole_BCTHW,
            spread(height, tile_height, math.ceil(tile_height * self.tile_overlap_factor_height)),
            spread(width, tile_width, math.ceil(tile_width * self.tile_overlap_factor_width)),
            scale_in=scale_in,
            scale_out=scale_out,
            blend_rows=self.blend_v,
            blend_columns=self.blend_h,
        )

    def _decode(self, z: Tensor, return_dict: bool = True) -> DecoderOutput | tuple[Tensor]:
        height, width = z.shape[3:]
        if self.use_tiling and (height > self.tile_latent_min_height or width > self.tile_latent_min_width):
            return self.tiled_decode(z, return_dict)
        video_BCTHW = self._decode_chunks(z)
        return DecoderOutput(sample=video_BCTHW) if return_dict else (video_BCTHW,)

    def _decode_chunks(self, z: Tensor) -> Tensor:
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
        return torch.cat(frames_BCTHW, dim=2)

    def _announce(self, opens_clip: bool) -> None:
        for module in self.decoder.modules():
            if isinstance(module, ClipUpsample3D):
                module.opens_clip = opens_clip


def _tile(sample_side: int) -> int:
    """Side of a tile in pixels: diffusers' half of the configured sample, in whole latents and not too small."""
    return max(SMALLEST_TILE, sample_side // 2 // SPATIAL_COMPRESSION * SPATIAL_COMPRESSION)


def encode_moments(vae: VoidVAE, video_BCTHW: Tensor, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of the posterior, as the VAE gives them (not multiplied by the scaling factor).

    Args:
        vae: the VAE.
        video_BCTHW: RGB in [-1, 1], or a mask video in [0, 1]; 4k+1 frames, sides multiples of 8.
        device: where the VAE works, if its weights wait elsewhere (offloading); None: where they are.

    Returns:
        two float32 tensors `(B, T_lat, 16, h, w)`.
    """
    with torch.no_grad():
        posterior = vae.encode(video_BCTHW.to(device or vae.device, vae.dtype)).latent_dist
    return posterior.mean.transpose(1, 2).float(), posterior.logvar.transpose(1, 2).float()


def decode_latents(vae: VoidVAE, latents_BTCHW: Tensor, device: torch.device | None = None) -> Tensor:
    """RGB video `(B, 3, 4T-3, H, W)`, float32, in about [-1, 1], from scaled latents `(B, T, 16, h, w)`.

    `device` as for `encode_moments`.
    """
    latents_BCTHW = latents_BTCHW.to(device or vae.device, vae.dtype).transpose(1, 2) / vae.config.scaling_factor
    with torch.no_grad():
        return vae.decode(latents_BCTHW).sample.float()
