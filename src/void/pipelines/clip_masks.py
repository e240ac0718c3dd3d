"""The masks of a user's clip as quadmasks, frame by frame: kinds, ranges, several objects, one picture for all frames.

Shape legend: T frames, H height, W width.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from void.errors import InputError
from void.pipelines.clip_folders import ClipFolder, MaskKind
from void.quadmask import LEVELS, Quadmask, distance_to_level, snap
from void.video import iter_video, probe

log = logging.getLogger(__name__)

BINARY_WHITE = 240
"""Lowest grey value that is white in a binary mask: the released threshold."""
LIMITED_WHITE = 222
"""The same where white is 235, the white of limited range."""
STRAY_SHARE = 1e-5
"""Largest share of a mask's pixels whose grey value nothing explains."""


def iter_mask(files: ClipFolder, frames: int) -> Iterator[Quadmask]:
    """Quadmasks of one frame each, at the size of the first mask; of several masks, their union.

    Args:
        files: Clip folder; a mask of one frame counts for every frame.
        frames: Number of frames to read.

    Raises:
        InputError: A mask is broken, or a quadmask holds grey values far from its levels; the latter at its end.
    """
    if files.mask_kind is MaskKind.quadmask:
        yield from _repeated(_iter_quadmask(files.mask, frames), files.mask, frames)
        return
    info = probe(files.mask)
    layers = [_repeated(_iter_binary(mask, frames), mask, frames) for mask in files.masks]
    for parts in zip(*layers, strict=True):
        fitted = [part.resize(info.height, info.width) for part in parts]
        primary_THW = np.logical_or.reduce([part.primary_THW for part in fitted])
        yield Quadmask(primary_THW, np.zeros_like(primary_THW))


def white_from(mask: Path, frames: int | None = None) -> int:
    """Lowest grey value that is white in a binary mask: lower where nothing is brighter than limited range allows.

    Args:
        mask: Binary mask.
        frames: Number of frames to look at; None for all.
    """
    brightest = 0
    for frame_HWC in iter_video(mask, max_frames=frames):
        brightest = max(brightest, int(frame_HWC[..., 0].max()))
        if brightest >= BINARY_WHITE:
            return BINARY_WHITE
    return LIMITED_WHITE if brightest >= LIMITED_WHITE else BINARY_WHITE


def _repeated(masks: Iterator[Quadmask], file: Path, frames: int) -> Iterator[Quadmask]:
    """The masks, or the only one over and over."""
    first = next(masks)
    if frames > 1 and probe(file).frames == 1:
        _tell(logging.INFO, f"{file} is one picture: it counts for all {frames} frames")
        # Its reader goes on to its end, where it reports.
        yield from itertools.chain([first], masks, itertools.repeat(first, frames - 1))
    else:
        yield from itertools.chain([first], masks)


def _iter_binary(mask: Path, frames: int) -> Iterator[Quadmask]:
    white = white_from(mask, frames)
    if white != BINARY_WHITE:
        _tell(logging.INFO, f"{mask} has the white of limited range: {white} and above is removed")
    for frame_HWC in iter_video(mask, max_frames=frames):
        primary_THW = frame_HWC[None, ..., 0] >= white
        yield Quadmask(primary_THW, np.zeros_like(primary_THW))


def _iter_quadmask(mask: Path, frames: int) -> Iterator[Quadmask]:
    taken, strays = (np.zeros(256, np.int64) for _ in range(2))
    first_stray: int | None = None
    for index, frame_HWC in enumerate(iter_video(mask, max_frames=frames)):
        grey_HW = np.ascontiguousarray(frame_HWC[..., 0])
        taken += np.bincount(grey_HW.ravel(), minlength=256)
        levels_HW, stray_HW = snap(grey_HW)
        if stray_HW.any():
            first_stray = index if first_stray is None else first_stray
            strays += np.bincount(grey_HW[stray_HW], minlength=256)
        yield Quadmask.unpack(levels_HW[None])
    pixels = int(taken.sum())
    if first_stray is not None and strays.sum() > STRAY_SHARE * pixels:
        raise _far(mask, first_stray, strays, pixels)
    taken[list(LEVELS)] = 0
    if taken.any():
        values = np.flatnonzero(taken)
        farthest = distance_to_level(values).max()
        mean = (distance_to_level(values) * taken[values]).sum() / taken.sum()
        _tell(
            logging.WARNING,
            f"{mask}: {taken.sum()} pixels ({taken.sum() / pixels:.2%}) are not 0, 63, 127 or 255; they are read as "
            f"levels at most {farthest} away (mean {mean:.1f})",
        )


@lru_cache(maxsize=4096)
def _tell(level: int, message: str) -> None:
    """Once, however often a mask is read: a window is found in one reading and sampled in another."""
    log.log(level, "%s", message)


def _far(mask: Path, frame: int, strays: NDArray[np.int64], pixels: int) -> InputError:
    values = np.flatnonzero(strays)
    shown = ", ".join(str(value) for value in values[:6]) + (", ..." if len(values) > 6 else "")
    return InputError(
        f"{mask}, from frame {frame} on, holds grey values far from 0, 63, 127, 255: {shown} "
        f"({strays.sum()} pixels, {strays.sum() / pixels:.2%})",
        "write masks losslessly (void.video.write_mask), or first map them to the nearest level "
        "(void.quadmask.quantise)",
    )
