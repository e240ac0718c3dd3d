"""Flow-warped error: how much a clip flickers, beside a clip that moves as the truth does.

    E_warp = sqrt( mean over neighbouring frames, the region's visible pixels p, and colours, of
                   (x_{t+1}(p + F_t(p)) - x_t(p))^2 )                                           [grey levels, 0-255]

after Lai et al. (ECCV 2018). F and the visible pixels are those of the true clip (`void.noise.motion`), the same
for every row; regions are those of the earlier frame. The truth itself does not reach 0: light changes, values
between pixels are interpolated, and the flow is an estimate.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from void.noise.motion import Motion, warp_back


def warp_errors(
    frames_THWC: NDArray[np.uint8], motion: Motion, regions: Mapping[str, NDArray[np.bool_]]
) -> dict[str, float | None]:
    """E_warp of a clip in each region; None where no pixel of the region is visible in the next frame.

    Args:
        frames_THWC: uint8, 0-255.
        motion: of the truth, of the same frames and size.
        regions: `(T, H, W)` by name.
    """
    squares, pixels = dict.fromkeys(regions, 0.0), dict.fromkeys(regions, 0)
    for index, (flow_2HW, visible_HW) in enumerate(zip(motion.flow_T2HW, motion.visible_THW, strict=True)):
        earlier_CHW, later_CHW = (
            torch.from_numpy(frames_THWC[frame].astype(np.float32)).permute(2, 0, 1) for frame in (index, index + 1)
        )
        squared_HW = (warp_back(later_CHW, flow_2HW) - earlier_CHW).square().mean(0).numpy()
        for name, region_THW in regions.items():
            counted_HW = region_THW[index] & visible_HW
            squares[name] += float(squared_HW[counted_HW].sum(dtype=np.float64))
            pixels[name] += int(counted_HW.sum())
    return {name: math.sqrt(squares[name] / pixels[name]) if pixels[name] else None for name in regions}
