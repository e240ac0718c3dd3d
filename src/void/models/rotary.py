"""Rotary position tables of the video tokens."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.embeddings import get_3d_rotary_pos_embed
from torch import Tensor


def rotary_tables(config: Any, t_lat: int, h_lat: int, w_lat: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Cosine and sine tables `(tokens, head_dim)`, float32, tokens in (t, y, x) order.

    Positions are the integers 0..n-1 on each axis, never scaled with the resolution.

    Args:
        config: the transformer's configuration.
        t_lat: latent frames, a multiple of the temporal patch size.
        h_lat: latent rows, a multiple of the patch size.
        w_lat: latent columns, likewise.
        device: where the tables are made.
    """
    assert t_lat % config.patch_size_t == 0 and h_lat % config.patch_size == 0 and w_lat % config.patch_size == 0
    grid = (h_lat // config.patch_size, w_lat // config.patch_size)
    return get_3d_rotary_pos_embed(
        embed_dim=config.attention_head_dim,
        crops_coords=None,
        grid_size=grid,
        temporal_size=t_lat // config.patch_size_t,
        grid_type="slice",
        max_size=grid,
        device=torch.device(device),
    )
