"""The quadmask of a rigid pair, from three views of the scene: pure functions on arrays.

Views: A, all objects; B, the world without the removed objects; C, A's motion with the removed objects invisible.
Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_gen.config import MaskConfig
from void.quadmask import Quadmask

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class View:
    """A rendered clip."""

    rgb_THWC: NDArray[np.uint8]
    objects_THW: NDArray[np.int64]
    """Index of the visible object at each pixel, -1 for floor and sky; one sample a pixel, not blended at edges."""


def quadmask(
    full: View,
    without: View,
    hidden: View,
    removed: Sequence[int],
    moved_TN: NDArray[np.bool_],
    config: MaskConfig,
) -> tuple[Quadmask, float]:
    """Label the pixels of a pair.

    Primary: a removed object is what A shows there (parts behind other objects do not count). Affected: a remaining
    object whose pose differs between the worlds is there in B or in C; or B differs visibly from C; or, outside
    primary, from A, which adds the shadows and reflections of what is removed.

    Args:
        full, without, hidden: views A, B and C.
        removed: indices of the removed objects.
        moved_TN: bool `(T, N)`: whether object n is elsewhere in B than in A, at each frame.
        config: thresholds.

    Returns:
        The mask, and the largest noise of a frame in grey levels (see `noise_level`).
    """
    primary_THW = np.isin(full.objects_THW, removed)
    affected_THW = _shows_moved(without.objects_THW, moved_TN) | _shows_moved(hidden.objects_THW, moved_TN)
    motion, _ = changed(without.rgb_THWC, hidden.rgb_THWC, config)
    shadows, noise = changed(without.rgb_THWC, full.rgb_THWC, config)
    affected_THW |= motion | (shadows & ~primary_THW)
    least = max(1, round(config.min_speck * primary_THW[0].size))
    return Quadmask(primary_THW, drop_specks(affected_THW, least)), noise


def changed(first_THWC: NDArray[np.uint8], second_THWC: NDArray[np.uint8], config: MaskConfig) -> tuple[Mask, float]:
    """Where two clips differ by more than noise, and the largest noise of a frame."""
    change_THW = np.abs(first_THWC.astype(np.int16) - second_THWC).max(axis=-1)
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


def _shows_moved(objects_THW: NDArray[np.int64], moved_TN: NDArray[np.bool_]) -> Mask:
    moved = np.concatenate([moved_TN, np.zeros((len(moved_TN), 1), np.bool_)], axis=1)
    return moved[np.arange(len(moved))[:, None, None], objects_THW]
