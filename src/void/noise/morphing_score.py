"""Score of a clip's morphing (`void.noise.morphing`), and the reasons for which there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# What calibration on simulated pairs found: benchmarks/morphing.py.
APPEARANCE_UNIT, SHAPE_UNIT = 0.61, 0.152


class Obstacle(StrEnum):
    """Reasons why there is nothing to measure."""

    one_frame = "one_frame"
    """Nothing moves in a single frame."""
    no_region = "no_region"
    """The quadmask has neither a primary nor an affected pixel."""
    small_region = "small_region"
    """The region is too small to hold enough points."""
    no_tracks = "no_tracks"
    """No point can be followed: nothing in the region keeps its looks, or the flow fails there."""


@dataclass(frozen=True)
class Morphing:
    """How much a clip morphs.

    Args:
        score: The larger of the two drifts, in units of calibration, 0 for no drift; None where it cannot be measured.
        appearance: Drift of the colours in the same units; None likewise.
        shape: Drift of the shape in the same units; None likewise.
        obstacle: Reason why it cannot be measured; None where it is.
    """

    score: float | None
    appearance: float | None = None
    shape: float | None = None
    obstacle: Obstacle | None = None
