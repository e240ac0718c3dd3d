"""Is noise white, and does it move as a clip does? Numbers that the noise page shows.

Shape legend: T latent frames, C channels, h and w latent rows and columns, N points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from void.noise.motion import Motion, sample, track
from void.shapes import SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION

# Normal values lie within this many standard deviations 95 times in 100.
BAND = 1.96
# A correlation of fewer points says nothing.
MIN_POINTS = 8


@dataclass(frozen=True)
class Statistic:
    """One number of each latent frame, and what it is of a frame of white noise.

    Args:
        name: as readers see it.
        mean: over the latent frames.
        low: the smallest of them.
        high: the largest of them.
        expected: of white noise.
        band: 95 of 100 frames of white noise differ from that by at most this.
    """

    name: str
    mean: float
    low: float
    high: float
    expected: float
    band: float


def whiteness(noise_TChw: Tensor) -> list[Statistic]:
    """Mean, standard deviation and correlation of neighbours of each latent frame, all channels together."""
    count = noise_TChw[0].numel()
    centred_TChw = noise_TChw - noise_TChw.mean((1, 2, 3), keepdim=True)
    variance_T = centred_TChw.square().mean((1, 2, 3))
    beside_TChw = centred_TChw[..., 1:] * centred_TChw[..., :-1]
    below_TChw = centred_TChw[..., 1:, :] * centred_TChw[..., :-1, :]
    values = [
        ("mean", noise_TChw.mean((1, 2, 3)), 0.0, count),
        ("standard deviation", variance_T.sqrt(), 1.0, 2 * count),
        ("correlation with the pixel beside it", beside_TChw.mean((1, 2, 3)) / variance_T, 0.0, beside_TChw[0].numel()),
        ("correlation with the pixel below it", below_TChw.mean((1, 2, 3)) / variance_T, 0.0, below_TChw[0].numel()),
    ]
    return [
        Statistic(
            name, float(value_T.mean()), float(value_T.min()), float(value_T.max()), expected, BAND / math.sqrt(size)
        )
        for name, value_T, expected, size in values
    ]


def autocorrelation(noise_TChw: Tensor, lags: int) -> NDArray[np.float64]:
    """Spatial autocorrelation, mean over latent frames and channels: `(2L + 1, 2L + 1)`, zero lag in the centre.

    Args:
        noise_TChw: the noise; its borders are joined (circular).
        lags: L, at most; fewer where the noise is smaller than that.
    """
    _, _, height, width = noise_TChw.shape
    reach = min(lags, (height - 1) // 2, (width - 1) // 2)
    centred_TChw = noise_TChw.double() - noise_TChw.double().mean((2, 3), keepdim=True)
    power_hw = torch.fft.fft2(centred_TChw).abs().square().mean((0, 1))
    correlation_hw = torch.fft.ifft2(power_hw).real
    shifted_hw = torch.roll(correlation_hw / correlation_hw[0, 0], (reach, reach), (0, 1))
    return shifted_hw[: 2 * reach + 1, : 2 * reach + 1].numpy()


def correlations(noise_TChw: Tensor, motion: Motion) -> tuple[list[float | None], list[float | None]]:
    """Correlation of latent frame 0 with each latent frame: along the motion, and in place.

    The centres of the latent pixels of frame 0 are followed through the clip; those that leave it or are hidden drop
    out. Noise is read between latent pixels bilinearly, so where motion ends half-way between two of them, noise that
    moves perfectly has a correlation of 0.71, or of 0.5 between four.

    Args:
        noise_TChw: the noise.
        motion: of the clip, 4 (T - 1) + 1 frames of 8 h x 8 w pixels.
    """
    _, channels, height, width = noise_TChw.shape
    row_hw, column_hw = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    cell_2N = torch.stack([column_hw, row_hw]).float().reshape(2, -1)
    middle = (SPATIAL_COMPRESSION - 1) / 2
    at_T2N, seen_TN = track(motion, cell_2N * SPATIAL_COMPRESSION + middle)
    first_CN = noise_TChw[0].reshape(channels, -1)
    along: list[float | None] = []
    in_place: list[float | None] = []
    for latent, noise_Chw in enumerate(noise_TChw):
        frame = latent * TEMPORAL_COMPRESSION
        there_CN = sample(noise_Chw, ((at_T2N[frame] - middle) / SPATIAL_COMPRESSION)[:, None])[:, 0]
        seen_N = seen_TN[frame]
        along.append(_correlation(first_CN[:, seen_N], there_CN[:, seen_N]))
        in_place.append(_correlation(first_CN, noise_Chw.reshape(channels, -1)))
    return along, in_place


def _correlation(first_CN: Tensor, second_CN: Tensor) -> float | None:
    if first_CN.shape[1] < MIN_POINTS:
        return None
    return float(torch.corrcoef(torch.stack([first_CN.flatten(), second_CN.flatten()]))[0, 1])
