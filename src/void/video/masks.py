"""Quadmasks on disk: written without loss, and read exactly."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from void.errors import InputError
from void.files import whole_file
from void.quadmask import Quadmask
from void.video.reading import read_video
from void.video.writing import encode
from void.video_formats import check_writable

MASK_CODEC = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "gray")
"""Arguments of ffmpeg for a lossless grey video that every reader decodes to the same values."""


def write_mask(path: str | Path, quadmask: Quadmask, fps: float) -> None:
    """Write a quadmask losslessly (H.264, qp 0, grey), and publish it only if it decodes to the same values.

    Args:
        path: Target, `*.mp4`; replaced if it exists.
        quadmask: Quadmask with even height and width.
        fps: Frames per second, above 0.

    Raises:
        InputError: Odd size, no frames, impossible rate, disk full, or an ffmpeg that does not code it losslessly.
    """
    check_writable(path, quadmask.shape, fps)
    grey_THW = quadmask.pack()
    with whole_file(path) as partial:
        encode(Path(path), partial, grey_THW, quadmask.shape, fps, pixel_format="gray", codec=MASK_CODEC)
        decoded_THW = _read_grey(partial)[0]
        if not np.array_equal(decoded_THW, grey_THW):
            raise InputError(
                f"{path}: the mask does not decode to the values that were written, so it was not kept",
                f"{imageio_ffmpeg.get_ffmpeg_exe()} is not lossless: unset IMAGEIO_FFMPEG_EXE to use our ffmpeg",
            )


def read_mask(path: str | Path) -> tuple[Quadmask, float]:
    """Read a quadmask of any pixel format whose RGB values are exactly 0, 63, 127 or 255.

    Args:
        path: Video file, or folder of numbered frames.

    Returns:
        `(quadmask, fps)`.

    Raises:
        InputError: The mask is missing, is no video, is truncated, or holds other grey values.
    """
    grey_THW, fps = _read_grey(Path(path))
    return Quadmask.unpack(grey_THW, str(path)), fps


def _read_grey(path: Path) -> tuple[NDArray[np.uint8], float]:
    # Through RGB, because the raw luma of a limited-range file is 16/70/125/235.
    frames_THWC, fps = read_video(path)
    return np.ascontiguousarray(frames_THWC[..., 0]), fps
