"""Output formats of clips, and what each of them can hold."""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from void.errors import InputError

DEFAULT_CRF = 16
"""x264's constant rate factor unless told otherwise: 0 is best, 51 worst."""


class VideoFormat(StrEnum):
    """How a clip is coded: H.264 for players, the others for editing."""

    h264 = "h264"
    """MP4 that browsers play: 8 bits, 4:2:0, lossy; even sides only."""
    ffv1 = "ffv1"
    """Matroska, lossless RGB of 8 or 16 bits, as the frames are."""
    prores = "prores"
    """QuickTime ProRes 422 HQ: 10 bits, nearly lossless; even width only."""
    png8 = "png8"
    """Folder of numbered PNG files of 8 bits a colour."""
    png16 = "png16"
    """Folder of numbered PNG files of 16 bits a colour."""

    @property
    def suffix(self) -> str:
        """Ending of the file's name; empty for a folder."""
        return {"h264": ".mp4", "ffv1": ".mkv", "prores": ".mov"}.get(self.value, "")

    @property
    def is_folder(self) -> bool:
        """Whether a clip is a folder of frames rather than a file."""
        return not self.suffix

    @property
    def takes_16_bits(self) -> bool:
        """Whether frames of 16 bits keep more than their upper 8."""
        return self in (VideoFormat.ffv1, VideoFormat.prores, VideoFormat.png16)


def as_rate(fps: float) -> Fraction:
    """The rate as a fraction with a denominator up to 1001, so that 29.97 becomes 30000/1001."""
    return Fraction(fps).limit_denominator(1001)


def check_writable(
    where: str | Path, shape_THW: tuple[int, int, int], fps: float, *, format: VideoFormat = VideoFormat.h264
) -> None:
    """Raise unless the format can hold a clip of this shape and rate.

    Args:
        where: File or folder to be written, for the message.
        shape_THW: Number of frames, height and width.
        fps: Frames per second.
        format: Output format; H.264 needs even sides, ProRes an even width.

    Raises:
        InputError: No frames, a side that the format does not take, or an impossible rate.
    """
    frames, height, width = shape_THW
    if frames < 1:
        raise InputError(f"{where}: a clip without frames can't be written", "check that the step before made pictures")
    divisors = {VideoFormat.h264: (2, 2), VideoFormat.prores: (1, 2)}.get(format, (1, 1))
    if not height or not width or height % divisors[0] or width % divisors[1]:
        fitting = [max(step, side - side % step) for side, step in zip((height, width), divisors, strict=True)]
        needs = {VideoFormat.h264: "H.264 needs even sides", VideoFormat.prores: "ProRes needs an even width"}
        raise InputError(
            f"{where}: the clip is {width}x{height} pixels (width x height); {needs.get(format, 'it has no pixels')}",
            f"crop or resize it to {fitting[1]}x{fitting[0]}",
        )
    if not math.isfinite(fps) or as_rate(fps) <= 0:
        raise InputError(f"{where}: {fps} is not a frame rate", "use a number of frames per second above 0, such as 12")
