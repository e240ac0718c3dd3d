"""From 33 input channels to 48: the patch embedding of the base model made that of VOID.

Channels before: noisy latents 16 | mask 1 | masked-clip latents 16.
Channels after: noisy latents 16 | mask latents 16 | clip latents 16.
The columns of a channel are the values of its patch, 2 x 2 x 2 of them, channels slowest.

    W' = [ W_noisy | s W_mask, 16 times | W_clip ]

with s = 1 (replicate, as released), 1/16 (mean) or 0 (zero).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from void.errors import InputError
from void.recipe import MaskExpansion
from void.shapes import LATENT_CHANNELS, PATCH_SIZE, PATCH_SIZE_T

if TYPE_CHECKING:
    from torch import Tensor

PATCH_EMBEDDING = "patch_embed.proj.weight"
BASE_CHANNELS = 2 * LATENT_CHANNELS + 1
VOID_CHANNELS = 3 * LATENT_CHANNELS
COLUMNS_PER_CHANNEL = PATCH_SIZE_T * PATCH_SIZE * PATCH_SIZE

SCALES = {MaskExpansion.replicate: 1.0, MaskExpansion.mean: 1 / LATENT_CHANNELS, MaskExpansion.zero: 0.0}


def in_channels(columns: int, where: str) -> int:
    """Input channels of a transformer whose patch-embedding weight has this many columns: 33 or 48.

    Args:
        columns: second dimension of the weight.
        where: the file that holds it, for the message.

    Raises:
        InputError: any other width.
    """
    channels, rest = divmod(columns, COLUMNS_PER_CHANNEL)
    if rest or channels not in (BASE_CHANNELS, VOID_CHANNELS):
        raise InputError(
            f"{where}: {PATCH_EMBEDDING} has {columns} columns: {columns / COLUMNS_PER_CHANNEL:g} input channels",
            f"use weights with {VOID_CHANNELS} input channels (VOID) or {BASE_CHANNELS} (the base model, which is then "
            "expanded)",
        )
    return channels


def expand_patch_embed(weight_DK: Tensor, rule: MaskExpansion) -> Tensor:
    """The 48-channel patch-embedding weight made from a 33-channel one, as the module's equation says.

    Args:
        weight_DK: `(D, 264)`: 8 columns a channel.
        rule: what the mask channel's columns become in each of the 16 mask-latent channels.

    Returns:
        `(D, 384)`, of the same type.

    Raises:
        InputError: the weight has another width.

    Source: the released code's expansion; `replicate` equals its recorded output in every bit.
    """
    # Imported here because torch takes seconds to load, and headers are compared without it.
    import torch

    if in_channels(weight_DK.shape[1], "the weight to expand") != BASE_CHANNELS:
        raise InputError(
            f"{PATCH_EMBEDDING} is {tuple(weight_DK.shape)}: it has {VOID_CHANNELS} input channels already",
            f"expand only weights of {BASE_CHANNELS} channels",
        )
    latent_columns = LATENT_CHANNELS * COLUMNS_PER_CHANNEL
    noisy, mask, clip = weight_DK.split([latent_columns, COLUMNS_PER_CHANNEL, latent_columns], dim=1)
    return torch.cat([noisy, (mask * SCALES[rule]).repeat(1, LATENT_CHANNELS), clip], dim=1)
