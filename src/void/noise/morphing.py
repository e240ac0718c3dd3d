"""Whether objects change their form as they move: the sign by which `stage=auto` decides on the second pass.

The clip's own motion is followed over a few frames, from a grid of points in the region that the model invented. What
keeps its form keeps its colours along its motion, and the points around each point move as one. Two drifts tell how
far that fails, for a track whose fastest step is v pixels:

    appearance   |c_1 - c_0 - l| / (1 + v)                         c: colours, smoothed, at the ends of the track; l: by
                                                                   how much the colours outside the region changed
    shape        sqrt(log^2 s_1 + log^2 s_2) / (0.1 + v)           s: singular values of the linear map that takes the
                                                                   grid around its beginning to that around its end

Real things turn, and flow errs, the more the faster they are: hence the divisors. Of each start frame the median over
its tracks is taken, of the clip the mean over start frames. The score is the larger drift, each in units of what
calibration found (docs/morphing.md): 1 and more is taken for morphing. Tracks end where forward and backward flow
disagree, so what is hidden counts for nothing. Where too few tracks last there is no score: `Obstacle` says why.

Shape legend: T frames, H height, W width, C colours, N points, h and w rows and columns of the grid of points.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from void.noise.flow import FlowEstimator, resize_flow
from void.noise.morphing_score import APPEARANCE_UNIT, SHAPE_UNIT, Morphing, Obstacle
from void.noise.motion import Motion, estimate_motion, sample, track
from void.quadmask import Quadmask
from void.recipe import VideoResize
from void.resize import resize_frames

# Clips are brought to this height, to which all lengths in pixels refer; flow is estimated at FLOW_SCALE times it.
HEIGHT, FLOW_SCALE = 96, 2
# Frames over which a track is followed, frames between starts, pixels between points.
HORIZON, STRIDE, SPACING = 8, 4, 2
SMOOTHING = 1.5
APPEARANCE_PACE, SHAPE_PACE = 1.0, 0.1
MIN_TRACKS = 20


def morphing(frames_THWC: NDArray[np.uint8], quadmask: Quadmask, estimate: FlowEstimator) -> Morphing:
    """How much the things in a clip morph where the model invented them.

    Args:
        frames_THWC: Clip of uint8 RGB frames, of any length.
        quadmask: Mask of the same shape: what was removed and what that affects.
        estimate: Optical-flow estimator applied to the clip.

    Raises:
        InputError: the flow is not finite.
    """
    assert frames_THWC.shape[:3] == quadmask.shape
    found = drifts(frames_THWC, quadmask.primary_THW | quadmask.affected_THW, estimate)
    if isinstance(found, Obstacle):
        return Morphing(None, obstacle=found)
    appearance, shape = found[0] / APPEARANCE_UNIT, found[1] / SHAPE_UNIT
    return Morphing(max(appearance, shape), appearance, shape)


def drifts(
    frames_THWC: NDArray[np.uint8], region_THW: NDArray[np.bool_], estimate: FlowEstimator
) -> tuple[float, float] | Obstacle:
    """Drift of appearance (grey levels a pixel) and of shape (a pixel) in a region `(T, H, W)`; see `morphing`."""
    count, height, width, _ = frames_THWC.shape
    if count < 2:
        return Obstacle.one_frame
    if not region_THW.any():
        return Obstacle.no_region
    size = (HEIGHT, max(1, round(width * HEIGHT / height)))
    motion = _motion(frames_THWC, size, estimate)
    small_THWC = resize_frames(frames_THWC, *size, VideoResize.area).astype(np.float32)
    colours_TCHW = torch.from_numpy(
        np.stack([cv2.GaussianBlur(frame, (0, 0), SMOOTHING) for frame in small_THWC])
    ).permute(0, 3, 1, 2)
    region_TCHW = F.interpolate(torch.from_numpy(region_THW).float()[:, None], size, mode="area")
    horizon = min(HORIZON, count - 1)
    found = []
    for first in range(0, count - horizon, STRIDE):
        steps = slice(first, first + horizon)
        ends = (first, first + horizon)
        part = Motion(motion.flow_T2HW[steps], motion.visible_THW[steps])
        found += _drifts_from(part, *(colours_TCHW[end] for end in ends), *(region_TCHW[end] for end in ends))
    if not found:
        points = region_TCHW[:, :, ::SPACING, ::SPACING].sum((1, 2, 3)).max()
        return Obstacle.no_tracks if points >= 2 * MIN_TRACKS else Obstacle.small_region
    return float(np.mean([one[0] for one in found])), float(np.mean([one[1] for one in found]))


def _drifts_from(
    motion: Motion, first_CHW: Tensor, last_CHW: Tensor, first_region: Tensor, last_region: Tensor
) -> list[tuple[float, float]]:
    """The two medians of one start frame; nothing where too few tracks last."""
    _, height, width = first_CHW.shape
    y_hw, x_hw = torch.meshgrid(torch.arange(0, height, SPACING), torch.arange(0, width, SPACING), indexing="ij")
    start_2hw = torch.stack([x_hw, y_hw]).float()
    at_T2N, seen_TN = track(motion, start_2hw.flatten(1))
    end_2hw, seen_hw = at_T2N[-1].view_as(start_2hw), seen_TN[-1].view_as(x_hw)
    in_region_hw = torch.maximum(sample(first_region, start_2hw), sample(last_region, end_2hw))[0] > 0.5
    strain_hw, whole_hw = _strain(start_2hw, end_2hw, seen_hw)
    counted_hw = in_region_hw & whole_hw
    if counted_hw.sum() < MIN_TRACKS:
        return []
    change_Chw = sample(last_CHW, end_2hw) - sample(first_CHW, start_2hw)
    outside_hw = seen_hw & ~in_region_hw
    if outside_hw.sum() >= MIN_TRACKS:
        change_Chw = change_Chw - change_Chw[:, outside_hw].median(dim=1).values[:, None, None]
    fastest_hw = (at_T2N[1:] - at_T2N[:-1]).norm(dim=1).amax(0).view_as(strain_hw)
    appearance_hw = change_Chw.abs().mean(0) / (APPEARANCE_PACE + fastest_hw)
    shape_hw = strain_hw / (SHAPE_PACE + fastest_hw)
    return [(float(appearance_hw[counted_hw].median()), float(shape_hw[counted_hw].median()))]


def _strain(start_2hw: Tensor, end_2hw: Tensor, seen_hw: Tensor) -> tuple[Tensor, Tensor]:
    """How far the 3 x 3 points around each point are deformed, rotation apart, and whether all of them were seen."""
    start_2khw, end_2khw = (_around(points_2hw) for points_2hw in (start_2hw, end_2hw))
    spread = start_2khw[:1].square().sum(1)
    linear_hw22 = torch.einsum("akhw,bkhw->hwab", end_2khw, start_2khw) / spread[0][..., None, None].clamp(min=1e-6)
    log_hw2 = torch.linalg.svdvals(linear_hw22).clamp(min=1e-3).log()
    whole_hw = -F.max_pool2d(-F.pad(seen_hw.float(), (1, 1, 1, 1))[None], 3, stride=1)[0] > 0.5
    return log_hw2.square().sum(-1).sqrt(), whole_hw


def _around(points_2hw: Tensor) -> Tensor:
    """The 3 x 3 points around each point, from their mean: `(2, 9, h, w)`."""
    _, rows, columns = points_2hw.shape
    padded_B2hw = F.pad(points_2hw[None], (1, 1, 1, 1), mode="replicate")
    around_2khw = F.unfold(padded_B2hw, 3).view(2, 9, rows, columns)
    return around_2khw - around_2khw.mean(1, keepdim=True)


def _motion(frames_THWC: NDArray[np.uint8], size: tuple[int, int], estimate: FlowEstimator) -> Motion:
    """The motion of a clip on a grid of `size`, estimated on a finer one."""
    height, width = size
    fine = estimate_motion(
        resize_frames(frames_THWC, FLOW_SCALE * height, FLOW_SCALE * width, VideoResize.area), estimate
    )
    flow_T2HW = torch.stack([resize_flow(flow_2HW, height, width) for flow_2HW in fine.flow_T2HW])
    return Motion(flow_T2HW, np.ascontiguousarray(fine.visible_THW[:, ::FLOW_SCALE, ::FLOW_SCALE]))
