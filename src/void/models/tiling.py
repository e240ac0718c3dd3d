"""Spatial tiles: a function of a whole clip computed part by part, and the parts blended over their overlaps.

Tiles all have the same size and are spread evenly, so that none is a thin rest. Positions are in latent rows and
columns; pixels are that times 8.

Shape legend: B batch, C channels, T frames, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

Blend = Callable[[Tensor, Tensor, int], Tensor]


@dataclass(frozen=True)
class Tiles:
    """The tiles of one axis.

    Args:
        starts: first latent of each tile; the last tile ends with the axis.
        size: latents of a tile.
    """

    starts: tuple[int, ...]
    size: int

    @property
    def overlaps(self) -> tuple[int, ...]:
        """Latents that each tile but the first shares with the one before it."""
        return tuple(before + self.size - start for before, start in pairwise(self.starts))


def spread(length: int, size: int, overlap: int) -> Tiles:
    """The fewest tiles of `size` that cover `length` and share at least `overlap`; one where `length` fits into it."""
    assert 0 <= overlap < size
    if length <= size:
        return Tiles((0,), length)
    last = math.ceil((length - size) / (size - overlap))
    return Tiles(tuple(index * (length - size) // last for index in range(last + 1)), size)


def map_tiles(
    function: Callable[[Tensor], Tensor],
    whole_BCTHW: Tensor,
    rows: Tiles,
    columns: Tiles,
    *,
    scale_in: int,
    scale_out: int,
    blend_rows: Blend,
    blend_columns: Blend,
) -> Tensor:
    """`function` of every tile, joined.

    Args:
        function: what is computed, `(B, C, T, h, w)` to `(B, C', T', h', w')`.
        whole_BCTHW: its input.
        rows: tiles of the height.
        columns: tiles of the width.
        scale_in: pixels or latents of the input in a latent: 8 or 1.
        scale_out: the same of the output.
        blend_rows: (tile above, tile, extent) to the tile with its first `extent` rows ramped from the one above.
        blend_columns: the same to the right.
    """
    finished: list[list[Tensor]] = []
    for i, top in enumerate(rows.starts):
        finished.append([])
        for j, left in enumerate(columns.starts):
            tile = function(
                whole_BCTHW[
                    :,
                    :,
                    :,
                    top * scale_in : (top + rows.size) * scale_in,
                    left * scale_in : (left + columns.size) * scale_in,
                ]
            )
            if i > 0:
                tile = blend_rows(finished[i - 1][j], tile, rows.overlaps[i - 1] * scale_out)
            if j > 0:
                tile = blend_columns(finished[i][j - 1], tile, columns.overlaps[j - 1] * scale_out)
            finished[i].append(tile)
    heights, widths = _kept(rows, scale_out), _kept(columns, scale_out)
    return torch.cat(
        [
            torch.cat([tile[..., :height, :width] for tile, width in zip(row, widths, strict=True)], dim=4)
            for row, height in zip(finished, heights, strict=True)
        ],
        dim=3,
    )


def _kept(tiles: Tiles, scale: int) -> list[int]:
    """Of each tile what the next one does not take over."""
    return [(after - start) * scale for start, after in pairwise(tiles.starts)] + [tiles.size * scale]
