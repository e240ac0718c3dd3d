"""Reading clips: what a player shows of a video file or of a folder of numbered frames.

Shape legend: T frames, H height, W width, C = 3 colours (RGB).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from void.errors import InputError
from void.video.decoding import Decoder, convert_command
from void.video.frame_folders import FOLDER_FPS, is_picture, iter_frame_folder, probe_frame_folder, read_picture
from void.video.info import VideoInfo, timing
from void.video.pictures import Coding, Turn, coding_of, has_alpha, has_known_matrix, peak_of, to_rgb, turn_of
from void.video.tone_mapping import white_of

log = logging.getLogger(__name__)

# Frames between two that are measured for the peak of an HDR clip.
_PEAK_EVERY = 8


def probe(path: str | Path) -> VideoInfo:
    """Length, size and timing of a clip; decodes all of a file, once in the life of a process.

    Args:
        path: Video file, folder of numbered frames, or single picture.

    Raises:
        InputError: The clip is missing, is no video, is truncated or holds no frames.
    """
    path = Path(path)
    if path.is_dir():
        return probe_frame_folder(path)
    if is_picture(path):
        height, width, _ = read_picture(path).shape
        return VideoInfo(1, height, width, FOLDER_FPS)
    return _look(path).info


def read_video(path: str | Path, *, max_frames: int | None = None) -> tuple[NDArray[np.uint8], float]:
    """Decode a clip of any size and codec.

    Args:
        path: Video file, folder of numbered frames, or single picture.
        max_frames: Largest number of frames to decode, from the start; None for all.

    Returns:
        `(frames_THWC, fps)`: RGB, uint8.

    Raises:
        InputError: The clip is missing, is no video, is truncated or holds no frames.
    """
    path = Path(path)
    if path.is_dir() or is_picture(path) or max_frames is not None:
        info = probe(path)
        count = info.frames if max_frames is None else min(info.frames, max_frames)
        first_THWC = np.empty((count, info.height, info.width, 3), np.uint8)
        for index, frame_HWC in enumerate(iter_video(path, max_frames=count)):
            first_THWC[index] = frame_HWC
        return first_THWC, info.fps
    seconds: list[float | None] = []
    with Decoder(path) as decoder:
        frames_THWC: NDArray[np.uint8] | None = None
        for index, (frame, picture_HWC) in enumerate(_pictures(decoder)):
            if frames_THWC is None:
                frames_THWC = np.empty((decoder.likely_frames, *picture_HWC.shape), np.uint8)
            elif index == len(frames_THWC):
                full_THWC, frames_THWC = frames_THWC, np.empty((2 * index, *picture_HWC.shape), np.uint8)
                frames_THWC[:index] = full_THWC
                del full_THWC
            frames_THWC[index] = picture_HWC
            seconds.append(frame.time)
        fps, _ = _timing(seconds, decoder)
    assert frames_THWC is not None
    return frames_THWC[: len(seconds)], fps


def iter_video(path: str | Path, *, max_frames: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Decode a clip frame by frame: what was yielded is not kept.

    Args:
        path: Video file, folder of numbered frames, or single picture.
        max_frames: Number of frames after which to stop; None for all.

    Yields:
        uint8 RGB `(H, W, 3)`.

    Raises:
        InputError: As `read_video`; damage shows when its frame is reached.
    """
    assert max_frames is None or max_frames > 0
    path = Path(path)
    if path.is_dir():
        yield from iter_frame_folder(path, max_frames)
        return
    if is_picture(path):
        yield read_picture(path)
        return
    with Decoder(path) as decoder:
        for index, (_, picture_HWC) in enumerate(_pictures(decoder), start=1):
            yield picture_HWC
            if index == max_frames:
                return


def _pictures(decoder: Decoder) -> Iterator[tuple[av.VideoFrame, NDArray[np.uint8]]]:
    """Frames with their pictures, all of the first one's size."""
    first: tuple[int, int, Turn, Coding] | None = None
    for frame in decoder.frames():
        if first is None:
            _tell(decoder.path, frame)
            coding = coding_of(frame)
            if coding.is_hdr:
                coding = replace(coding, peak=_look(decoder.path).peak)
            _tell_coding(decoder.path, coding)
            first = frame.height, frame.width, turn_of(frame) or Turn(), coding
        height, width, turn, coding = first
        yield frame, turn(to_rgb(frame, coding, height, width))


@dataclass(frozen=True)
class _Scan:
    """A whole file's facts: `info`, and its peak luminance in cd/m2 where it is HDR."""

    info: VideoInfo
    peak: float


def _look(path: Path) -> _Scan:
    """The scan of a file, made once for the same contents."""
    if not path.is_file():
        return _scan(path)
    status = path.stat()
    return _remembered(path.resolve(), status.st_ino, status.st_size, status.st_mtime_ns, path)


@lru_cache(maxsize=1024)
def _remembered(place: Path, inode: int, size: int, changed: int, path: Path) -> _Scan:
    """`_scan` of a file that is the same as long as these numbers are."""
    return _scan(path)


def _scan(path: Path) -> _Scan:
    seconds: list[float | None] = []
    peak = 0.0
    with Decoder(path) as decoder:
        for index, frame in enumerate(decoder.frames()):
            if not seconds:
                height, width, turn, coding = frame.height, frame.width, turn_of(frame), coding_of(frame)
            if coding.is_hdr and index % _PEAK_EVERY == 0:
                peak = max(peak, peak_of(frame, coding.transfer))
            seconds.append(frame.time)
        fps, timestamps = _timing(seconds, decoder)
        ratio = decoder.sample_aspect_ratio
    if turn is not None and turn.transposed:
        height, width, ratio = width, height, 1 / ratio
    return _Scan(VideoInfo(len(seconds), height, width, fps, ratio, timestamps), peak)


def _timing(seconds: list[float | None], decoder: Decoder) -> tuple[float, tuple[float, ...] | None]:
    known = [moment for moment in seconds if moment is not None]
    # Raw streams have no time stamps: only their stated rate counts.
    return timing(known if len(known) == len(seconds) else [0.0], decoder.stated_rates)


def _tell(path: Path, frame: av.VideoFrame) -> None:
    """Say what of a clip is not read quite as a player shows it; refuse what would come out in wrong colors."""
    if not has_known_matrix(frame):
        raise InputError(
            f"{path} has colors of a rare kind (matrix {frame.colorspace} of ITU-T H.273)",
            f"convert it: {convert_command(path, '-vf', 'zscale=m=709,format=yuv420p')}",
        )
    if turn_of(frame) is None:
        _warn(path, "asks to be turned by a part of a quarter turn; it is read as it is stored")
    if frame.interlaced_frame:
        deinterlace = convert_command(path, "-vf", "bwdif=mode=send_frame")
        _warn(path, f"is interlaced: each frame holds two moments in alternate lines; to separate them: {deinterlace}")
    if has_alpha(frame):
        _warn(path, "may hold transparent pixels, which are read as black")


def _tell_coding(path: Path, coding: Coding) -> None:
    if coding.is_hdr:
        what = f"{coding.transfer} in {coding.primaries}"
        _warn(path, f"is {what}: it is tone-mapped to BT.709, {white_of(coding.peak):g} cd/m2 becomes white")
    elif not coding.is_plain:
        _warn(path, f"has {coding.primaries} colors: they are converted to BT.709, and what that lacks is clipped")


@lru_cache(maxsize=4096)
def _warn(path: Path, message: str) -> None:
    """Once for each file."""
    log.warning("%s %s", path, message)
