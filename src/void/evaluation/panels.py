"""The small videos of the report: clips enlarged without blur, and the quadmask as colours over its clip.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from void.quadmask import Quadmask
from void.video import encode_mp4

Colour = tuple[int, int, int]

LEGEND: dict[str, Colour] = {"removed": (228, 87, 86), "overlap": (157, 92, 211), "affected": (240, 173, 62)}
"""Colours of the quadmask, RGB. What is kept shows the clip itself, in dim grey."""
KEPT_COLOUR: Colour = (92, 96, 102)
TINT = 0.82
MIN_HEIGHT = 360
CRF = 18


@dataclass(frozen=True)
class Panel:
    """One video of the report.

    Args:
        name: `input`, `quadmask`, `prediction`, `truth`, or a baseline's name.
        label: as readers see it.
        hint: one line under the label.
        method: whose scores stand below it; None for none.
        optional: hidden until the reader asks for the baselines.
        mp4: H.264.
    """

    name: str
    label: str
    hint: str
    method: str | None
    optional: bool
    mp4: bytes


def panel(
    name: str,
    frames_THWC: NDArray[np.uint8],
    fps: float,
    *,
    label: str,
    hint: str,
    method: str | None = None,
    optional: bool = False,
) -> Panel:
    """Encode a clip for the page."""
    return Panel(name, label, hint, method, optional, encode_mp4(enlarge(frames_THWC), fps, crf=CRF))


def enlarge(frames_THWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat pixels until the clip is at least 360 high: browsers then show it crisply, with all its colour."""
    factor = max(1, -(-MIN_HEIGHT // frames_THWC.shape[1]))
    return frames_THWC.repeat(factor, axis=1).repeat(factor, axis=2)


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
