"""Walking with planted feet: footsteps first, the hips follow between them. Metres, seconds; forwards is -Y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Points = NDArray[np.float64]

LIFT = 0.09
"""Metres by which a foot is lifted."""
EARLY = 0.12
"""Share of a step in which the foot only rises, and only sinks."""
SMOOTH = 0.12
"""Seconds over which the hips' way between the feet is smoothed."""
LEFT, RIGHT = 0, 1


def min_jerk(share: Points) -> Points:
    """A move from 0 to 1 with no speed or acceleration at its ends: 10s^3 - 15s^4 + 6s^5 (Flash and Hogan 1985)."""
    s = np.clip(share, 0.0, 1.0)
    return s**3 * (10 + s * (6 * s - 15))


def ramp(time_T: Points, start: float, end: float) -> Points:
    """0 before `start`, 1 after `end`, smooth between."""
    return min_jerk((time_T - start) / max(end - start, 1e-6))


@dataclass(frozen=True, eq=False)
class Walk:
    """Ways along a line, in metres from where it begins, at each of T frames."""

    feet_T2: Points
    """Left and right."""
    lift_T2: Points
    hips_T: Points
    end: float
    """Seconds at which both feet stand side by side again."""


def walk(time_T: Points, start: float, distance: float, *, step: float = 0.6, pace: float = 0.5) -> Walk:
    """Walk a distance; negative: backwards.

    Args:
        time_T: seconds of each frame, evenly spaced.
        start: second of the first step.
        distance: metres.
        step: longest step, metres.
        pace: seconds a step.
    """
    count = max(1, int(np.ceil(abs(distance) / step)))
    length = distance / count
    feet_T2, lift_T2 = np.zeros((2, len(time_T), 2))
    places = [0.0, 0.0]
    targets = [*((i % 2, (i + 1) * length) for i in range(count)), (count % 2, distance)]
    for i, (foot, target) in enumerate(targets):
        share_T = (time_T - start) / pace - i
        # Off the floor first, then forwards; on the floor only when the way is done.
        feet_T2[:, foot] += (target - places[foot]) * min_jerk((share_T - EARLY) / (1 - 2 * EARLY))
        reach = min(1.0, abs(target - places[foot]) / 0.3)
        lift_T2[:, foot] += LIFT * reach * np.sin(np.pi * share_T.clip(0, 1))
        places[foot] = target
    frame = time_T[1] - time_T[0]
    hips_T = gaussian_filter1d(feet_T2.mean(axis=1), SMOOTH / frame, mode="nearest")
    return Walk(feet_T2, lift_T2, hips_T, start + len(targets) * pace)
