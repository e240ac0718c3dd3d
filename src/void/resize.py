"""Changing the size of clips and quadmasks, one frame at a time, by the recipe's rules.

The corrected rules average over the exact area that a target pixel covers, and treat a mask's layers one by one. The
released ones (`bins`, `grey`) are what torch's `interpolate(mode="area")` computes, in exact integer sums.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from void.quadmask import LEVELS, Quadmask
from void.recipe import MaskResize, VideoResize

PixelT = TypeVar("PixelT", bound=np.unsignedinteger[Any])

# The released loader's upper bounds, both included, of blended grey values that count as 0, 63 and 127.
RELEASED_THRESHOLDS = (31.0, 95.0, 191.0)


def resize_frames(frames_THWC: NDArray[PixelT], height: int, width: int, rule: VideoResize) -> NDArray[PixelT]:
    """Resize a clip, rounding to the nearest value.

    `area`: sides that shrink are averaged over exact areas, then those that grow are interpolated (bicubic). `bins`:
    mean over all source pixels that a target pixel touches, each with full weight.

    Args:
        frames_THWC: RGB of 8 or 16 bits.
        height: of the result, in pixels; the aspect ratio follows it and `width`, not the clip.
        width: of the result, in pixels.
        rule: of the recipe (`recipe.video_resize`).

    Returns:
        `(T, height, width, 3)` in as many bits; the very array given where the size is right already.
    """
    frames, from_height, from_width, colours = frames_THWC.shape
    if (from_height, from_width) == (height, width):
        return frames_THWC
    resize = _resize_by_area if rule is VideoResize.area else _resize_by_bins
    resized_THWC = np.empty((frames, height, width, colours), frames_THWC.dtype)
    for index, frame_HWC in enumerate(frames_THWC):
        resized_THWC[index] = resize(frame_HWC, height, width)
    return resized_THWC


def resize_mask(quadmask: Quadmask, height: int, width: int, rule: MaskResize) -> Quadmask:
    """Resize a quadmask.

    `layers`: `Quadmask.resize`. `grey`: grey values are averaged over bins, then quantised as the released loader does
    (up to 31: primary, 95: overlap, 191: affected), so an edge between primary and keep grows a rim of both others.

    Args:
        quadmask: of any size.
        height: of the result, in pixels.
        width: of the result, in pixels.
        rule: of the recipe (`recipe.mask_resize`).
    """
    if rule is MaskResize.layers or quadmask.shape[1:] == (height, width):
        return quadmask.resize(height, width)
    levels = np.asarray(LEVELS, np.uint8)
    grey_THW = np.empty((quadmask.shape[0], height, width), np.uint8)
    for index in range(len(grey_THW)):
        blended_HW1 = bin_means(quadmask[index : index + 1].pack()[0, :, :, None], height, width)
        grey_THW[index] = levels[np.digitize(blended_HW1[..., 0], RELEASED_THRESHOLDS, right=True)]
    return Quadmask.unpack(grey_THW)


def bin_means(frame_HWC: NDArray[PixelT], height: int, width: int) -> NDArray[np.float64]:
    """Adaptive average pooling.

    Target row i is the mean of the source rows from floor(i H / height) up to, not including, ceil((i + 1) H / height),
    columns likewise.

    Args:
        frame_HWC: uint8 or uint16.
        height: rows of the result.
        width: columns of the result.

    Returns:
        float64 `(height, width, C)`, not rounded.
    """
    row_sums, row_counts = _bin_sums(frame_HWC, height)
    sums_WHC, column_counts = _bin_sums(row_sums.transpose(1, 0, 2), width)
    means: NDArray[np.float64] = sums_WHC.transpose(1, 0, 2) / np.multiply.outer(row_counts, column_counts)[..., None]
    return means


def _bin_sums(values: NDArray[np.integer], bins: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Sums over bins of the first axis, and how many values are in each bin."""
    size = len(values)
    first, end = np.arange(bins) * size // bins, -(-np.arange(1, bins + 1) * size // bins)
    sums = values[first].astype(np.uint32)
    for offset in range(1, max(end - first)):
        more = first + offset < end
        sums[more] += values[first[more] + offset]
    return sums, end - first


def _resize_by_bins(frame_HWC: NDArray[PixelT], height: int, width: int) -> NDArray[np.float64]:
    return bin_means(frame_HWC, height, width).round()


def _resize_by_area(frame_HWC: NDArray[PixelT], height: int, width: int) -> NDArray[Any]:
    from_height, from_width, _ = frame_HWC.shape
    small = (min(width, from_width), min(height, from_height))
    # A resize to the same size copies.
    shrunk = cv2.resize(frame_HWC, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC)
