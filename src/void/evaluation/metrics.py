"""PSNR and SSIM over a whole clip and inside each region of its quadmask.

    MSE  = mean over the region's pixels, in all frames, and over the three colours, of (prediction - truth)^2
    PSNR = 10 log10(255^2 / MSE)                                                                              [dB]
    SSIM = (2 mu_x mu_y + c1)(2 sigma_xy + c2) / ((mu_x^2 + mu_y^2 + c1)(sigma_x^2 + sigma_y^2 + c2))      [-1, 1]

SSIM (Wang et al. 2004): mu and sigma under an 11 x 11 Gaussian window of sigma 1.5, c1 = (0.01 * 255)^2,
c2 = (0.03 * 255)^2, frames mirrored at their borders; computed per colour on the whole frame, and its map is then
averaged over the colours and the region's pixels. A region's value therefore also sees what lies up to five pixels
outside of it.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import structural_similarity_index_measure

from void.evaluation.scores import WHOLE_FRAME, Score
from void.quadmask import Quadmask

PEAK = 255.0
WINDOW_SIGMA = 1.5
WINDOW_SIZE = 11
_FRAMES_AT_ONCE = 8


def psnr(mean_squared_error: float) -> float | None:
    """Decibels for 8-bit values; None for no error at all."""
    return 10.0 * math.log10(PEAK**2 / mean_squared_error) if mean_squared_error > 0 else None


def ssim_map(predicted_THWC: NDArray[np.uint8], truth_THWC: NDArray[np.uint8]) -> NDArray[np.float64]:
    """SSIM at every pixel, `(T, H, W)`, averaged over the colours. Sides must be longer than 5 pixels.

    Computed in float32, ten times as fast on a CPU as float64: a pixel may be off by 0.002 on flat ground, a mean by
    0.00005.
    """
    maps = []
    for start in range(0, len(truth_THWC), _FRAMES_AT_ONCE):
        window = slice(start, start + _FRAMES_AT_ONCE)
        predicted_TCHW, target_TCHW = (
            torch.from_numpy(frames_THWC[window].astype(np.float32)).permute(0, 3, 1, 2)
            for frames_THWC in (predicted_THWC, truth_THWC)
        )
        _, map_TCHW = structural_similarity_index_measure(
            predicted_TCHW,
            target_TCHW,
            sigma=WINDOW_SIGMA,
            kernel_size=WINDOW_SIZE,
            data_range=PEAK,
            reduction="none",
            return_full_image=True,
        )
        maps.append(map_TCHW.double().mean(dim=1).numpy())
    return np.concatenate(maps)


def score_clip(
    predicted_THWC: NDArray[np.uint8], truth_THWC: NDArray[np.uint8], quadmask: Quadmask
) -> dict[str, Score]:
    """Scores by column: `frame`, and each region that has at least one pixel in the clip.

    Args:
        predicted_THWC: uint8, 0-255.
        truth_THWC: uint8, 0-255, of the same shape.
        quadmask: of the same frames and size.
    """
    assert predicted_THWC.shape == truth_THWC.shape and truth_THWC.shape[:3] == quadmask.shape
    difference_THWC = predicted_THWC.astype(np.float64) - truth_THWC.astype(np.float64)
    squared_THW = np.square(difference_THWC).mean(axis=-1)
    similarity_THW = ssim_map(predicted_THWC, truth_THWC)
    regions = {WHOLE_FRAME: np.ones(quadmask.shape, np.bool_), **quadmask.regions()}
    return {
        name: Score(
            psnr=psnr(float(squared_THW[region].mean())),
            ssim=float(similarity_THW[region].mean()),
            pixels=int(region.sum()),
        )
        for name, region in regions.items()
        if region.any()
    }
