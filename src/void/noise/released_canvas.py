"""The noise warp as published, quirks and all: for ablations, and as the baseline of the benchmark.

It differs from `void.noise.warp` in four ways:

- Copies of a pixel are found by equal values of the first channel. On a canvas of millions of pixels many strangers
  share a value; they are split as if they were copies of one pixel, and so forget half of what they held.
- All pixels that get fresh noise hold 0 before it, so they form one group, and their density is one over its size.
- A pixel that leaves the canvas is put back where it was as fresh noise, and nothing is pulled to that place any more.
- Motion below a pixel is forgotten at every step.

Shape legend: C channels, H and W canvas rows and columns, N = H W, E edges, G groups of equal values.
"""

from __future__ import annotations

import torch
from torch import Tensor

from void.data.randomness import child_seed
from void.noise.warp import DENSITY_FLOOR, DENSITY_POWER


class ReleasedCanvas:
    """Noise on a canvas, moved by one flow after another as the published procedure does.

    Unlike the published one it is seeded. All channels draw from one generator: a channel's values depend on which are
    computed beside it.

    Args:
        height: rows.
        width: columns.
        channels: which channels to hold, by number; the first tells the copies of a pixel.
        seed: of the noise.
        device: where the canvas lives and the noise is drawn; CPU and GPU draw different values.
    """

    def __init__(
        self, height: int, width: int, channels: range, seed: int, *, device: torch.device | str = "cpu"
    ) -> None:
        self.height, self.width, self.channels = height, width, channels
        self.device = torch.device(device)
        self._generator = torch.Generator(device).manual_seed(child_seed(seed, "released warped noise", *channels))
        self.noise_CN = self._normal(height * width)
        self.density_N = torch.ones(height * width, device=self.device)

    def read(self) -> Tensor:
        """The noise `(C, H, W)`, float32."""
        return self.noise_CN.view(len(self.channels), self.height, self.width)

    def step(self, flow_2HW: Tensor) -> None:
        """Move the noise along a forward flow `(2, H, W)`, (x, y) in canvas pixels on the grid before the step."""
        assert flow_2HW.shape == (2, self.height, self.width)
        from_E, to_E, fresh_E = self._edges(flow_2HW)
        copies_CE = self.noise_CN[:, from_E].masked_fill_(fresh_E, 0)
        _, group_E, size_G = torch.unique(copies_CE[0], return_inverse=True, return_counts=True)
        z_CE = self._normal(len(from_E))
        mean_CG = z_CE.new_zeros(len(self.channels), len(size_G)).index_add_(1, group_E, z_CE) / size_G
        size_E = size_G[group_E]
        copies_CE = copies_CE / size_E.sqrt() + z_CE - mean_CG[:, group_E]
        density_E = self.density_N[from_E].masked_fill_(fresh_E, 1) / size_E
        sums_CN = torch.zeros_like(self.noise_CN).index_add_(1, to_E, density_E * copies_CE)
        squares_N = torch.zeros_like(self.density_N).index_add_(0, to_E, density_E.square())
        self.noise_CN = sums_CN / squares_N.sqrt()
        density_N = torch.zeros_like(self.density_N).index_add_(0, to_E, density_E)
        self.density_N = (density_N / density_N.mean() + DENSITY_FLOOR).pow(DENSITY_POWER)

    def _edges(self, flow_2HW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Old pixel and new pixel of every edge, and whether it brings fresh noise; each new pixel has at least one."""
        count = self.height * self.width
        pixel_N = torch.arange(count, device=self.device)
        here_2N = torch.stack([pixel_N % self.width, pixel_N // self.width]).float()
        flow_2N = flow_2HW.reshape(2, count)
        push_N, lands_N = self._pixel(here_2N + flow_2N)
        push_N = torch.where(lands_N, push_N, pixel_N)
        reached_N = torch.zeros(count, dtype=torch.bool, device=self.device)
        reached_N[push_N] = True
        empty = (~reached_N).nonzero()[:, 0]
        pull, inside = self._pixel(here_2N[:, empty] - flow_2N[:, empty])
        return torch.cat([pixel_N, pull]), torch.cat([push_N, empty]), ~torch.cat([lands_N, inside])

    def _pixel(self, at_2E: Tensor) -> tuple[Tensor, Tensor]:
        """The pixel nearest to each position, as an index, and whether it is on the canvas (0 where it is not)."""
        x, y = at_2E.round()
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        return torch.where(inside, y.long() * self.width + x.long(), 0), inside

    def _normal(self, count: int) -> Tensor:
        return torch.randn(len(self.channels), count, generator=self._generator, device=self.device)
