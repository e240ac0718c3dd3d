"""The small videos of the report: clips, enlarged without blur.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from void.video import encode_mp4

MIN_HEIGHT = 360
CRF = 18


@dataclass(frozen=True)
class Panel:
    """One video of the report.

    Args:
        name: `input`, `quadmask`, `prediction`, `truth`, `noise`, or a baseline's name.
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
    crf: int = CRF,
) -> Panel:
    """Encode a clip for the page."""
    return Panel(name, label, hint, method, optional, encode_mp4(enlarge(frames_THWC), fps, crf=crf))


def enlarge(frames_THWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat pixels until the clip is at least 360 high: browsers then show it crisply, with all its colour."""
    factor = max(1, -(-MIN_HEIGHT // frames_THWC.shape[1]))
    return frames_THWC.repeat(factor, axis=1).repeat(factor, axis=2)
