"""Reading clips: what a player shows of a video file or of a folder of numbered frames.

Shape legend: T frames, H height, W width, C = 3 colours (RGB).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from void.video.decoding import Decoder
from void.video.frame_folders import iter_frame_folder, probe_frame_folder
from void.video.info import VideoInfo, timing
from void.video.pictures import Turn, to_rgb, turn_of

log = logging.getLogger(__name__)


def probe(path: str | Path) -> VideoInfo:
    """Length, size and timing of a clip; decodes all of a file, once in the life of a process.

    Args:
        path: Video file, or folder of numbered frames.

    Raises:
        InputError: The clip is missing, is no video, is truncated or holds no frames.
    """
    path = Path(path)
    if path.is_dir():
        return probe_frame_folder(path)
    if not path.is_file():
        return _scan(path)
    status = path.stat()
    return _remembered(path.resolve(), status.st_ino, status.st_size, status.st_mtime_ns, path)


def read_video(path: str | Path, *, max_frames: int | None = None) -> tuple[NDArray[np.uint8], float]:
    """Decode a clip of any size and codec.

    Args:
        path: Video file, or folder of numbered frames.
        max_frames: Largest number of frames to decode, from the start; None for all.

    Returns:
        `(frames_THWC, fps)`: RGB, uint8.

    Raises:
        InputError: The clip is missing, is no video, is truncated or holds no frames.
    """
    path = Path(path)
    if path.is_dir() or max_frames is not None:
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
        path: Video file, or folder of numbered frames.
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
    with Decoder(path) as decoder:
        for index, (_, picture_HWC) in enumerate(_pictures(decoder), start=1):
            yield picture_HWC
            if index == max_frames:
                return


def _pictures(decoder: Decoder) -> Iterator[tuple[av.VideoFrame, NDArray[np.uint8]]]:
    """Frames with their pictures, all of the first one's size."""
    first: tuple[int, int, Turn] | None = None
    for frame in decoder.frames():
        if first is None:
            first = frame.height, frame.width, turn_of(frame) or Turn()
        height, width, turn = first
        yield frame, turn(to_rgb(frame, height, width))


@lru_cache(maxsize=1024)
def _remembered(place: Path, inode: int, size: int, changed: int, path: Path) -> VideoInfo:
    """`_scan` of a file that is the same as long as these numbers are."""
    return _scan(path)


def _scan(path: Path) -> VideoInfo:
    seconds: list[float | None] = []
    with Decoder(path) as decoder:
        for frame in decoder.frames():
            if not seconds:
                height, width, turn = frame.height, frame.width, turn_of(frame)
            seconds.append(frame.time)
        fps, timestamps = _timing(seconds, decoder)
        ratio = decoder.sample_aspect_ratio
    if turn is not None and turn.transposed:
        height, width, ratio = width, height, 1 / ratio
    return VideoInfo(len(seconds), height, width, fps, ratio, timestamps)


def _timing(seconds: list[float | None], decoder: Decoder) -> tuple[float, tuple[float, ...] | None]:
    known = [moment for moment in seconds if moment is not None]
    # Raw streams have no time stamps: only their stated rate counts.
    return timing(known if len(known) == len(seconds) else [0.0], decoder.stated_rates)
