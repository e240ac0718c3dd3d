"""Noise as the released pass 2 makes it: at a geometry of its own, then resized to the model's.

The clip is cut down or stretched to 72 frames of 480 x 720 pixels, covered and cropped; its flow is taken at half that
size; noise is warped at 480 x 720 and so comes as 60 x 90 latents, in half precision. Latent frame i of T takes the
noise of frame 71 i / (T - 1), rounded down. A bilinear resize to the model's latents makes it smooth and periodic: at
48 x 84 its standard deviation is 0.66.

Shape legend: T frames or latent frames, H and W pixel rows and columns, C colours or latent channels, h and w latent
rows and columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from void.data.fit import fit_frames
from void.noise.config import NoiseConfig
from void.noise.flow import FlowEstimator, clip_flow
from void.noise.latents import warped_latents
from void.recipe import NoiseWarp


@dataclass(frozen=True)
class ReleasedGeometry:
    """Frames and pixels at which noise is warped, whatever the clip's own."""

    frames: int = 72
    height: int = 480
    width: int = 720


def released_latents(
    frames_THWC: NDArray[np.uint8],
    latents_shape: tuple[int, int, int, int],
    config: NoiseConfig,
    estimate: FlowEstimator,
    seed: int,
    *,
    warp: NoiseWarp = NoiseWarp.released,
    geometry: ReleasedGeometry | None = None,
    device: torch.device | str = "cpu",
    on_frame: Callable[[], None] | None = None,
) -> Tensor:
    """Noise for a clip's latents by the released geometry: `latents_shape`, float32, on the CPU, not of unit variance.

    Args:
        frames_THWC: the clip, uint8 RGB, of any size, at least one frame.
        latents_shape: `(T, C, h, w)` of the model's latents.
        config: flow, canvas and memory.
        estimate: of the clip's flow.
        seed: of the noise.
        warp: how a step tells the copies of a pixel.
        geometry: of the warp; None: the released one.
        device: where the canvas is warped. CPU and GPU draw different noise.
        on_frame: called after each step of each group of channels.

    Raises:
        InputError: the flow is not finite.
    """
    geometry = geometry or ReleasedGeometry()
    latent_frames, channels, height, width = latents_shape
    nearest = np.linspace(0, len(frames_THWC) - 1, geometry.frames).round().astype(int)
    seen_THWC = fit_frames(frames_THWC, geometry.height, geometry.width)[nearest]
    noise_TChw = warped_latents(
        clip_flow(seen_THWC, estimate, config.flow_downscale),
        [int(frame) for frame in np.linspace(0, geometry.frames - 1, latent_frames)],
        geometry.height,
        geometry.width,
        config,
        seed,
        warp=warp,
        channels=channels,
        device=device,
        on_frame=on_frame,
    )
    return F.interpolate(noise_TChw.half().float(), (height, width), mode="bilinear")
