"""The motion of a clip: where each pixel goes, and whether it can be seen there.

F is the forward flow from frame t to t + 1, B the backward flow from t + 1 to t. A pixel p of frame t is visible in the
next frame where q = p + F(p) is inside that frame and the two flows agree (Ruder et al., GCPR 2016):

    |F(p) + B(q)|^2 <= 0.01 (|F(p)|^2 + |B(q)|^2) + 0.5

Values between pixels are bilinear. Shape legend: T frames, H height, W width, C channels, N points; positions are
(x, y), in pixels, 0 at the centre of the first one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from void.noise.flow import FlowEstimator, clip_flow

RELATIVE_TOLERANCE = 0.01
ABSOLUTE_TOLERANCE = 0.5
# Rounding of float32 positions must not push a pixel at the border out of the frame.
BORDER = 1e-3


@dataclass(frozen=True)
class Motion:
    """Flow between neighbouring frames, on the grid of the earlier one.

    Args:
        flow_T2HW: forward, `(T - 1, 2, H, W)`, float32, (x, y) in pixels.
        visible_THW: whether each pixel of the earlier frame is visible in the later one, `(T - 1, H, W)`.
    """

    flow_T2HW: Tensor
    visible_THW: NDArray[np.bool_]


def estimate_motion(frames_THWC: NDArray[np.uint8], estimate: FlowEstimator) -> Motion:
    """The motion of a clip at its own size.

    Raises:
        InputError: the flow is not finite.
    """
    forward_T2HW = clip_flow(frames_THWC, estimate)
    backward_T2HW = clip_flow(frames_THWC[::-1], estimate).flip(0)
    _, height, width, _ = frames_THWC.shape
    visible_THW = np.empty((len(forward_T2HW), height, width), np.bool_)
    for index, (forward_2HW, backward_2HW) in enumerate(zip(forward_T2HW, backward_T2HW, strict=True)):
        visible_THW[index] = visible(forward_2HW, backward_2HW)
    return Motion(forward_T2HW, visible_THW)


def visible(forward_2HW: Tensor, backward_2HW: Tensor) -> NDArray[np.bool_]:
    """Where a pixel of the first frame is inside the second one and not hidden there, `(H, W)`."""
    back_2HW = warp_back(backward_2HW, forward_2HW)
    apart_HW = (forward_2HW + back_2HW).square().sum(0)
    length_HW = forward_2HW.square().sum(0) + back_2HW.square().sum(0)
    consistent_HW = apart_HW <= RELATIVE_TOLERANCE * length_HW + ABSOLUTE_TOLERANCE
    _, height, width = forward_2HW.shape
    return (consistent_HW & inside(_grid(height, width) + forward_2HW, height, width)).numpy()


def warp_back(later_CHW: Tensor, forward_2HW: Tensor) -> Tensor:
    """The later frame's values at p + F(p) for each pixel p of the earlier frame; borders are repeated outward."""
    _, height, width = later_CHW.shape
    return sample(later_CHW, _grid(height, width) + forward_2HW)


def sample(values_CHW: Tensor, at_2HW: Tensor) -> Tensor:
    """Bilinear values at positions `(2, H', W')`: `(C, H', W')`; borders are repeated outward."""
    _, height, width = values_CHW.shape
    scale = torch.tensor([2 / max(1, width - 1), 2 / max(1, height - 1)])
    at_BHW2 = (at_2HW.permute(1, 2, 0) * scale - 1)[None]
    return F.grid_sample(values_CHW[None], at_BHW2, padding_mode="border", align_corners=True)[0]


def inside(at_2HW: Tensor, height: int, width: int) -> Tensor:
    """Whether positions `(2, ...)` are on a frame of this size."""
    x, y = at_2HW
    return (x >= -BORDER) & (x <= width - 1 + BORDER) & (y >= -BORDER) & (y <= height - 1 + BORDER)


def track(motion: Motion, start_2N: Tensor) -> tuple[Tensor, Tensor]:
    """Follow points through the clip.

    Args:
        motion: of the clip.
        start_2N: positions in the first frame.

    Returns:
        `(at_T2N, seen_TN)`: the position in each of the T frames, and whether the point was visible up to there.
    """
    _, _, height, width = motion.flow_T2HW.shape
    at_2N, seen_N = start_2N, inside(start_2N, height, width)
    positions, seen = [at_2N], [seen_N]
    for flow_2HW, visible_HW in zip(motion.flow_T2HW, motion.visible_THW, strict=True):
        column_N = at_2N[0].round().long().clamp(0, width - 1)
        row_N = at_2N[1].round().long().clamp(0, height - 1)
        seen_N = seen_N & torch.from_numpy(visible_HW)[row_N, column_N]
        at_2N = at_2N + sample(flow_2HW, at_2N[:, None])[:, 0]
        seen_N = seen_N & inside(at_2N, height, width)
        positions.append(at_2N)
        seen.append(seen_N)
    return torch.stack(positions), torch.stack(seen)


def _grid(height: int, width: int) -> Tensor:
    y_HW, x_HW = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x_HW, y_HW]).float()
