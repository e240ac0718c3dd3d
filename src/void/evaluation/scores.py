"""Scores of clips, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from void.quadmask import REGIONS

WHOLE_FRAME = "frame"
COLUMNS = (WHOLE_FRAME, *REGIONS)


@dataclass(frozen=True)
class Score:
    """One clip, one region.

    Args:
        psnr: decibels; None where the prediction equals the truth (the formula has no value there).
        ssim: mean of the map over the region, at most 1.
        pixels: size of the region, summed over the frames.
        warp_error: E_warp in grey levels; None where no pixel of the region is visible in the next frame.
    """

    psnr: float | None
    ssim: float
    pixels: int
    warp_error: float | None = None

    @property
    def exact(self) -> bool:
        """The prediction equals the truth in every pixel of the region."""
        return self.psnr is None


@dataclass(frozen=True)
class MeanScore:
    """The mean over clips of one region.

    Args:
        psnr: mean over the clips that are not exact; None when all of them are.
        ssim: mean over all clips that have the region.
        clips: how many clips have the region.
        exact: how many of those equal the truth in it.
        warp_error: mean over the clips that have a value; None when none has.
    """

    psnr: float | None
    ssim: float
    clips: int
    exact: int
    warp_error: float | None = None


def mean_scores(clips: Sequence[dict[str, Score]]) -> dict[str, MeanScore]:
    """Mean of each column over the clips that have it; a column that no clip has is absent."""
    means = {}
    for column in COLUMNS:
        scores = [clip[column] for clip in clips if column in clip]
        if not scores:
            continue
        decibels = [score.psnr for score in scores if score.psnr is not None]
        warp_errors = [score.warp_error for score in scores if score.warp_error is not None]
        means[column] = MeanScore(
            psnr=fmean(decibels) if decibels else None,
            ssim=fmean(score.ssim for score in scores),
            clips=len(scores),
            exact=len(scores) - len(decibels),
            warp_error=fmean(warp_errors) if warp_errors else None,
        )
    return means
