"""The quadmask as colours over its clip, for people to look at.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from void.quadmask import Quadmask

Colour = tuple[int, int, int]

LEGEND: dict[str, Colour] = {"removed": (228, 87, 86), "overlap": (157, 92, 211), "affected": (240, 173, 62)}
"""Colours of the quadmask, RGB. What is kept shows the clip itself, in dim grey."""
KEPT_COLOUR: Colour = (92, 96, 102)
TINT = 0.82


def colour_quadmask(frames_THWC: NDArray[np.uint8], quadmask: Quadmask) -> NDArray[np.uint8]:
    """The clip in dim grey with the removed, overlap and affected pixels tinted in the legend's colours."""
    luminance_THW = frames_THWC.astype(np.float32).mean(axis=-1)
    canvas_THWC = np.repeat((24 + 0.5 * luminance_THW)[..., None], 3, axis=-1)
    overlap_THW = quadmask.primary_THW & quadmask.affected_THW
    layers = {
        "removed": quadmask.primary_THW & ~overlap_THW,
        "overlap": overlap_THW,
        "affected": quadmask.affected_THW & ~overlap_THW,
    }
    for name, layer_THW in layers.items():
        canvas_THWC[layer_THW] = (1 - TINT) * luminance_THW[layer_THW][:, None] + TINT * np.asarray(
            LEGEND[name], np.float32
        )
    return canvas_THWC.round().astype(np.uint8)
