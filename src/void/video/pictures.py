"""A decoded frame as the RGB picture that a player shows: matrix, range, dynamic range, alpha and rotation.

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

from void.video.tone_mapping import Primaries, Transfer, peak_luminance, to_bt709

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


@dataclass(frozen=True)
class Coding:
    """How the code values of a clip stand for colors.

    Args:
        transfer: Transfer function.
        primaries: Primaries.
        peak: Peak luminance of the clip in cd/m2; without meaning for SDR.
    """

    transfer: Transfer
    primaries: Primaries
    peak: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether the clip is in BT.709 already, or in what differs from it by less than an eye sees."""
        return self.transfer is Transfer.sdr and self.primaries is Primaries.bt709

    @property
    def is_hdr(self) -> bool:
        """Whether the clip is brighter than SDR can be."""
        return self.transfer is not Transfer.sdr


def coding_of(frame: av.VideoFrame) -> Coding:
    """The coding that a frame's tags state; what is untagged counts as BT.709, in HDR as BT.2020."""
    transfer = {16: Transfer.pq, 18: Transfer.hlg}.get(frame.color_trc, Transfer.sdr)
    untagged = Primaries.bt709 if transfer is Transfer.sdr else Primaries.bt2020
    stated = {1: Primaries.bt709, 9: Primaries.bt2020, 12: Primaries.p3}
    return Coding(transfer, stated.get(frame.color_primaries, untagged))


def has_known_matrix(frame: av.VideoFrame) -> bool:
    """Whether the frame is in RGB, grey or a form of YUV that can be converted."""
    return frame.format.is_rgb or frame.colorspace in _MATRICES


def peak_of(frame: av.VideoFrame, transfer: Transfer) -> float:
    """Peak luminance of an HDR frame in cd/m2, measured on a smaller picture."""
    scale = max(1, max(frame.height, frame.width) // 320)
    small_HW = _convert(frame, "gray16le", frame.height // scale, frame.width // scale, "AREA")
    return peak_luminance(small_HW.astype(np.uint16, copy=False), transfer)


def to_rgb(frame: av.VideoFrame, coding: Coding, height: int, width: int) -> NDArray[np.uint8]:
    """The stored picture in BT.709 RGB of full range, uint8 `(height, width, 3)`, not turned.

    Args:
        frame: Decoded frame; transparent pixels turn black.
        coding: Coding of the clip.
        height: Height of the result in pixels; frames of another size are scaled.
        width: Width of the result in pixels.
    """
    if not coding.is_plain:
        coded_HWC = _convert(frame, "rgb48le", height, width)
        return to_bt709(coded_HWC.astype(np.uint16, copy=False), coding.transfer, coding.primaries, coding.peak)
    if has_alpha(frame):
        return over_black(_convert(frame, "rgba", height, width).astype(np.uint8, copy=False))
    return _convert(frame, "rgb24", height, width).astype(np.uint8, copy=False)


def has_alpha(frame: av.VideoFrame) -> bool:
    """Whether the frame's pixels may be transparent."""
    return any(component.is_alpha for component in frame.format.components)


def over_black(picture_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture with alpha as its fourth channel, `(H, W, 4)`, in front of black."""
    opaque_HW1 = picture_HWC[..., 3:].astype(np.uint16)
    return np.asarray((picture_HWC[..., :3] * opaque_HW1 + 127) // 255).astype(np.uint8)


def _convert(
    frame: av.VideoFrame, pixel_format: str, height: int, width: int, interpolation: str = "BICUBIC"
) -> NDArray[Any]:
    return frame.to_ndarray(
        format=pixel_format,
        height=height,
        width=width,
        interpolation=interpolation,
        src_colorspace=_MATRICES.get(frame.colorspace, Colorspace.ITU601),
        src_color_range=_stored_range(frame),
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )


def _stored_range(frame: av.VideoFrame) -> ColorRange:
    """Full where the frame says so or its pixel format implies it, else limited."""
    if frame.color_range != ColorRange.UNSPECIFIED:
        return ColorRange(frame.color_range)
    implied = frame.format.name.startswith(("yuvj", "gray", "pal8", "mono")) or frame.format.is_rgb
    return ColorRange.JPEG if implied else ColorRange.MPEG
