"""Length, size and timing of a clip.

A clip has a constant rate where each frame is shown within a tenth of a frame (and the millisecond to which some
containers round) of its place on an even grid. Every other clip carries its time stamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

JITTER = 0.1
"""Share of a frame's duration by which a frame of a constant rate may be early or late."""
ROUNDING_SECONDS = 0.001
"""Precision of time stamps in containers such as Matroska and WebM."""
UNKNOWN_FPS = Fraction(25)
"""Rate of a clip that states none, such as a single frame; ffmpeg assumes the same."""


@dataclass(frozen=True)
class VideoInfo:
    """Facts about a clip that need no pixels.

    Args:
        frames: Number of frames that a player shows.
        height: Height in pixels, after the rotation that the file asks for.
        width: Width in pixels, after the same rotation.
        fps: Frames per second; the mean where the rate varies.
        sample_aspect_ratio: Width of a pixel divided by its height, as it is shown.
        timestamps: Seconds at which each frame appears, from 0 on; None where the rate is constant.
    """

    frames: int
    height: int
    width: int
    fps: float
    sample_aspect_ratio: Fraction = Fraction(1)
    timestamps: tuple[float, ...] | None = None


def timing(seconds: Sequence[float], stated: Sequence[Fraction | None]) -> tuple[float, tuple[float, ...] | None]:
    """Rate of a clip, and its time stamps where the rate varies.

    Args:
        seconds: Times at which the frames appear, one for each frame.
        stated: Rates that the file states, the most trusted first; None where it states none.

    Returns:
        `(fps, timestamps)`, as in `VideoInfo`.
    """
    rates = [rate for rate in stated if rate is not None and rate > 0]
    first = seconds[0]
    shown = [moment - first for moment in seconds]
    if len(shown) < 2 or shown[-1] <= 0:
        return float(rates[0] if rates else UNKNOWN_FPS), None
    mean = (len(shown) - 1) / shown[-1]
    rates += [Fraction(mean).limit_denominator(1001), Fraction(mean)]
    for rate in rates:
        if largest_shift(shown, float(rate)) <= JITTER / float(rate) + ROUNDING_SECONDS:
            return float(rate), None
    if any(later <= earlier for earlier, later in pairwise(shown)):
        # Frames out of order have no time stamps worth keeping.
        return float(min((rate for rate in stated if rate), key=lambda rate: abs(rate - mean), default=mean)), None
    return mean, tuple(shown)


def largest_shift(seconds: Sequence[float], fps: float) -> float:
    """Largest distance in seconds between a frame's time and its place on an even grid of `fps` frames a second."""
    return max(abs(moment - index / fps) for index, moment in enumerate(seconds))
