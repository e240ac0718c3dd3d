"""Where a window of constant size goes so that it always holds a moving box, and moves as little as it must.

In each frame the window's first row (or column) lies between two bounds, or it would cut the box or leave the picture.
The path through these bounds is the taut string: it stands where it can, and otherwise moves at the steadiest pace that
the bounds allow. Its corners are then rounded by a mean over neighbouring frames. So that the mean stays within the
bounds, the string is drawn within the tightest bounds of the frames that the mean covers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

SMOOTHING_FRAMES = 8
"""Frames before and after each frame over which the path is averaged, where the bounds leave room for it."""


def window_path(low_T: NDArray[np.int64], high_T: NDArray[np.int64]) -> NDArray[np.int64]:
    """First row (or column) of the window in each frame.

    Args:
        low_T: Smallest possible value in each frame.
        high_T: Largest possible value in each frame, nowhere below `low_T`.
    """
    assert (low_T <= high_T).all() and len(low_T)
    reach = min(SMOOTHING_FRAMES, len(low_T) - 1)
    while True:
        size = 2 * reach + 1
        tight_low_T = maximum_filter1d(low_T, size, mode="nearest")
        tight_high_T = minimum_filter1d(high_T, size, mode="nearest")
        if (tight_low_T <= tight_high_T).all():
            break
        reach //= 2
    string_T = taut_string(tight_low_T.astype(np.float64), tight_high_T.astype(np.float64))
    padded = np.pad(string_T, reach, mode="edge")
    smooth_T = np.convolve(padded, np.full(size, 1 / size), mode="valid")
    return np.rint(smooth_T).astype(np.int64).clip(low_T, high_T)


def taut_string(low_T: NDArray[np.float64], high_T: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shortest path between two bounds, with free ends.

    Args:
        low_T: Lower bound in each frame.
        high_T: Upper bound in each frame, nowhere below the lower one.
    """
    path_T = np.empty(len(low_T))
    frame, last = 0, len(low_T) - 1
    value, target = _free_end(low_T, high_T), _free_end(low_T[::-1], high_T[::-1])
    low_T, high_T = low_T.copy(), high_T.copy()
    low_T[last] = high_T[last] = target
    path_T[0] = value
    while frame < last:
        bend, bend_value = _next_bend(frame, value, low_T, high_T)
        path_T[frame : bend + 1] = np.linspace(value, bend_value, bend - frame + 1)
        frame, value = bend, bend_value
    return path_T


def _free_end(low_T: NDArray[np.float64], high_T: NDArray[np.float64]) -> float:
    """Where a string begins that is free to begin anywhere: at the height at which it can stay longest."""
    lows, highs = np.maximum.accumulate(low_T), np.minimum.accumulate(high_T)
    stuck = np.flatnonzero(lows > highs)
    if not len(stuck):
        return float((lows[-1] + highs[-1]) / 2)
    first = stuck[0]
    return float(highs[first - 1] if low_T[first] > highs[first - 1] else lows[first - 1])


def _next_bend(frame: int, value: float, low_T: NDArray[np.float64], high_T: NDArray[np.float64]) -> tuple[int, float]:
    """The next corner of the string: where the bounds that it sees ahead close."""
    steepest, flattest = np.inf, -np.inf
    upper = lower = frame
    for ahead in range(frame + 1, len(low_T)):
        up, down = (high_T[ahead] - value) / (ahead - frame), (low_T[ahead] - value) / (ahead - frame)
        if down > steepest:
            return upper, float(high_T[upper])
        if up < flattest:
            return lower, float(low_T[lower])
        if up <= steepest:
            steepest, upper = up, ahead
        if down >= flattest:
            flattest, lower = down, ahead
    return len(low_T) - 1, float(low_T[-1])
