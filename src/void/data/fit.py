"""Bringing a pair to the geometry at which the model sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from void.data.config import DataConfig
from void.layers import FLOWS
from void.pairs import Pair
from void.quadmask import Quadmask
from void.recipe import VideoResize
from void.resize import resize_frames
from void.shapes import check_length


def cover_size(height: int, width: int, to_height: int, to_width: int) -> tuple[int, int]:
    """The smallest size of the same aspect ratio (to the pixel) that covers `to_height` x `to_width`."""
    scale = max(to_height / height, to_width / width)
    return max(to_height, round(height * scale)), max(to_width, round(width * scale))


def _centre(size: int, wanted: int) -> slice:
    start = (size - wanted) // 2
    return slice(start, start + wanted)


def fit_frames(frames_THWC: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Scale to cover `height` x `width`, then crop the centre.

    Shrinking averages areas, enlarging is bicubic. Nothing is stretched: where the aspect ratio differs, the
    long side is cropped.

    Args:
        frames_THWC: uint8 RGB.
    """
    _, from_height, from_width, _ = frames_THWC.shape
    size = cover_size(from_height, from_width, height, width)
    return resize_frames(frames_THWC, *size, VideoResize.area)[:, _centre(size[0], height), _centre(size[1], width)]


def fit_mask(quadmask: Quadmask, height: int, width: int) -> Quadmask:
    """The same scale and crop as `fit_frames`, each layer of the mask by itself."""
    _, from_height, from_width = quadmask.shape
    size = cover_size(from_height, from_width, height, width)
    return quadmask.resize(*size)[:, _centre(size[0], height), _centre(size[1], width)]


def fit_flow(flow_T2HW: NDArray[np.floating], height: int, width: int) -> NDArray[np.float32]:
    """The flow of what `fit_frames` makes of the clip: the same scale and crop, in pixels of the new grid.

    Each pixel takes the motion of the old pixel at its centre. Averages would mix, along every outline, the motions
    of two objects into one that neither has.

    Args:
        flow_T2HW: (x, y) in pixels, as `void.pairs.read_flow` gives it.

    Returns:
        `(T-1, 2, height, width)`.
    """
    _, _, from_height, from_width = flow_T2HW.shape
    to_height, to_width = cover_size(from_height, from_width, height, width)
    rows = _at_centres(from_height, to_height)[_centre(to_height, height)]
    columns = _at_centres(from_width, to_width)[_centre(to_width, width)]
    scale_2 = np.array([to_width / from_width, to_height / from_height], np.float32)
    return flow_T2HW[:, :, rows[:, None], columns].astype(np.float32) * scale_2[:, None, None]


def _at_centres(size: int, to_size: int) -> NDArray[np.intp]:
    """The old pixel in which the centre of each new one lies."""
    return np.floor((np.arange(to_size) + 0.5) * size / to_size).astype(np.intp)


def fit_pair(pair: Pair, data: DataConfig, where: str) -> Pair:
    """The first `data.frames` frames of a pair at `data.height` x `data.width`: what every later
    stage sees. Of its layers only the flows come along.

    Args:
        where: the pair's id or folder, for the message.

    Raises:
        InputError: the pair is shorter than `data.frames`.
    """
    check_length(len(pair.rgb_full_THWC), data.frames, where)
    first, steps = slice(data.frames), slice(data.frames - 1)
    flows = {
        name: {"flow": fit_flow(pair.layers[name]["flow"][steps], data.height, data.width)}
        for name in FLOWS
        if name in pair.layers
    }
    return replace(
        pair,
        rgb_full_THWC=fit_frames(pair.rgb_full_THWC[first], data.height, data.width),
        rgb_removed_THWC=fit_frames(pair.rgb_removed_THWC[first], data.height, data.width),
        quadmask=fit_mask(pair.quadmask[first], data.height, data.width),
        layers=flows,
    )
