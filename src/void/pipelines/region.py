"""`infer.region=auto`: the part of a clip that the model is shown, a window around what the quadmask marks.

The window has the model's shape and, where what is marked fits, the model's own size, so that its pixels are sampled as
they are. Its size is the same in every frame; its place follows the marked pixels (`void.pipelines.window_path`). The
rules:

- It holds in every frame all marked pixels, primary and affected, and a margin around them, as far as the picture goes.
- Where they are larger than that allows, the window grows to the smallest size that holds them in each frame, and is
  scaled down to the model's size.
- It never leaves the picture. Where it is larger than the picture in one direction, it covers the picture there, and
  bars repeat the picture's edges, as with `infer.aspect=letterbox`.
- Frames in which nothing is marked do not bind it.

Shape legend: T frames, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from void.pipelines.frame_fit import Box, FrameFit, Size
from void.pipelines.window_path import window_path
from void.quadmask import Quadmask

MARGIN_SHARE = 1 / 6
"""Margin around what is marked, as a share of its height and width: the model fills it in from what is around it."""
MIN_MARGIN = 16
"""Smallest margin, pixels of the clip."""


@dataclass(frozen=True)
class Marked:
    """The bounding box of the marked pixels in each frame.

    Args:
        first_T2: First row and column, `(T, 2)`.
        end_T2: Row and column after the last ones; not above `first_T2` in frames in which nothing is marked.
    """

    first_T2: NDArray[np.int64]
    end_T2: NDArray[np.int64]


def find_marked(masks: Iterable[Quadmask], source_size: Size) -> Marked:
    """Bounding boxes in pixels of the clip.

    Args:
        masks: Quadmasks of one frame each, of any one size.
        source_size: `(H, W)` of the clip; boxes of another mask are scaled to it, outward to whole pixels.
    """
    first, end = [], []
    for mask in masks:
        marked_HW = mask.primary_THW[0] | mask.affected_THW[0]
        box = [_extent(marked_HW.any(axis=1 - axis), source_size[axis]) for axis in (0, 1)]
        first.append([low for low, _ in box])
        end.append([high for _, high in box])
    return Marked(np.array(first, np.int64).reshape(-1, 2), np.array(end, np.int64).reshape(-1, 2))


def region_fits(
    marked: Marked, source_size: Size, model_size: Size, *, margin: int = 0, pixel_aspect: Fraction = Fraction(1)
) -> list[FrameFit] | None:
    """How each frame fits the model's size; None where nothing is marked, or the window would hold the whole picture.

    Args:
        marked: Marked pixels of the clip.
        source_size: `(H, W)` of the clip.
        model_size: `(H, W)` that the model sees.
        margin: Smallest margin around them, pixels.
        pixel_aspect: Width of a pixel of the clip, divided by its height.
    """
    seen_T: NDArray[np.bool_] = np.all(marked.end_T2 > marked.first_T2, axis=1)
    if not seen_T.any():
        return None
    first_T2, end_T2 = _with_margin(marked, source_size, max(margin, MIN_MARGIN))
    # In pixels of the clip, the model's frame is narrower by the width of these pixels.
    shape = (model_size[0], model_size[1] / float(pixel_aspect))
    needed = [(end_T2 - first_T2)[seen_T, axis].max() / shape[axis] for axis in (0, 1)]
    scale = max(1.0, *needed)
    window = (math.ceil(scale * shape[0] - 1e-9), math.ceil(scale * shape[1] - 1e-9))
    covered = (min(window[0], source_size[0]), min(window[1], source_size[1]))
    if covered == source_size:
        return None
    paths = [_path(first_T2[:, axis], end_T2[:, axis], seen_T, covered[axis], source_size[axis]) for axis in (0, 1)]
    model = _seen_box(covered, window, model_size)
    return [
        FrameFit(source_size, model_size, Box(int(top), int(left), *covered), model)
        for top, left in zip(*paths, strict=True)
    ]


def _extent(is_marked: NDArray[np.bool_], whole: int) -> tuple[int, int]:
    """First marked place and the one after the last, scaled to `whole` places; (0, 0) where nothing is marked."""
    places = np.flatnonzero(is_marked)
    if not len(places):
        return 0, 0
    scale = whole / len(is_marked)
    return int(np.floor(places[0] * scale)), min(whole, int(np.ceil((places[-1] + 1) * scale)))


def _with_margin(marked: Marked, source_size: Size, least: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sides_T2 = marked.end_T2 - marked.first_T2
    margin_T2 = np.maximum(np.ceil(sides_T2 * MARGIN_SHARE), least).astype(np.int64)
    return np.maximum(marked.first_T2 - margin_T2, 0), np.minimum(marked.end_T2 + margin_T2, np.array(source_size))


def _path(
    first_T: NDArray[np.int64], end_T: NDArray[np.int64], seen_T: NDArray[np.bool_], covered: int, whole: int
) -> NDArray[np.int64]:
    low_T = np.where(seen_T, np.maximum(end_T - covered, 0), 0)
    high_T = np.where(seen_T, np.minimum(first_T, whole - covered), whole - covered)
    return window_path(low_T, high_T)


def _seen_box(covered: Size, window: Size, model_size: Size) -> Box:
    """Where the model sees the covered part of the window: in the middle, bars beside it."""
    height, width = (
        min(side, max(1, round(part * side / whole)))
        for part, whole, side in zip(covered, window, model_size, strict=True)
    )
    return Box((model_size[0] - height) // 2, (model_size[1] - width) // 2, height, width)
