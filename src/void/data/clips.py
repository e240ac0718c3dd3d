"""From a pair on disk to the geometry of a run: the one function that the cache, inference and evaluation share.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from void.data.config import DataConfig
from void.errors import InputError
from void.pairs import Pair
from void.quadmask import Quadmask


@dataclass(frozen=True)
class _Cover:
    """Resize to the smallest size that covers the target, keeping the aspect ratio, then crop the centre."""

    resized_height: int
    resized_width: int
    rows: slice
    columns: slice

    @classmethod
    def of(cls, height: int, width: int, target_height: int, target_width: int) -> _Cover:
        scale = max(target_height / height, target_width / width)
        resized_height = max(target_height, round(height * scale))
        resized_width = max(target_width, round(width * scale))
        top = (resized_height - target_height) // 2
        left = (resized_width - target_width) // 2
        return cls(resized_height, resized_width, slice(top, top + target_height), slice(left, left + target_width))

    def rgb(self, frames_THWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size = (self.resized_width, self.resized_height)
        if frames_THWC.shape[1:3] != (self.resized_height, self.resized_width):
            shrinking = self.resized_height <= frames_THWC.shape[1] and self.resized_width <= frames_THWC.shape[2]
            method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
            frames_THWC = np.stack([cv2.resize(frame, size, interpolation=method) for frame in frames_THWC])
        return np.ascontiguousarray(frames_THWC[:, self.rows, self.columns])

    def mask(self, quadmask: Quadmask) -> Quadmask:
        return quadmask.resize(self.resized_height, self.resized_width)[:, self.rows, self.columns]


def fit_pair(pair: Pair, data: DataConfig, where: str) -> Pair:
    """Cut a pair to its first `data.frames` frames and to `data.height` x `data.width` pixels.

    The clips are scaled to cover the target size (aspect kept, each colour an average over the area it came from) and
    cropped about the centre; each layer of the quadmask is resized by itself.

    Args:
        pair: clips of any size, all of one length.
        data: the geometry of the run.
        where: the pair's id or folder, for the message.

    Raises:
        InputError: the pair is shorter than `data.frames`.
    """
    frames, height, width = pair.quadmask.shape
    if frames < data.frames:
        raise InputError(
            f"pair {where} has {frames} frames, fewer than data.frames = {data.frames}",
            "lower data.frames (legal lengths are 8k+5), or leave the pair out of the manifest",
        )
    cover = _Cover.of(height, width, data.height, data.width)
    return replace(
        pair,
        rgb_full_THWC=cover.rgb(pair.rgb_full_THWC[: data.frames]),
        rgb_removed_THWC=cover.rgb(pair.rgb_removed_THWC[: data.frames]),
        quadmask=cover.mask(pair.quadmask[: data.frames]),
    )
