"""The quadmask: which pixels of a clip are removed, and which change because of it.

In memory a quadmask is two boolean volumes, `primary` (what is removed) and `affected` (what changes because of it).
On disk it is one grey value a pixel: 0 primary, 63 both ("overlap"), 127 affected, 255 keep. Operations that mix pixels
(resizing) work on the two layers, never on grey values: a blend of 0 and 255 would otherwise read as "affected".

Shape legend: T frames, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from void.errors import InputError

PRIMARY, OVERLAP, AFFECTED, KEEP = 0, 63, 127, 255
LEVELS = (PRIMARY, OVERLAP, AFFECTED, KEEP)
# Midpoints between neighbouring levels.
THRESHOLDS = (31.5, 95.0, 191.0)
# Half of a pixel's area, less what float32 sums may lose.
HALF = 0.5 - 1e-5
REGIONS = ("removed", "affected", "kept")
NEAR = 24
"""Largest distance of a grey value to a level that a lossy encoder or a limited range explains (235 is 20 from 255)."""
OUTLINE = 3
"""Pixels on either side of the outline between two levels within which a lossy encoder blends them."""

_DISTANCES = np.abs(np.arange(256)[:, None] - np.array(LEVELS)).min(axis=1)


@dataclass(frozen=True, eq=False)
class Quadmask:
    """Two boolean volumes of shape `(T, H, W)`."""

    primary_THW: NDArray[np.bool_]
    affected_THW: NDArray[np.bool_]

    def __post_init__(self) -> None:
        assert self.primary_THW.ndim == 3 and self.primary_THW.dtype == np.bool_
        assert self.affected_THW.shape == self.primary_THW.shape and self.affected_THW.dtype == np.bool_

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(T, H, W)`."""
        frames, height, width = self.primary_THW.shape
        return frames, height, width

    @property
    def marked_THW(self) -> NDArray[np.bool_]:  # noqa: N802
        """Where a pixel is primary, affected or both, `(T, H, W)`."""
        return self.primary_THW | self.affected_THW

    def pack(self) -> NDArray[np.uint8]:
        """Grey values `(T, H, W)`, uint8, only 0/63/127/255: the form on disk."""
        grey = np.full(self.shape, KEEP, np.uint8)
        grey[self.affected_THW] = AFFECTED
        grey[self.primary_THW] = PRIMARY
        grey[self.primary_THW & self.affected_THW] = OVERLAP
        return grey

    @classmethod
    def unpack(cls, grey_THW: NDArray[np.uint8], where: str = "mask") -> Quadmask:
        """The inverse of `pack`.

        Args:
            grey_THW: uint8 `(T, H, W)` holding only the four levels.
            where: file name for the message.

        Raises:
            InputError: another grey value occurs. `quantise` first where a lossy mask is acceptable.
        """
        # Frame by frame: bincount makes an int64 copy of what it counts.
        counts = sum((np.bincount(np.ravel(frame), minlength=256) for frame in grey_THW), np.zeros(256, np.int64))
        foreign = [value for value in np.flatnonzero(counts) if value not in LEVELS]
        if foreign:
            pixels = int(counts[foreign].sum())
            shown = ", ".join(str(value) for value in foreign[:6]) + (", ..." if len(foreign) > 6 else "")
            raise InputError(
                f"{where} holds grey values other than 0, 63, 127, 255: {shown} "
                f"({pixels} pixels, {pixels / grey_THW.size:.2%})",
                "write masks losslessly (void.video.write_mask), or first map them to the nearest level "
                "(void.quadmask.quantise)",
            )
        return cls((grey_THW == PRIMARY) | (grey_THW == OVERLAP), (grey_THW == AFFECTED) | (grey_THW == OVERLAP))

    def resize(self, height: int, width: int) -> Quadmask:
        """Resize each layer by itself: a pixel is set where at least half of its area was set."""
        return Quadmask(_resize_layer(self.primary_THW, height, width), _resize_layer(self.affected_THW, height, width))

    def __getitem__(self, index: slice | tuple[slice, ...]) -> Quadmask:
        """Crop in time, or in `(T, H, W)`, with slices."""
        return Quadmask(self.primary_THW[index], self.affected_THW[index])

    def regions(self) -> dict[str, NDArray[np.bool_]]:
        """Disjoint regions that cover every pixel: `removed` (overlap included), `affected` (not removed), `kept`."""
        return {
            "removed": self.primary_THW,
            "affected": self.affected_THW & ~self.primary_THW,
            "kept": ~(self.primary_THW | self.affected_THW),
        }


def quantise(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Map any grey values to the nearest of the four levels (midpoints 31.5, 95, 191; a tie goes to the darker)."""
    table = np.asarray(LEVELS, np.uint8)[np.digitize(np.arange(256), THRESHOLDS, right=True)]
    return table[grey]


def snap(grey_HW: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The levels that a frame of a lossy mask stands for.

    A value up to `NEAR` from a level is that level. A value farther off, within `OUTLINE` pixels of two levels, is a
    blend of them: it becomes the nearer of those that are there, so that no level is invented between two others.

    Args:
        grey_HW: Grey values of one frame.

    Returns:
        `(levels_HW, stray_HW)`: the frame in the four levels, and the pixels whose value nothing explains.
    """
    levels_HW = quantise(grey_HW)
    far_HW = _DISTANCES[grey_HW] > NEAR
    if not far_HW.any():
        return levels_HW, far_HW
    # Imported here because much that only names regions and levels needs no image library.
    import cv2

    around = np.ones((2 * OUTLINE + 1, 2 * OUTLINE + 1), np.uint8)
    far = grey_HW[far_HW].astype(np.int16)
    nearest, distance, found = levels_HW[far_HW], np.full(far.shape, 256, np.int16), np.zeros(far.shape, np.uint8)
    for level in LEVELS:
        is_there = cv2.dilate((~far_HW & (levels_HW == level)).astype(np.uint8), around)[far_HW]
        to_level = np.abs(far - level)
        nearer = (is_there > 0) & (to_level < distance)
        nearest[nearer], distance[nearer] = level, to_level[nearer]
        found += is_there
    levels_HW[far_HW] = nearest
    stray_HW = np.zeros_like(far_HW)
    stray_HW[far_HW] = found < 2
    return levels_HW, stray_HW


def distance_to_level(grey: NDArray[np.integer]) -> NDArray[np.int64]:
    """Distance of grey values to the nearest of the four levels."""
    return _DISTANCES[grey]


def _resize_layer(layer_THW: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    import cv2

    _, from_height, from_width = layer_THW.shape
    # First the sides that shrink (mean over each target pixel's area), then those that grow (interpolation).
    small = (min(width, from_width), min(height, from_height))
    resized = np.empty((len(layer_THW), height, width), np.bool_)
    for index, frame in enumerate(layer_THW):
        shrunk = cv2.resize(frame.astype(np.float32), small, interpolation=cv2.INTER_AREA)
        cover = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
        resized[index] = cover >= HALF
    return resized
