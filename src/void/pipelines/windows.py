"""Temporal windows: how a clip longer than the transformer's reach is denoised in overlapping parts.

Windows of `window` latents start every `window - overlap`; the last one ends with the clip and may be shorter. Each is
denoised as a clip of its own, its positions counted from 0. Where windows overlap, their results are averaged with
weights that ramp linearly. Lengths here are latent frames, but for `latent_window`, which takes pixel frames.

Source: the released temporal multidiffusion (window 85 and overlap 16 pixel frames, which are 22 and 4 latents).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from void.errors import InputError
from void.shapes import FRAME_STEP, TEMPORAL_COMPRESSION, check_frames, latent_frames

WINDOW_FRAMES = 85
OVERLAP_FRAMES = 16


class Window(NamedTuple):
    """Latents `begin` to `end - 1`."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        """Latent frames."""
        return self.end - self.begin


def latent_window(
    window_frames: int, overlap_frames: int, window_key: str = "window_frames", overlap_key: str = "overlap_frames"
) -> tuple[int, int]:
    """Window and overlap in latents.

    Args:
        window_frames: pixel frames of a window, a legal clip length (8k+5).
        overlap_frames: pixel frames that neighbours share: a multiple of 8, because an odd number of latents would
            leave the last window an odd length, and the transformer takes latents in pairs. 0: windows abut.
        window_key: name of the first, for messages.
        overlap_key: name of the second.

    Raises:
        InputError: the window is no legal length, or the overlap is negative, no multiple of 8, or not below
            the window.
    """
    check_frames(window_frames, window_key)
    window, overlap = latent_frames(window_frames), overlap_frames // TEMPORAL_COMPRESSION
    largest = (window - 2) * TEMPORAL_COMPRESSION
    if overlap_frames < 0 or overlap_frames % FRAME_STEP:
        below = max(0, overlap_frames // FRAME_STEP * FRAME_STEP)
        raise InputError(
            f"{overlap_key} = {overlap_frames} is not a multiple of {FRAME_STEP} frames: latents come in pairs of "
            f"{TEMPORAL_COMPRESSION} frames each",
            f"use {min(below, largest)} or {min(below + FRAME_STEP, largest)}; 16 is usual",
        )
    if overlap_frames > largest:
        raise InputError(
            f"{overlap_key} = {overlap_frames} leaves a window of {window_frames} frames ({window_key}) nothing new",
            f"use at most {largest}, or a longer window",
        )
    return window, overlap


def windows(length: int, window: int, overlap: int) -> list[Window]:
    """The windows of a clip of `length` latents; a single one where the clip is no longer than the window."""
    assert length >= 1 and 0 <= overlap < window
    found = [Window(0, min(window, length))]
    while found[-1].end < length:
        begin = found[-1].end - overlap
        found.append(Window(begin, min(begin + window, length)))
    return found


def ramp_weights(window: Window, length: int, overlap: int) -> list[float]:
    """Weight of each of a window's latents in the average, before it is divided by the sum over windows.

    1, except for k = 1..overlap: k / (overlap + 1), counted from an end that meets a neighbour. Where both ramps reach
    a latent (an overlap of more than half the window) the smaller counts.
    """
    rises = [1.0] * window.length
    for k in range(min(overlap, window.length)):
        weight = (k + 1) / (overlap + 1)
        if window.begin > 0:
            rises[k] = min(rises[k], weight)
        if window.end < length:
            rises[-1 - k] = min(rises[-1 - k], weight)
    return rises


def blend_weights(parts: Sequence[Window], length: int, overlap: int) -> list[list[float]]:
    """`ramp_weights` of every window, normalised: over the windows that hold a latent they sum to 1."""
    ramps = [ramp_weights(part, length, overlap) for part in parts]
    totals = [0.0] * length
    for part, ramp in zip(parts, ramps, strict=True):
        for offset, weight in enumerate(ramp):
            totals[part.begin + offset] += weight
    return [
        [weight / totals[part.begin + offset] for offset, weight in enumerate(ramp)]
        for part, ramp in zip(parts, ramps, strict=True)
    ]


def batches(parts: Sequence[Window], most: int) -> list[list[Window]]:
    """The windows in groups of equal length, at most `most` each, in order."""
    assert most >= 1
    groups: list[list[Window]] = []
    for part in parts:
        if groups and groups[-1][0].length == part.length and len(groups[-1]) < most:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups
