"""Folders of numbered frames: PNG, JPEG, TIFF, BMP or WebP pictures, one a frame, of 8 or 16 bits.

`frame_0001.png`, `0001.jpg`: the last number in a name counts. A folder written here also holds `frames.json` with the
rate, which a hand-made one may hold as well: `{"fps": 24}`.

Shape legend: H height, W width, C = 3 colours (RGB).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from void.errors import InputError
from void.files import read_json, write_json
from void.video.info import VideoInfo
from void.video.pictures import over_black

# OpenCV would print its complaints about broken pictures; the errors raised here say the same.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
"""Endings of pictures that count as frames, in lower case."""
DETAILS = "frames.json"
"""File in a folder of frames that holds its rate, the shape of its pixels and its time stamps."""
FOLDER_FPS = 12.0
"""Rate of a folder of frames that states none: the released model's."""
_DIGITS = 6


@dataclass(frozen=True)
class _Details:
    fps: float = FOLDER_FPS
    sample_aspect_ratio: Fraction = Fraction(1)
    timestamps: tuple[float, ...] | None = None


def is_picture(file: Path) -> bool:
    """Whether a file is a picture, by its name; hidden files are none."""
    return file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()


def is_frame_folder(folder: Path) -> bool:
    """Whether a folder holds pictures that could be frames."""
    return folder.is_dir() and any(is_picture(file) for file in folder.iterdir())


def frame_files(folder: Path) -> list[Path]:
    """Pictures of a folder in the order of their numbers.

    Raises:
        InputError: No pictures, kinds mixed, a name without a number, or a number that is missing or repeated.
    """
    files = [file for file in folder.iterdir() if is_picture(file)]
    if not files:
        raise InputError(
            f"{folder} is a folder, not a video, and holds no numbered frames",
            "give a video file, or a folder of numbered PNG or JPEG frames",
        )
    kinds = sorted({file.suffix.lower() for file in files})
    if len(kinds) > 1:
        raise InputError(f"{folder} holds frames of several kinds: {', '.join(kinds)}", "keep one kind in the folder")
    numbered: dict[int, Path] = {}
    for file in sorted(files):
        digits = re.findall(r"\d+", file.stem)
        if not digits:
            raise InputError(f"{file} has no number in its name", "number the frames, such as 0001.png, 0002.png")
        number = int(digits[-1])
        if number in numbered:
            raise InputError(
                f"{folder} holds two frames numbered {number}: {numbered[number].name}, {file.name}",
                "keep one clip in the folder",
            )
        numbered[number] = file
    numbers = sorted(numbered)
    missing = [one + 1 for one, next_one in pairwise(numbers) if next_one > one + 1]
    if missing:
        raise InputError(
            f"{folder} lacks frame {missing[0]}: it has {len(numbers)} frames numbered {numbers[0]} to {numbers[-1]}",
            "add the frame, or number the frames without gaps",
        )
    return [numbered[number] for number in numbers]


def probe_frame_folder(folder: Path) -> VideoInfo:
    """Length, size and timing of a folder of frames; decodes the first one only.

    Raises:
        InputError: As `frame_files`, or the first picture or `frames.json` can't be read.
    """
    files = frame_files(folder)
    height, width, _ = read_picture(files[0]).shape
    details = _read_details(folder, len(files))
    return VideoInfo(len(files), height, width, details.fps, details.sample_aspect_ratio, details.timestamps)


def iter_frame_folder(folder: Path, max_frames: int | None) -> Iterator[NDArray[np.uint8]]:
    """Frames of a folder, uint8 RGB `(H, W, 3)`.

    Raises:
        InputError: As `frame_files`, or a picture can't be read or has another size than the first.
    """
    size: tuple[int, ...] | None = None
    for file in frame_files(folder)[:max_frames]:
        picture_HWC = read_picture(file)
        size = size or picture_HWC.shape
        if picture_HWC.shape != size:
            raise InputError(
                f"{file} is {picture_HWC.shape[1]}x{picture_HWC.shape[0]} pixels, frames before it {size[1]}x{size[0]}",
                "give all frames of a clip one size",
            )
        yield picture_HWC


def read_picture(file: Path) -> NDArray[np.uint8]:
    """A picture of 8 or 16 bits, grey or in colour, as uint8 RGB `(H, W, 3)`; transparent pixels turn black.

    Raises:
        InputError: The file is missing or is no picture.
    """
    if not file.is_file():
        raise InputError(f"{file} does not exist", "check the path, or run the command that writes it")
    data = np.fromfile(file, np.uint8)
    # In color, cameras' JPEG files are turned as their tags ask; the other kinds may have 16 bits.
    flags = cv2.IMREAD_COLOR if file.suffix.lower() in (".jpg", ".jpeg") else cv2.IMREAD_UNCHANGED
    unreadable = InputError(
        f"{file} is not a picture that can be read", "write it again as PNG or JPEG; the name alone does not make one"
    )
    try:
        picture = cv2.imdecode(data, flags) if data.size else None
    except cv2.error as error:
        raise unreadable from error
    if picture is None:
        raise unreadable
    if picture.dtype == np.uint16:
        picture = ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if picture.dtype != np.uint8:
        raise InputError(f"{file} holds {picture.dtype} values", "write it as PNG of 8 or 16 bits")
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=-1)
    if picture.shape[-1] == 4:
        picture = over_black(picture.astype(np.uint8))
    return np.ascontiguousarray(picture[..., ::-1])


def write_frame_folder(
    folder: Path,
    frames: Iterable[NDArray[np.uint8] | NDArray[np.uint16]],
    *,
    bits: int,
    fps: float,
    sample_aspect_ratio: Fraction,
    timestamps: tuple[float, ...] | None,
) -> int:
    """Write frames as `000000.png`, `000001.png`, ... and `frames.json` into an empty folder.

    Args:
        folder: Folder that exists.
        frames: RGB `(H, W, 3)` each.
        bits: Bits a colour, 8 or 16.
        fps: Frames per second.
        sample_aspect_ratio: Width of a pixel divided by its height.
        timestamps: Seconds at which the frames appear; None where the rate is constant.

    Returns:
        Number of frames written.
    """
    count = 0
    for frame_HWC in frames:
        coded = cv2.imencode(".png", np.ascontiguousarray(of_depth(frame_HWC, bits)[..., ::-1]))[1]
        (folder / f"{count:0{_DIGITS}d}.png").write_bytes(coded.tobytes())
        count += 1
    details: dict[str, object] = {"fps": float(fps)}
    if sample_aspect_ratio != 1:
        details["sample_aspect_ratio"] = str(sample_aspect_ratio)
    if timestamps is not None:
        details["timestamps"] = list(timestamps)
    write_json(folder / DETAILS, details)
    return count


def of_depth(frame_HWC: NDArray[np.uint8] | NDArray[np.uint16], bits: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A picture in 8 or 16 bits a colour: 255 and 65535 are both white."""
    if frame_HWC.dtype == np.uint16 and bits == 8:
        return ((frame_HWC.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if frame_HWC.dtype == np.uint8 and bits == 16:
        return frame_HWC.astype(np.uint16) * np.uint16(257)
    return frame_HWC


def _read_details(folder: Path, frames: int) -> _Details:
    file = folder / DETAILS
    if not file.is_file():
        return _Details()
    value = read_json(file)
    remedy = f'write {{"fps": 24}} with the true rate into {file}, or remove it'
    if not isinstance(value, dict) or not isinstance(value.get("fps"), int | float) or not value["fps"] > 0:
        raise InputError(f"{file} holds no frame rate", remedy)
    timestamps = value.get("timestamps")
    if timestamps is not None and len(timestamps) != frames:
        raise InputError(f"{file} has {len(timestamps)} time stamps for {frames} frames", remedy)
    try:
        ratio = Fraction(str(value.get("sample_aspect_ratio", 1)))
        return _Details(float(value["fps"]), ratio, None if timestamps is None else tuple(map(float, timestamps)))
    except (ValueError, ZeroDivisionError, TypeError) as error:
        raise InputError(f"{file}: {error}", remedy) from error
