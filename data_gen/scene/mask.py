"""The quadmask of a pair, from three views of the scene: pure functions on arrays.

Views: A, all objects; B, the world without the removed objects; C, A's motion with the removed objects invisible.
Three rules: `quadmask` measures what changes; `kubric_quadmask` and `humoto_quadmask` are those of the two published
generators.
Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from data_gen.scene.config import ChangeConfig
from data_gen.scene.views import View
from void.quadmask import Quadmask

Mask = NDArray[np.bool_]

KUBRIC_CHANGE = 15
"""Grey levels by which C and B differ, at least, where the published Kubric generator calls a pixel affected."""
HUMOTO_CHANGE = 8
"""Likewise for the published generator of people, on a scale of 0 to 255 of linear light."""
HUMOTO_GAMMA = 2.2
HUMOTO_SIDE = 5
"""Pixels across the ellipse by which that generator widens the person's silhouette."""


def quadmask(
    full: View,
    without: View,
    hidden: View,
    removed: Sequence[int],
    moved_TN: NDArray[np.bool_],
    config: ChangeConfig,
    *,
    behind_THWC: NDArray[np.uint8] | None = None,
) -> tuple[Quadmask, float]:
    """Label the pixels of a pair.

    Primary: a removed object is what A shows there (parts behind other objects do not count). Affected: a remaining
    object whose pose differs between the worlds is there in B or in C; or B differs visibly from C; or, outside
    primary, from A, which adds the shadows and reflections of what is removed.

    Args:
        full, without, hidden: views A, B and C. C may be A's copy where no removed object is near.
        removed: indices of the removed objects.
        moved_TN: bool `(T, N)`: whether object n is elsewhere in B than in A, at each frame.
        config: thresholds, and the cells to coarsen to.
        behind_THWC: colours of B to compare with C, if not its own: rendered in C's windows, they have C's noise.

    Returns:
        The mask, and the largest noise of a frame in grey levels (see `noise_level`).
    """
    primary_THW = np.isin(full.objects_THW, removed)
    affected_THW = _shows_moved(without.objects_THW, moved_TN) | _shows_moved(hidden.objects_THW, moved_TN)
    motion, _ = changed(without.rgb_THWC if behind_THWC is None else behind_THWC, hidden.rgb_THWC, config)
    shadows, noise = changed(without.rgb_THWC, full.rgb_THWC, config)
    affected_THW |= motion | (shadows & ~primary_THW)
    least = max(1, round(config.min_speck * primary_THW[0].size))
    mask = Quadmask(primary_THW, drop_specks(affected_THW, least))
    return (coarsen(mask, config.grid) if config.grid else mask), noise


def kubric_quadmask(full: View, without: View, hidden: View, removed: Sequence[int]) -> Quadmask:
    """The rule of the published Kubric generator, with no measure of noise and no cleaning.

    Primary: as in `quadmask`. Affected: some channel of B differs from C by `KUBRIC_CHANGE` grey levels or more, so
    shadows of what is removed do not count.

    Args:
        full: View A, whole.
        without: View B, whole.
        hidden: View C, whole.
        removed: Indices of the removed objects.
    """
    return Quadmask(np.isin(full.objects_THW, removed), _difference(without.rgb_THWC, hidden.rgb_THWC) >= KUBRIC_CHANGE)


def humoto_quadmask(silhouette: View, without: View, hidden: View, removed: Sequence[int]) -> Quadmask:
    """The rule of the published generator of people, with no measure of noise and no cleaning.

    Primary: the removed person's silhouette, widened by an ellipse of 5 x 5 pixels. That generator takes the
    silhouette after the counterfactual simulation, so what hides parts of the person are the other objects where they
    are in B. Affected: some channel of C and B, in linear light, differs by `HUMOTO_CHANGE` or more:

        max over R, G, B of |(C / 255)^2.2 - (B / 255)^2.2| * 255 >= 8

    Args:
        silhouette: View of the removed objects as they move in A, among the others as they move in B.
        without: View B, whole.
        hidden: View C, whole.
        removed: Indices of the removed objects.
    """
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (HUMOTO_SIDE, HUMOTO_SIDE))
    shown_THW = np.isin(silhouette.objects_THW, removed).astype(np.uint8)
    primary_THW = np.stack([cv2.dilate(shown_HW, ellipse) for shown_HW in shown_THW]).astype(np.bool_)
    light = (np.arange(256) / 255) ** HUMOTO_GAMMA * 255
    change_THW = np.abs(light[hidden.rgb_THWC] - light[without.rgb_THWC]).max(axis=-1)
    return Quadmask(primary_THW, change_THW >= HUMOTO_CHANGE)


def coarsen(mask: Quadmask, cells: int) -> Quadmask:
    """Widen the affected region to whole cells of a grid, as a mask reasoner draws it.

    A cell counts if it holds a pixel that is affected and not primary; overlap alone does not make one count. Overlap
    stays overlap, and primary pixels in a cell that counts become overlap.

    Args:
        mask: exact to the pixel.
        cells: along the shorter side, at least 1.
    """
    _, height, width = mask.shape
    row_count, column_count = grid_shape(height, width, cells)
    seeds_THW = mask.affected_THW & ~mask.primary_THW
    affected_THW = mask.affected_THW & mask.primary_THW
    for rows in _cell_slices(height, row_count):
        for columns in _cell_slices(width, column_count):
            affected_THW[:, rows, columns] |= seeds_THW[:, rows, columns].any(axis=(1, 2), keepdims=True)
    return Quadmask(mask.primary_THW, affected_THW)


def grid_shape(height: int, width: int, cells: int) -> tuple[int, int]:
    """Rows and columns of a grid with `cells` cells along the shorter side and cells that are about square."""
    along = max(cells, round(cells * max(height, width) / min(height, width)))
    return (along, cells) if height > width else (cells, along)


def windows(primary_THW: Mask, margin: int) -> NDArray[np.int64]:
    """The box around the marked pixels of each frame: `(T, 4)`, x0, y0, x1, y1 in pixels, x1 and y1 outside.

    Args:
        primary_THW: marked pixels.
        margin: pixels by which a box is grown on all sides, as far as the picture goes.

    Returns:
        Zeros for frames without marked pixels.
    """
    _, height, width = primary_THW.shape
    boxes_T4 = np.zeros((len(primary_THW), 4), np.int64)
    for frame in np.flatnonzero(primary_THW.any(axis=(1, 2))):
        rows, columns = (np.flatnonzero(primary_THW[frame].any(axis=axis)) for axis in (1, 0))
        boxes_T4[frame, :2] = max(columns[0] - margin, 0), max(rows[0] - margin, 0)
        boxes_T4[frame, 2:] = min(columns[-1] + 1 + margin, width), min(rows[-1] + 1 + margin, height)
    return boxes_T4


def changed(first_THWC: NDArray[np.uint8], second_THWC: NDArray[np.uint8], config: ChangeConfig) -> tuple[Mask, float]:
    """Where two clips differ by more than noise, and the largest noise of a frame."""
    change_THW = _difference(first_THWC, second_THWC)
    noise_T = noise_level(change_THW)
    threshold_T = np.maximum(config.min_change, config.noise_factor * noise_T)
    return change_THW > threshold_T[:, None, None], float(noise_T.max())


def noise_level(change_THW: NDArray[np.int16]) -> NDArray[np.float64]:
    """Grey levels `(T,)` by which unchanged pixels differ: the median, as most pixels of a frame are unchanged."""
    return np.median(change_THW.reshape(len(change_THW), -1), axis=-1)


def drop_specks(mask_THW: Mask, least: int) -> Mask:
    """Drop 8-connected components of a frame with fewer than `least` pixels, and fill holes as small."""
    return ~_drop(~_drop(mask_THW, least), least)


def _drop(mask_THW: Mask, least: int) -> Mask:
    kept = np.zeros_like(mask_THW)
    for frame, mask_HW in enumerate(mask_THW):
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=8)
        large = stats[:, cv2.CC_STAT_AREA] >= least
        large[0] = False
        kept[frame] = large[labels]
    return kept


def _difference(first_THWC: NDArray[np.uint8], second_THWC: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Grey levels `(T, H, W)`, of the channel that differs most."""
    return np.abs(first_THWC.astype(np.int16) - second_THWC).max(axis=-1)


def _cell_slices(size: int, count: int) -> list[slice]:
    edges = [k * size // count for k in range(count + 1)]
    return [slice(*pair) for pair in itertools.pairwise(edges)]


def _shows_moved(objects_THW: NDArray[np.int64], moved_TN: NDArray[np.bool_]) -> Mask:
    moved = np.concatenate([moved_TN, np.zeros((len(moved_TN), 1), np.bool_)], axis=1)
    return moved[np.arange(len(moved))[:, None, None], objects_THW]
