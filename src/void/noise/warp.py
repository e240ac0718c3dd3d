"""Gaussian noise that moves with a video, after Go-with-the-Flow (Burgert et al., CVPR 2025).

On a fine canvas every pixel holds a value q ~ N(0, 1) per channel and a density w > 0. One step along a forward flow F
makes edges from the old canvas to the new one:

    push   p -> t(p) = p + round(d(p) + F(p)), where that is on the canvas
    pull   s(t) = t - round(F(t)) -> t, for each t that nothing was pushed to, where s(t) is on the canvas

A pixel that n edges leave is split, so that its copies are independent and of unit variance, and edges that meet are
merged by density; a pixel that no edge reaches gets fresh noise:

    x_e   = q(p) / sqrt(n) + z_e - mean over p's edges of z,   z ~ N(0, 1)         w_e   = w(p) / n
    q'(t) = sum of w_e x_e / sqrt(sum of w_e^2)                                    w'(t) = sum of w_e

So the canvas stays white and normal at every step. Pixels are told apart by their index, never by their value.

The offset d is the motion that rounding left undone in the step before, averaged over small blocks, so that slow motion
adds up. Single pixels that carried their own remainders would soon lie as irregularly as points thrown at random: most
would meet or be split at every step, and the noise would forget itself.

Most pixels have one edge in and one out, and are only moved. One gather moves them, with the channels of a pixel side
by side in memory; pixels that are split or merged, a few in a hundred, are put in afterwards.

Shape legend: C channels, H and W canvas rows and columns, N = H W, E edges that split or meet, S those that split, F
new pixels that no edge reaches, A split old pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from void.data.randomness import child_seed

DENSITY_FLOOR = 1e-5
DENSITY_POWER = 0.9999
# Side, in canvas pixels, of the blocks whose mean of undone motion is carried to the next step.
OFFSET_BLOCK = 16


@dataclass(frozen=True)
class Edges:
    """Where each pixel of the new canvas comes from: all that a step needs to know, for any number of channels.

    Args:
        source_N: the old pixel, int32, wherever one edge from an unsplit pixel is all that arrives; elsewhere any.
        fresh_F: the new pixels that no edge reaches.
        from_E: old pixels of the remaining edges: of split pixels, and edges that meet.
        to_E: their new pixels.
        ways_E: how many edges leave each of their old pixels.
        split_S: places in the E lists whose old pixel is split.
        family_S: for each of them, the number of its old pixel among those that are split.
        families: how many old pixels are split.
        undone_2HW: by how much rounding changed each old pixel's motion (x, y), in [-0.5, 0.5].
    """

    source_N: Tensor
    fresh_F: Tensor
    from_E: Tensor
    to_E: Tensor
    ways_E: Tensor
    split_S: Tensor
    family_S: Tensor
    families: int
    undone_2HW: Tensor


def trace_edges(flow_2HW: Tensor, offset_2HW: Tensor) -> Edges:
    """The edges of one step.

    Args:
        flow_2HW: (x, y) displacement from the old frame to the new one, in canvas pixels, on the old frame's grid.
        offset_2HW: motion that earlier steps left undone.
    """
    _, height, width = flow_2HW.shape
    count, device = height * width, flow_2HW.device
    motion_2HW = flow_2HW + offset_2HW
    hop_2HW = motion_2HW.round()
    rows_H1, columns_W = torch.arange(height, device=device)[:, None], torch.arange(width, device=device)
    push_N = _place(hop_2HW[0] + columns_W, hop_2HW[1] + rows_H1, height, width).view(count)

    # Of the pixels pushed to one place, the place notes one. Which one makes no difference to the edges.
    pixel_N = torch.arange(count, dtype=torch.int32, device=device)
    noted_N1 = torch.full((count + 1,), -1, dtype=torch.int32, device=device).scatter_(0, push_N, pixel_N)
    noted_N1[count] = -1
    unnoted = (noted_N1.index_select(0, push_N) != pixel_N).nonzero()[:, 0]
    unnoted = unnoted[push_N[unnoted] < count]

    source_N = noted_N1[:count]
    empty = (source_N < 0).nonzero()[:, 0]
    back_2E = flow_2HW.view(2, count)[:, empty].round()
    pull = _place(empty % width - back_2E[0], empty // width - back_2E[1], height, width)
    inside = pull < count
    pull_from, pull_to = pull[inside], empty[inside]

    involved_N = torch.zeros(count, dtype=torch.bool, device=device)
    involved_N[unnoted] = True
    involved_N[noted_N1[push_N[unnoted]].long()] = True
    pulls_N = torch.zeros(count, dtype=torch.int32, device=device)
    pulls_N.index_add_(0, pull_from, torch.ones_like(pull_from, dtype=torch.int32))
    splits = pulls_N[pull_from] + (push_N[pull_from] < count) > 1
    involved_N[pull_from[splits]] = True
    push_from = involved_N.nonzero()[:, 0]
    push_from = push_from[push_N[push_from] < count]

    source_N[empty] = torch.where(inside, pull, 0).int()
    from_E = torch.cat([push_from, pull_from[splits]])
    ways_E = pulls_N[from_E] + (push_N[from_E] < count)
    split_S = (ways_E > 1).nonzero()[:, 0]
    family_S, families = _numbered(from_E[split_S], count)
    return Edges(
        source_N=source_N,
        fresh_F=empty[~inside],
        from_E=from_E,
        to_E=torch.cat([push_N[push_from], pull_to[splits]]),
        ways_E=ways_E,
        split_S=split_S,
        family_S=family_S,
        families=families,
        undone_2HW=motion_2HW.sub_(hop_2HW),
    )


class NoiseCanvas:
    """White normal noise on a canvas, moved by one flow after another.

    Each channel draws from a generator of its own, of `(seed, step, channel)`: a channel's values do not depend on
    which others are computed beside it.

    Args:
        height: rows.
        width: columns.
        channels: which channels to hold, by number.
        seed: of the noise.
        device: where the canvas lives and the noise is drawn; CPU and GPU draw different values.
        carry_offsets: whether motion below a pixel adds up from step to step; if not, it is forgotten at each.
    """

    def __init__(
        self,
        height: int,
        width: int,
        channels: range,
        seed: int,
        *,
        device: torch.device | str = "cpu",
        carry_offsets: bool = True,
    ) -> None:
        self.height, self.width, self.channels, self.seed = height, width, channels, seed
        self.carry_offsets = carry_offsets
        self.device = torch.device(device)
        count = height * width
        self.steps = 0
        (noise_NC,) = self._draws(count)
        self.noise_NC = noise_NC.contiguous()
        self._spare_NC = torch.empty_like(self.noise_NC)
        self.density_N = torch.ones(count, device=self.device)
        self.offset_2HW = torch.zeros(2, height, width, device=self.device)

    def read(self) -> Tensor:
        """The noise `(C, H, W)`, float32: a view, which holds until the next step."""
        return self.noise_NC.view(self.height, self.width, -1).permute(2, 0, 1)

    def step(self, flow_2HW: Tensor) -> None:
        """Move the noise along a forward flow `(2, H, W)`, (x, y) in canvas pixels on the grid before the step."""
        assert flow_2HW.shape == (2, self.height, self.width)
        self.steps += 1
        edges = trace_edges(flow_2HW, self.offset_2HW)
        density_E = self.density_N[edges.from_E] / edges.ways_E
        self._move_noise(edges, density_E)
        density_N = self.density_N.index_select(0, edges.source_N)
        density_N[edges.to_E] = 0
        density_N.index_add_(0, edges.to_E, density_E)
        density_N[edges.fresh_F] = 1
        self.density_N = density_N.div_(density_N.mean()).add_(DENSITY_FLOOR).pow_(DENSITY_POWER)
        if self.carry_offsets:
            self.offset_2HW = _local_mean(edges.undone_2HW)

    def _move_noise(self, edges: Edges, density_E: Tensor) -> None:
        squares_N = torch.zeros_like(self.density_N).index_add_(0, edges.to_E, density_E.square())
        weight_E = density_E / squares_N[edges.to_E].sqrt()
        z_SC, fresh_FC = self._draws(len(edges.split_S), len(edges.fresh_F))
        share_S = 1 / edges.ways_E[edges.split_S].float()
        mean_AC = z_SC.new_zeros(edges.families, len(self.channels))
        mean_AC.index_add_(0, edges.family_S, z_SC * share_S[:, None])
        copies_EC = self.noise_NC.index_select(0, edges.from_E).mul_(edges.ways_E.float().rsqrt()[:, None])
        copies_EC.index_add_(0, edges.split_S, z_SC - mean_AC.index_select(0, edges.family_S))

        moved_NC = torch.index_select(self.noise_NC, 0, edges.source_N, out=self._spare_NC)
        moved_NC.index_fill_(0, edges.to_E, 0).index_add_(0, edges.to_E, copies_EC.mul_(weight_E[:, None]))
        moved_NC.index_copy_(0, edges.fresh_F, fresh_FC)
        self.noise_NC, self._spare_NC = moved_NC, self.noise_NC

    def _draws(self, *counts: int) -> list[Tensor]:
        """Normal values of the present step, one `(count, C)` for each count."""
        drawn_CK = torch.empty(len(self.channels), sum(counts), device=self.device)
        for values_K, channel in zip(drawn_CK, self.channels, strict=True):
            seed = child_seed(self.seed, "warped noise", self.steps, channel)
            values_K.normal_(generator=torch.Generator(self.device).manual_seed(seed))
        return [part_CK.T for part_CK in drawn_CK.split(counts, dim=1)]


def _local_mean(undone_2HW: Tensor) -> Tensor:
    """The motion that rounding left undone, as a smooth field."""
    blocks_B2hw = F.avg_pool2d(undone_2HW[None], OFFSET_BLOCK, ceil_mode=True)
    return F.interpolate(blocks_B2hw, undone_2HW.shape[1:], mode="bilinear")[0]


def _place(x: Tensor, y: Tensor, height: int, width: int) -> Tensor:
    """The index of the pixel at each whole position, int64, and `height * width` for all that are off the canvas."""
    on_canvas = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return torch.where(on_canvas, y.int() * width + x.int(), height * width).long()


def _numbered(pixels: Tensor, count: int) -> tuple[Tensor, int]:
    """For every entry the number of its pixel among the distinct ones, and how many those are."""
    present_N = torch.zeros(count, dtype=torch.bool, device=pixels.device)
    present_N[pixels] = True
    distinct = present_N.nonzero()[:, 0]
    number_N = torch.empty(count, dtype=torch.int32, device=pixels.device)
    number_N[distinct] = torch.arange(len(distinct), dtype=torch.int32, device=pixels.device)
    return number_N[pixels], len(distinct)
