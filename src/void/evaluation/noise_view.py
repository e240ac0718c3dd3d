"""What the noise page shows of one clip: the noise beside the clip that drove it, and whether it is white and moves.

Shape legend: T frames or latent frames, H and W pixel rows and columns, C channels, h and w latent rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from void.data.randomness import generator
from void.evaluation.noise_statistics import Statistic, autocorrelation, correlations, whiteness
from void.evaluation.panels import Panel, panel
from void.noise.motion import Motion
from void.shapes import SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION

# Latent pixels are blocks of one colour, but change at random: finer coding would cost megabytes a clip.
NOISE_CRF = 26
SHOWN_CHANNELS = 3
SHOWN_DEVIATIONS = 3.0
LAGS = 8
# Correlations up to this are told apart in the picture; a single peak stays a single cell.
PICTURE_RANGE = 0.2


@dataclass(frozen=True)
class NoiseView:
    """One clip's noise, ready for the page.

    Args:
        label: of the predictions that started from it.
        panels: the driving clip, the noise, and noise that does not move.
        along: correlation of latent frame 0 with each latent frame, followed along the clip's motion; None where
            nothing is left to follow.
        in_place: the same at one place.
        statistics: mean, deviation and neighbours, beside those of white noise.
        picture: PNG of the spatial autocorrelation.
        off_peak: its largest magnitude away from zero lag.
    """

    label: str
    panels: list[Panel]
    along: list[float | None]
    in_place: list[float | None]
    statistics: list[Statistic]
    picture: bytes
    off_peak: float


def noise_view(
    label: str, clip_id: str, noise_TChw: Tensor, driving_THWC: NDArray[np.uint8], motion: Motion, fps: float, what: str
) -> NoiseView:
    """Everything the page shows of one clip's noise.

    Args:
        label: of the predictions that started from it.
        clip_id: of the pair.
        noise_TChw: of 4k+1 frames' latents.
        driving_THWC: the clip that the noise moves with.
        motion: of that clip.
        fps: of it.
        what: which clip it is, as readers see it.
    """
    plain_TChw = torch.randn(noise_TChw.shape, generator=generator("plain noise", clip_id))
    frames = len(driving_THWC)
    along, in_place = correlations(noise_TChw, motion)
    picture_hw = autocorrelation(noise_TChw, LAGS)
    return NoiseView(
        label=label,
        panels=[
            panel("driving", driving_THWC, fps, label="What the noise follows", hint=what),
            panel(
                "noise",
                noise_video(noise_TChw, frames),
                fps,
                label="Warped noise",
                hint=f"what {label} started from; three of the {noise_TChw.shape[1]} channels",
                crf=NOISE_CRF,
            ),
            panel(
                "plain",
                noise_video(plain_TChw, frames),
                fps,
                label="Plain noise",
                hint="new in each latent frame, as a first pass starts",
                crf=NOISE_CRF,
            ),
        ],
        along=along,
        in_place=in_place,
        statistics=whiteness(noise_TChw),
        picture=autocorrelation_png(picture_hw),
        off_peak=_off_peak(picture_hw),
    )


def noise_video(noise_TChw: Tensor, frames: int) -> NDArray[np.uint8]:
    """Three channels as colours, each latent pixel a block: uint8 `(frames, H, W, 3)`.

    Latent frame 0 is shown with frame 0, latent frame k with frames 4k - 3 to 4k. Grey is 0, black and white are three
    standard deviations away.
    """
    level_TChw = 127.5 * (1 + noise_TChw[:, :SHOWN_CHANNELS] / SHOWN_DEVIATIONS)
    small_Thw3 = level_TChw.clamp(0, 255).round().permute(0, 2, 3, 1).numpy().astype(np.uint8)
    latent_of = [-(-frame // TEMPORAL_COMPRESSION) for frame in range(frames)]
    enlarged: NDArray[np.uint8] = (
        small_Thw3[latent_of].repeat(SPATIAL_COMPRESSION, axis=1).repeat(SPATIAL_COMPRESSION, axis=2)
    )
    return enlarged


def autocorrelation_png(correlation_hw: NDArray[np.float64]) -> bytes:
    """The picture: blue below 0, white at 0, red above, full colour from 0.2; the peak itself is black."""
    share_hw = np.clip(correlation_hw / PICTURE_RANGE, -1, 1)[..., None]
    red, blue, white = np.array([196, 60, 52]), np.array([52, 96, 190]), np.array([250, 250, 250])
    rgb_hw3 = np.where(share_hw > 0, white + share_hw * (red - white), white - share_hw * (blue - white))
    rgb_hw3[correlation_hw.shape[0] // 2, correlation_hw.shape[1] // 2] = 20
    _, png = cv2.imencode(".png", rgb_hw3.round().astype(np.uint8)[..., ::-1])
    return png.tobytes()


def _off_peak(correlation_hw: NDArray[np.float64]) -> float:
    magnitude_hw = np.abs(correlation_hw)
    magnitude_hw[magnitude_hw.shape[0] // 2, magnitude_hw.shape[1] // 2] = 0
    return float(magnitude_hw.max())
