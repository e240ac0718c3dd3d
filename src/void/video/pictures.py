"""A decoded frame as the RGB picture that a player shows: matrix, range, alpha and rotation.

Shape legend: H height, W width, C = 3 colours (RGB).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

# ffmpeg reads what is untagged as BT.601, whatever its size, and so does the released model's loader.
_MATRICES = {
    0: Colorspace.ITU601,
    1: Colorspace.ITU709,
    2: Colorspace.ITU601,
    3: Colorspace.ITU601,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
_FIXED_POINT = 1 << 16


@dataclass(frozen=True)
class Turn:
    """A quarter turn or reflection: first transposed, then mirrored."""

    transposed: bool = False
    upside_down: bool = False
    mirrored: bool = False

    def __call__(self, picture_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture turned, uint8 RGB."""
        turned = picture_HWC.transpose(1, 0, 2) if self.transposed else picture_HWC
        return np.ascontiguousarray(turned[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1])


def turn_of(frame: av.VideoFrame) -> Turn | None:
    """The turn that a frame's display matrix asks for; None where it is no multiple of a quarter turn."""
    # Its stub declares a dictionary of another form.
    side_data: Any = frame.side_data
    matrix = side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return Turn()
    x_by_x, y_by_x, _, x_by_y, y_by_y = np.frombuffer(bytes(matrix), np.int32)[:5] / _FIXED_POINT
    if max(abs(x_by_y), abs(y_by_x)) < 0.01 * max(abs(x_by_x), abs(y_by_y)):
        return Turn(False, bool(y_by_y < 0), bool(x_by_x < 0))
    if max(abs(x_by_x), abs(y_by_y)) < 0.01 * max(abs(x_by_y), abs(y_by_x)):
        return Turn(True, bool(y_by_x < 0), bool(x_by_y < 0))
    return None


def to_rgb(frame: av.VideoFrame, height: int, width: int) -> NDArray[np.uint8]:
    """The stored picture in full-range RGB, uint8 `(height, width, 3)`, not turned.

    Args:
        frame: Decoded frame.
        height: Height of the result in pixels; frames of another size are scaled.
        width: Width of the result in pixels.
    """
    return _convert(frame, "rgb24", height, width)


def _convert(frame: av.VideoFrame, pixel_format: str, height: int, width: int) -> NDArray[np.uint8]:
    converted = frame.to_ndarray(
        format=pixel_format,
        height=height,
        width=width,
        interpolation="BICUBIC",
        src_colorspace=_MATRICES.get(frame.colorspace, Colorspace.ITU601),
        src_color_range=_stored_range(frame),
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    return np.asarray(converted, np.uint8)


def _stored_range(frame: av.VideoFrame) -> ColorRange:
    """Full where the frame says so or its pixel format implies it, else limited."""
    if frame.color_range != ColorRange.UNSPECIFIED:
        return ColorRange(frame.color_range)
    implied = frame.format.name.startswith(("yuvj", "gray", "pal8", "mono")) or frame.format.is_rgb
    return ColorRange.JPEG if implied else ColorRange.MPEG
