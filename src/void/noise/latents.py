"""Warped noise at the size of latents: the canvas at the model's own geometry, read out block by block.

A clip of H x W pixels has latents of H/8 x W/8; its canvas has `canvas` times as many pixels along each side, so blocks
of canvas x canvas become one latent pixel each and noise is never resampled. Averaging k x k independent values and
multiplying by k keeps the variance at 1. Of the frames 0, 1, 2, ... the latents take 0, 4, 8, ...

Shape legend: T frames or latent frames, C channels, H and W flow rows and columns, h and w latent rows and columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from void.noise.config import NoiseConfig
from void.noise.flow import check_flow, resize_flow
from void.noise.released_canvas import ReleasedCanvas
from void.noise.warp import NoiseCanvas
from void.recipe import NoiseWarp
from void.shapes import LATENT_CHANNELS, SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION, check_size, latent_frames

# Bytes a canvas pixel takes besides its channels: edges, flow, density and offsets of a step.
STEP_BYTES = 160
# A canvas holds each value twice: before a step and after it.
VALUE_BYTES = 8


def warped_latents(
    flow_T2HW: Tensor,
    read_at: Sequence[int],
    height: int,
    width: int,
    config: NoiseConfig,
    seed: int,
    *,
    warp: NoiseWarp = NoiseWarp.indexed,
    channels: int = LATENT_CHANNELS,
    device: torch.device | str = "cpu",
    on_frame: Callable[[], None] | None = None,
) -> Tensor:
    """Noise for a clip's latents that moves as the clip does: `(T_lat, C, h, w)`, float32, white, of unit variance.

    Args:
        flow_T2HW: `(frames - 1, 2, H, W)`, forward, in pixels of its own grid, which covers the clip.
        read_at: the frame at which each latent frame takes its noise: `latent_frames_at`, or, where padding repeats
            frames, those that it repeats; any order, any number.
        height: of the clip, a multiple of 16.
        width: of the clip, a multiple of 16.
        config: canvas, memory and offsets.
        seed: of the noise; the result does not depend on `config.memory_gib` (which the released warp does not heed).
        warp: how a step treats pixels that are split.
        channels: of the latents.
        device: where the canvas is warped. CPU and GPU draw different noise.
        on_frame: called after each step of each group of channels.

    Raises:
        InputError: an illegal size, or a flow that is not finite or ends before a frame of `read_at`.
    """
    check_size(height, width, "clip size")
    frames = max(read_at) + 1
    check_flow(flow_T2HW[: frames - 1], frames, "flow")
    h, w = height // SPATIAL_COMPRESSION, width // SPATIAL_COMPRESSION
    places: dict[int, list[int]] = {}
    for place, frame in enumerate(read_at):
        places.setdefault(frame, []).append(place)
    rows, columns = h * config.canvas, w * config.canvas
    # The released warp tells copies by the values of one channel, so all channels must be beside it.
    is_released = warp is NoiseWarp.released
    at_once = channels if is_released else channels_at_once(rows * columns, channels, config.memory_gib)
    groups = [range(start, min(start + at_once, channels)) for start in range(0, channels, at_once)]
    noise_TChw = torch.empty(len(read_at), channels, h, w)
    for group in groups:
        canvas = _canvas(warp, rows, columns, group, seed, device, carry_offsets=config.carry_offsets)
        for frame in range(frames):
            if frame > 0:
                canvas.step(resize_flow(flow_T2HW[frame - 1].to(device), rows, columns))
                if on_frame is not None:
                    on_frame()
            if frame in places:
                pooled_Chw = F.avg_pool2d(canvas.read(), config.canvas) * config.canvas
                noise_TChw[places[frame], group.start : group.stop] = pooled_Chw.cpu()
    return noise_TChw


def latent_frames_at(frames: int) -> list[int]:
    """The frames at which a clip's latents take their noise: 0, 4, 8, ... of a clip of 4k+1 frames."""
    return [TEMPORAL_COMPRESSION * latent for latent in range(latent_frames(frames))]


def channels_at_once(canvas_pixels: int, channels: int, memory_gib: float) -> int:
    """How many channels of a canvas fit into memory together; at least one."""
    budget = memory_gib * 2**30 - STEP_BYTES * canvas_pixels
    return max(1, min(channels, int(budget // (VALUE_BYTES * canvas_pixels))))


def _canvas(
    warp: NoiseWarp,
    rows: int,
    columns: int,
    channels: range,
    seed: int,
    device: torch.device | str,
    *,
    carry_offsets: bool,
) -> NoiseCanvas | ReleasedCanvas:
    if warp is NoiseWarp.released:
        return ReleasedCanvas(rows, columns, channels, seed, device=device)
    return NoiseCanvas(rows, columns, channels, seed, device=device, carry_offsets=carry_offsets)
