"""Gaussian noise that moves with a video, after Go-with-the-Flow (Burgert et al., CVPR 2025).

On a fine canvas every pixel holds a value q ~ N(0, 1) per channel and a density w > 0. One step along a forward flow F
makes edges from the old canvas to the new one:

    push   p -> t(p) = round(p + d(p) + F(p)), where that is on the canvas
    pull   s(t) = round(t - F(t)) -> t, for each t that nothing was pushed to, where s(t) is on the canvas

A pixel that n edges leave is split, so that its copies are independent and of unit variance, and edges that meet are
merged by density; a pixel that no edge reaches gets fresh noise:

    x_e   = q(p) / sqrt(n) + z_e - mean over p's edges of z,   z ~ N(0, 1)         w_e   = w(p) / n
    q'(t) = sum of w_e x_e / sqrt(sum of w_e^2)                                    w'(t) = sum of w_e

So the canvas stays white and normal at every step. Pixels are told apart by their index, never by their value.

The offset d is the motion that rounding left undone in the step before, averaged over small blocks, so that slow motion
adds up. Single pixels that carried their own remainders would soon lie as irregularly as points thrown at random: most
would meet or be split at every step, and the noise would forget itself.

Shape legend: C channels, H and W canvas rows and columns, N = H W, E edges.
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
        source_N: the old pixel, wherever one edge from an unsplit pixel is all that arrives; of no meaning elsewhere.
        fresh_F: the new pixels that no edge reaches.
        from_E: old pixels of the remaining edges: of split pixels, and edges that meet.
        to_E: places in `reached_R` of their new pixels.
        ways_E: how many edges leave each of their old pixels.
        reached_R: the new pixels of the remaining edges, each once.
        split_S: places in the E lists whose old pixel is split.
        family_S: for each of them, the number of its old pixel among `families`.
        families: how many old pixels are split.
        rounding_2N: by how much rounding changed each old pixel's motion (x, y), in [-0.5, 0.5].
    """

    source_N: Tensor
    fresh_F: Tensor
    from_E: Tensor
    to_E: Tensor
    ways_E: Tensor
    reached_R: Tensor
    split_S: Tensor
    family_S: Tensor
    families: int
    rounding_2N: Tensor


def trace_edges(flow_2HW: Tensor, offset_2N: Tensor) -> Edges:
    """The edges of one step.

    Args:
        flow_2HW: (x, y) displacement from the old frame to the new one, in canvas pixels, on the old frame's grid.
        offset_2N: motion that earlier steps left undone.
    """
    _, height, width = flow_2HW.shape
    count = height * width
    device = flow_2HW.device
    flow_2N = flow_2HW.reshape(2, count)
    pixel_N = torch.arange(count, device=device)
    here_2N = torch.stack([pixel_N % width, pixel_N // width]).float()

    goal_2N = here_2N + offset_2N + flow_2N
    push_N, lands_N = _pixel(goal_2N, height, width)
    push_from, push_to = pixel_N[lands_N], push_N[lands_N]
    hits_N = torch.bincount(push_to, minlength=count)

    empty = (hits_N == 0).nonzero()[:, 0]
    origin_2E = here_2N[:, empty] - flow_2N[:, empty]
    pull, inside = _pixel(origin_2E, height, width)
    pull_from, pull_to = pull[inside], empty[inside]

    ways_N = lands_N.int().index_add_(0, pull_from, torch.ones_like(pull_from, dtype=torch.int32))
    source_N = torch.zeros(count, dtype=torch.long, device=device)
    # Where edges meet, the entry is of any one of them; `reached_R` replaces it.
    source_N[push_to], source_N[pull_to] = push_from, pull_from

    meets = (hits_N[push_to] > 1) | (ways_N[push_from] > 1)
    splits = ways_N[pull_from] > 1
    from_E = torch.cat([push_from[meets], pull_from[splits]])
    reached_R, to_E = _numbered(torch.cat([push_to[meets], pull_to[splits]]), count)
    ways_E = ways_N[from_E]
    split_S = (ways_E > 1).nonzero()[:, 0]
    split_pixels, family_S = _numbered(from_E[split_S], count)
    return Edges(
        source_N=source_N,
        fresh_F=empty[~inside],
        from_E=from_E,
        to_E=to_E,
        ways_E=ways_E,
        reached_R=reached_R,
        split_S=split_S,
        family_S=family_S,
        families=len(split_pixels),
        rounding_2N=goal_2N - goal_2N.round(),
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
        self.noise_CN = torch.stack([self._draws(channel).normal(count) for channel in channels])
        self.density_N = torch.ones(count, device=self.device)
        self.offset_2N = torch.zeros(2, count, device=self.device)

    def read(self) -> Tensor:
        """The noise `(C, H, W)`, float32."""
        return self.noise_CN.view(len(self.channels), self.height, self.width)

    def step(self, flow_2HW: Tensor) -> None:
        """Move the noise along a forward flow `(2, H, W)`, (x, y) in canvas pixels on the grid before the step."""
        assert flow_2HW.shape == (2, self.height, self.width)
        self.steps += 1
        edges = trace_edges(flow_2HW, self.offset_2N)
        density_E = self.density_N[edges.from_E] / edges.ways_E
        norm_R = _sums(density_E.square(), edges.to_E, len(edges.reached_R)).sqrt()
        scale_E = edges.ways_E.float().rsqrt()
        share_S = 1 / edges.ways_E[edges.split_S].float()
        for values_N, channel in zip(self.noise_CN, self.channels, strict=True):
            draws = self._draws(channel)
            copies_E = values_N[edges.from_E] * scale_E
            z_S = draws.normal(len(edges.split_S))
            copies_E[edges.split_S] += z_S - _sums(z_S * share_S, edges.family_S, edges.families)[edges.family_S]
            values_N.copy_(values_N[edges.source_N])
            values_N[edges.reached_R] = _sums(density_E * copies_E, edges.to_E, len(edges.reached_R)) / norm_R
            values_N[edges.fresh_F] = draws.normal(len(edges.fresh_F))
        density_N = self.density_N[edges.source_N]
        density_N[edges.reached_R] = _sums(density_E, edges.to_E, len(edges.reached_R))
        density_N[edges.fresh_F] = 1
        self.density_N = (density_N / density_N.mean() + DENSITY_FLOOR).pow(DENSITY_POWER)
        if self.carry_offsets:
            self.offset_2N = self._local_mean(edges.rounding_2N)

    def _local_mean(self, rounding_2N: Tensor) -> Tensor:
        """The motion that rounding left undone, as a smooth field."""
        rounding_B2HW = rounding_2N.view(1, 2, self.height, self.width)
        blocks_B2hw = F.avg_pool2d(rounding_B2HW, OFFSET_BLOCK, ceil_mode=True)
        return F.interpolate(blocks_B2hw, (self.height, self.width), mode="bilinear").view(2, -1)

    def _draws(self, channel: int) -> _Draws:
        return _Draws(child_seed(self.seed, "warped noise", self.steps, channel), self.device)


class _Draws:
    def __init__(self, seed: int, device: torch.device) -> None:
        self._generator = torch.Generator(device).manual_seed(seed)

    def normal(self, count: int) -> Tensor:
        return torch.randn(count, generator=self._generator, device=self._generator.device)


def _pixel(at_2E: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The pixel nearest to each position, as an index, and whether it is on the canvas (0 where it is not)."""
    x, y = at_2E.round()
    on_canvas = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return torch.where(on_canvas, y.long() * width + x.long(), 0), on_canvas


def _numbered(pixels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Each distinct pixel once, in order, and for every entry the place of its pixel in that list."""
    present_N = torch.zeros(count, dtype=torch.bool, device=pixels.device)
    present_N[pixels] = True
    distinct = present_N.nonzero()[:, 0]
    place_N = torch.empty(count, dtype=torch.long, device=pixels.device)
    place_N[distinct] = torch.arange(len(distinct), device=pixels.device)
    return distinct, place_N[pixels]


def _sums(values: Tensor, groups: Tensor, count: int) -> Tensor:
    return torch.zeros(count, device=values.device, dtype=values.dtype).index_add_(0, groups, values)
