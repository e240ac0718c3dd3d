"""Seconds of a step of the noise warp on two canvases, beside the published procedure in the same run; and of the flow.

    .venv/bin/python benchmarks/noise.py [--large] [--device cuda]

The baseline is written from the published description: every edge of the canvas is split and merged, copies of a pixel
are found by equal values, fresh noise is drawn for all of them. Its random numbers differ, its statistics do not.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from void.noise.flow import DisFlow
from void.noise.warp import NoiseCanvas, trace_edges

CHANNELS = 16
SMALL, LARGE = (384, 672), (1536, 2688)
REPEATS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also the canvas of a 384 x 672 clip, 1536 x 2688")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    table = Table(title=f"seconds a frame, {CHANNELS} channels, {arguments.device}, {torch.get_num_threads()} threads")
    for column in ("", "published", "ours", "ratio", "of it tracing edges", "copying the noise once"):
        table.add_column(column, justify="right")
    for height, width in (SMALL, LARGE) if arguments.large else (SMALL,):
        table.add_row(f"canvas {height} x {width}", *warp_row(height, width, torch.device(arguments.device)))
    Console().print(table)
    frame = np.random.default_rng(0).integers(0, 256, (24, 42, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    moved = np.roll(frame, 2, axis=1)
    Console().print(f"optical flow (DIS) of 192 x 336: {seconds(lambda: DisFlow()(frame, moved)):.3f} s a frame")


def warp_row(height: int, width: int, device: torch.device) -> tuple[str, ...]:
    """One line of the table."""
    flow_2HW = waves(height, width).to(device)
    published = Published(height, width, device)
    ours = NoiseCanvas(height, width, range(CHANNELS), 0, device=device)
    baseline, step = (seconds(lambda warper=warper: warper.step(flow_2HW)) for warper in (published, ours))
    tracing = seconds(lambda: trace_edges(flow_2HW, ours.offset_2N))
    copying = seconds(lambda: ours.noise_CN.clone())
    return (
        f"{baseline:.3f}",
        f"{step:.3f}",
        f"{baseline / step:.1f}x",
        f"{tracing:.3f}",
        f"{copying:.3f}",
    )


def waves(height: int, width: int) -> Tensor:
    """A flow with zoom, rotation and waves."""
    y, x = torch.meshgrid(torch.arange(height) - height / 2, torch.arange(width) - width / 2, indexing="ij")
    return torch.stack([0.01 * x - 0.02 * y + 3 * torch.sin(y / 40), 0.01 * y + 0.02 * x + 3 * torch.cos(x / 50)])


def seconds(work: Callable[[], object]) -> float:
    """Median over a few runs, the first left out."""
    taken = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


class Published:
    """One step of the published procedure, over all edges and channels at once."""

    def __init__(self, height: int, width: int, device: torch.device) -> None:
        self.height, self.width, self.device = height, width, device
        self.noise_CN = torch.randn(CHANNELS, height * width, device=device)
        self.density_N = torch.ones(height * width, device=device)

    def step(self, flow_2HW: Tensor) -> None:
        """Move the noise."""
        count = self.height * self.width
        pixel_N = torch.arange(count, device=self.device)
        here_2N = torch.stack([pixel_N % self.width, pixel_N // self.width]).float()
        flow_2N = flow_2HW.reshape(2, count)
        push_N, lands_N = self._pixel(here_2N + flow_2N)
        reached_N = torch.zeros(count, dtype=torch.bool, device=self.device)
        reached_N[push_N[lands_N]] = True
        empty = (~reached_N).nonzero()[:, 0]
        pull, inside = self._pixel(here_2N[:, empty] - flow_2N[:, empty])
        from_E = torch.cat([pixel_N[lands_N], pull[inside]])
        to_E = torch.cat([push_N[lands_N], empty[inside]])

        copies_CE = self.noise_CN[:, from_E]
        _, family_E, ways = torch.unique(copies_CE[0], return_inverse=True, return_counts=True)
        z_CE = torch.randn_like(copies_CE)
        mean_CF = torch.zeros(CHANNELS, len(ways), device=self.device).index_add_(1, family_E, z_CE) / ways
        copies_CE = copies_CE / ways[family_E].sqrt() + z_CE - mean_CF[:, family_E]
        density_E = self.density_N[from_E] / ways[family_E]
        sums_CN = torch.zeros_like(self.noise_CN).index_add_(1, to_E, density_E * copies_CE)
        squares_N = torch.zeros_like(self.density_N).index_add_(0, to_E, density_E.square())
        fresh_CN = torch.randn_like(self.noise_CN)
        self.noise_CN = torch.where(squares_N > 0, sums_CN / squares_N.clamp(min=1e-30).sqrt(), fresh_CN)
        density_N = torch.zeros_like(self.density_N).index_add_(0, to_E, density_E)
        density_N[squares_N == 0] = 1
        self.density_N = (density_N / density_N.mean() + 1e-5).pow(0.9999)

    def _pixel(self, at_2E: Tensor) -> tuple[Tensor, Tensor]:
        x, y = at_2E.round()
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        return torch.where(inside, y.long() * self.width + x.long(), 0), inside


if __name__ == "__main__":
    main()
