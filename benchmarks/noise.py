"""Seconds of a step of the noise warp on two canvases, beside the published procedure in the same run; and of the flow.

    .venv/bin/python benchmarks/noise.py [--large] [--offsets] [--device cuda]

The baseline is `recipe.noise_warp=released`: every edge of the canvas is split and merged, copies of a pixel are found
by equal values, fresh noise is drawn for all of them.
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

from void.noise.config import NoiseConfig
from void.noise.flow import DisFlow
from void.noise.latents import warped_latents
from void.noise.motion import inside, sample
from void.noise.released_canvas import ReleasedCanvas
from void.noise.warp import NoiseCanvas, trace_edges
from void.shapes import SPATIAL_COMPRESSION

CHANNELS = 16
SMALL, LARGE = (384, 672), (1536, 2688)
REPEATS = 15
OFFSET_FRAMES, OFFSET_SIZE, OFFSET_CHANNELS = (0, 4, 16, 40, 80), (96, 128), 48


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also the canvas of a 384 x 672 clip, 1536 x 2688")
    parser.add_argument(
        "--offsets", action="store_true", help="only: what carrying motion below a pixel gives and costs"
    )
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    if arguments.offsets:
        Console().print(offsets_table())
        return
    table = Table(title=f"seconds a frame, {CHANNELS} channels, {arguments.device}, {torch.get_num_threads()} threads")
    for column in ("", "published", "ours", "ratio", "of it tracing edges", "copying the noise once"):
        table.add_column(column, justify="right")
    for height, width in (SMALL, LARGE) if arguments.large else (SMALL,):
        table.add_row(f"canvas {height} x {width}", *warp_row(height, width, torch.device(arguments.device)))
    Console().print(table)
    if torch.cuda.is_available():
        Console().print(f"peak GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")
    frame = np.random.default_rng(0).integers(0, 256, (24, 42, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    moved = np.roll(frame, 2, axis=1)
    Console().print(f"optical flow (DIS) of 192 x 336: {seconds(lambda: DisFlow()(frame, moved)):.3f} s a frame")


def warp_row(height: int, width: int, device: torch.device) -> tuple[str, ...]:
    """One line of the table."""
    flow_2HW = waves(height, width).to(device)
    published = ReleasedCanvas(height, width, range(CHANNELS), 0, device=device)
    ours = NoiseCanvas(height, width, range(CHANNELS), 0, device=device)
    baseline, step = (seconds(lambda warper=warper: warper.step(flow_2HW)) for warper in (published, ours))
    tracing = seconds(lambda: trace_edges(flow_2HW, ours.offset_2HW))
    copying = seconds(lambda: ours.noise_NC.clone())
    return (
        f"{baseline:.3f}",
        f"{step:.3f}",
        f"{baseline / step:.1f}x",
        f"{tracing:.3f}",
        f"{copying:.3f}",
    )


def offsets_table() -> Table:
    """Correlation of the latents of frame t with those of frame 0, followed along the motion."""
    table = Table("motion of one frame", "offsets", *(f"t = {frame}" for frame in OFFSET_FRAMES[1:]))
    height, width = OFFSET_SIZE
    y, x = torch.meshgrid(torch.arange(height / 2) - height / 4, torch.arange(width / 2) - width / 4, indexing="ij")
    flows = {
        "shift by 1/80 latent pixel": torch.stack([torch.full_like(x, 0.05), torch.zeros_like(x)]),
        "shift by 1/8 latent pixel": torch.stack([torch.full_like(x, 0.5), torch.full_like(x, 0.11)]),
        "rotation by 0.3 degrees": 0.0052 * torch.stack([-y, x]),
        "zoom by 0.3 %": 0.003 * torch.stack([x, y]),
        "waves": 0.3 * torch.stack([torch.sin(y / 7) * torch.cos(x / 9), torch.cos(x / 8)]),
    }
    for name, flow_2HW in flows.items():
        for carry in (True, False):
            found = along(flow_2HW, NoiseConfig(carry_offsets=carry))
            table.add_row(name, "carried" if carry else "forgotten", *(f"{value:.3f}" for value in found))
    return table


def along(flow_2HW: Tensor, config: NoiseConfig) -> list[float]:
    """That correlation at each of `OFFSET_FRAMES` but the first, under a flow of half the clip's size."""
    height, width = OFFSET_SIZE
    last = OFFSET_FRAMES[-1]
    noise_TChw = warped_latents(
        flow_2HW.expand(last, -1, -1, -1), OFFSET_FRAMES, height, width, config, seed=1, channels=OFFSET_CHANNELS
    )
    rows, columns = height // SPATIAL_COMPRESSION, width // SPATIAL_COMPRESSION
    y_hw, x_hw = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    at_2hw = torch.stack([x_hw, y_hw]).float()
    side = SPATIAL_COMPRESSION / 2
    found = []
    for frame in range(last + 1):
        if frame in OFFSET_FRAMES[1:]:
            seen_hw = inside(at_2hw, rows, columns)
            then_CN = sample(noise_TChw[OFFSET_FRAMES.index(frame)], at_2hw)[:, seen_hw]
            both = torch.stack([then_CN.flatten(), noise_TChw[0][:, seen_hw].flatten()])
            found.append(float(torch.corrcoef(both)[0, 1]))
        at_2hw = at_2hw + sample(flow_2HW, (at_2hw + 0.5) * side - 0.5) / side
    return found


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


if __name__ == "__main__":
    main()
