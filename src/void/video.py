"""Clips and masks on disk: reading with decord, writing with the ffmpeg binary that imageio-ffmpeg brings.

Clips are H.264 in MP4 (yuv420p, BT.709, limited range), which browsers play. Masks are losslessly coded H.264 in grey,
decoded and compared before they get their name. Everything written is whole or absent.

Shape legend: T frames, H height, W width, C = 3 colour channels (RGB).
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import decord
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from void.errors import InputError
from void.files import whole_file
from void.quadmask import Quadmask

DEFAULT_CRF = 16
# Each decoder thread holds frames of its own: with one per core a 4K clip takes over a gigabyte.
_DECODER_THREADS = 1
_STREAM_INPUT = ["-threads", str(_DECODER_THREADS)]
# x264 writes its thread count into the stream: a fixed one gives the same bytes on every machine.
_REPRODUCIBLE = ("-threads", "4", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact")
_CONTAINER = (*_REPRODUCIBLE, "-movflags", "+faststart")
_BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
_RGB_TO_YUV = ("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p")
# Unless told otherwise x264 keeps some 60 frames at once, which at 3840 x 2160 takes 1.5 GiB.
_FULL_HD = 1920 * 1088
_FEW_FRAMES_AT_ONCE = ("-rc-lookahead", "4", "-bf", "0", "-refs", "1", "-x264-params", "sliced-threads=1")
_MASK_CODEC = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "gray")

# Decord would print ffmpeg's complaints; the errors raised here say the same.
decord.logging.set_level(decord.logging.QUIET)
# Of imageio-ffmpeg, that a clip held upright is turned.
logging.getLogger("imageio_ffmpeg").setLevel(logging.ERROR)


@dataclass(frozen=True)
class VideoInfo:
    """Length in frames, size in pixels, frames per second."""

    frames: int
    height: int
    width: int
    fps: float


def probe(path: str | Path) -> VideoInfo:
    """Length, size and rate of a video; decodes its first frame only.

    Raises:
        InputError: the file is missing, is no video, is truncated or holds no frames.
    """
    reader = _open(Path(path))
    height, width, _ = _decode(Path(path), reader, 1).shape[1:]
    return VideoInfo(len(reader), height, width, reader.get_avg_fps())


def read_video(path: str | Path, *, max_frames: int | None = None) -> tuple[NDArray[np.uint8], float]:
    """Decode a video of any size and codec.

    Args:
        path: the file.
        max_frames: decode at most this many frames from the start.

    Returns:
        `(frames_THWC, fps)`: RGB, uint8.

    Raises:
        InputError: the file is missing, is no video, is truncated or holds no frames.
    """
    assert max_frames is None or max_frames > 0
    reader = _open(Path(path))
    count = len(reader) if max_frames is None else min(max_frames, len(reader))
    return _decode(Path(path), reader, count), reader.get_avg_fps()


def iter_video(path: str | Path, *, max_frames: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Decode a video frame by frame: what was yielded is not kept.

    Args:
        path: the file.
        max_frames: stop after this many frames.

    Yields:
        uint8 RGB `(H, W, 3)`.

    Raises:
        InputError: as `read_video`; damage shows when its frame is reached.
    """
    info = probe(path)
    count = info.frames if max_frames is None else min(max_frames, info.frames)
    # Not by decord: it decodes ahead of a slow reader without end. A pipe makes ffmpeg wait.
    output = ["-fps_mode", "passthrough", "-frames:v", str(count)]
    frames = imageio_ffmpeg.read_frames(path, input_params=_STREAM_INPUT, output_params=output)
    decoded = 0
    try:
        next(frames)
        for data in frames:
            yield np.frombuffer(data, np.uint8).reshape(info.height, info.width, 3)
            decoded += 1
    # What imageio-ffmpeg raises where a file breaks off.
    except (OSError, RuntimeError) as error:
        raise _damaged(Path(path), f"frame {decoded} of {info.frames} does not decode") from error
    finally:
        frames.close()
    if decoded < count:
        raise _damaged(Path(path), f"frame {decoded} of {info.frames} does not decode")


def check_writable(where: str | Path, shape_THW: tuple[int, int, int], fps: float) -> None:
    """Raise unless H.264 can hold a clip of this shape and rate: at least one frame, even sides, a rate above 0.

    Args:
        where: the file or folder to be written, for the message.
    """
    frames, height, width = shape_THW
    if frames < 1:
        raise InputError(f"{where}: a clip without frames can't be written", "check that the step before made pictures")
    if height % 2 or width % 2 or not height or not width:
        raise InputError(
            f"{where}: the clip is {width}x{height} pixels (width x height); H.264 needs even sides",
            f"crop or resize it to {max(2, width - width % 2)}x{max(2, height - height % 2)}",
        )
    if not math.isfinite(fps) or _rate(fps) <= 0:
        raise InputError(f"{where}: {fps} is not a frame rate", "use a number of frames per second above 0, such as 12")


def write_video(
    path: str | Path, frames_THWC: NDArray[np.uint8], fps: float, *, crf: int = DEFAULT_CRF, progress: bool = False
) -> None:
    """Write an MP4 that browsers play (H.264, yuv420p, BT.709).

    Args:
        path: target, `*.mp4`; replaced if it exists.
        frames_THWC: uint8 RGB with even height and width.
        fps: frames per second, above 0.
        crf: x264's constant rate factor: 0 best to 51 worst.
        progress: show a bar with the remaining time.

    Raises:
        InputError: odd size, no frames, impossible rate, disk full.
    """
    assert frames_THWC.dtype == np.uint8 and frames_THWC.ndim == 4 and frames_THWC.shape[-1] == 3
    write_frames(path, frames_THWC, frames_THWC.shape[:3], fps, crf=crf, progress=progress)


def write_frames(
    path: str | Path,
    frames: Iterable[NDArray[np.uint8]],
    shape_THW: tuple[int, int, int],
    fps: float,
    *,
    crf: int = DEFAULT_CRF,
    progress: bool = False,
) -> None:
    """`write_video` of frames that come one by one, so that the clip is never held whole.

    Args:
        path: target, `*.mp4`; replaced if it exists.
        frames: uint8 RGB `(H, W, 3)` each.
        shape_THW: how many there are, and their even height and width.
        fps: frames per second, above 0.
        crf: x264's constant rate factor: 0 best to 51 worst.
        progress: show a bar with the remaining time.

    Raises:
        InputError: odd size, no frames, impossible rate, disk full.
    """
    _, height, width = shape_THW
    memory = _FEW_FRAMES_AT_ONCE if height * width > _FULL_HD else ()
    codec = (*_RGB_TO_YUV, "-c:v", "libx264", "-crf", str(crf), *memory, *_BT709)
    with whole_file(path) as partial:
        _encode(Path(path), partial, frames, shape_THW, fps, pixel_format="rgb24", codec=codec, progress=progress)


def encode_mp4(frames_THWC: NDArray[np.uint8], fps: float, *, crf: int = DEFAULT_CRF) -> bytes:
    """The bytes `write_video` would write: for pages that embed their videos."""
    with tempfile.TemporaryDirectory(prefix="void-") as folder:
        file = Path(folder) / "clip.mp4"
        write_video(file, frames_THWC, fps, crf=crf)
        return file.read_bytes()


def write_mask(path: str | Path, quadmask: Quadmask, fps: float) -> None:
    """Write a quadmask losslessly (H.264, qp 0, grey), and publish it only if it decodes to the same values.

    Raises:
        InputError: odd size, no frames, impossible rate, disk full, or an ffmpeg that does not code it losslessly.
    """
    grey_THW = quadmask.pack()
    with whole_file(path) as partial:
        _encode(
            Path(path), partial, grey_THW, quadmask.shape, fps, pixel_format="gray", codec=_MASK_CODEC, progress=False
        )
        decoded_THW = _read_grey(partial)[0]
        if not np.array_equal(decoded_THW, grey_THW):
            raise InputError(
                f"{path}: the mask does not decode to the values that were written, so it was not kept",
                f"{imageio_ffmpeg.get_ffmpeg_exe()} is not lossless: unset IMAGEIO_FFMPEG_EXE to use our ffmpeg",
            )


def read_mask(path: str | Path) -> tuple[Quadmask, float]:
    """Read a quadmask video of any pixel format whose RGB values are exactly 0, 63, 127 or 255.

    Returns:
        `(quadmask, fps)`.

    Raises:
        InputError: the file is missing, is no video, is truncated, or holds other grey values.
    """
    grey_THW, fps = _read_grey(Path(path))
    return Quadmask.unpack(grey_THW, str(path)), fps


def _read_grey(path: Path) -> tuple[NDArray[np.uint8], float]:
    # Through RGB, because the raw luma of a limited-range file is 16/70/125/235.
    frames_THWC, fps = read_video(path)
    return np.ascontiguousarray(frames_THWC[..., 0]), fps


def _open(path: Path) -> decord.VideoReader:
    if not path.exists():
        raise InputError(f"{path} does not exist", "check the path, or run the command that writes it")
    if not path.is_file() or path.stat().st_size == 0:
        kind = "an empty file" if path.is_file() else "a folder"
        raise InputError(f"{path} is {kind}, not a video", "give the path of a video file (MP4, MKV, AVI, WebM)")
    try:
        return decord.VideoReader(str(path), num_threads=_DECODER_THREADS)
    except (decord.DECORDError, AssertionError) as error:
        if isinstance(error, AssertionError) or "cannot find video stream" in str(error):
            raise InputError(
                f"{path} holds no frames", "write it again: its encoder got no pictures (or it holds only sound)"
            ) from error
        raise _damaged(path, "its header can't be read") from error
    except RuntimeError as error:
        if _looks_like_video(path):
            raise _damaged(path, "its index is missing") from error
        raise InputError(
            f"{path} is not a video: its first bytes belong to no known container",
            "give a video file (MP4, MKV, AVI, WebM); the name alone does not make one",
        ) from error


def _looks_like_video(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3" or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")


def _damaged(path: Path, how: str) -> InputError:
    return InputError(
        f"{path} is a truncated or damaged video: {how}",
        "copy or write the file again (an interrupted copy or recording ends like this)",
    )


def _decode(path: Path, reader: decord.VideoReader, count: int) -> NDArray[np.uint8]:
    """The next `count` frames `(T, H, W, 3)`."""
    frames_THWC: NDArray[np.uint8] | None = None
    for index, frame_HWC in enumerate(_decoded(path, reader, count)):
        if frames_THWC is None:
            frames_THWC = np.empty((count, *frame_HWC.shape), np.uint8)
        frames_THWC[index] = frame_HWC
    assert frames_THWC is not None
    return frames_THWC


def _decoded(path: Path, reader: decord.VideoReader, count: int) -> Iterator[NDArray[np.uint8]]:
    """The next `count` frames, one by one."""
    for index in range(count):
        try:
            frame = reader.next().asnumpy()
        except (decord.DECORDError, StopIteration) as error:
            raise _damaged(path, f"frame {index} of {len(reader)} does not decode") from error
        height, width = frame.shape[:2]
        # Rows of some narrow clips (16, 32, 48, 96, 144 wide) hold padding, which decord takes for further channels.
        yield frame.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3)


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(1001)


def _encode(
    path: Path,
    partial: Path,
    frames: Iterable[NDArray[np.uint8]],
    shape_THW: tuple[int, int, int],
    fps: float,
    *,
    pixel_format: str,
    codec: tuple[str, ...],
    progress: bool,
) -> None:
    """Pipe raw frames `(H, W[, C])` into ffmpeg, which writes `partial`; `path` is the name for messages."""
    count, height, width = shape_THW
    check_writable(path, shape_THW, fps)
    rate = _rate(fps)
    source = ("-f", "rawvideo", "-pix_fmt", pixel_format, "-s", f"{width}x{height}", "-r", str(rate), "-i", "-")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, *codec, *_CONTAINER, str(partial)]
    status, complaint = _feed(command, _tracked(frames, count, f"Writing {path.name}") if progress else frames)
    for full in (errno.ENOSPC, errno.EDQUOT):
        if os.strerror(full) in complaint:
            raise OSError(full, complaint, str(path))
    if status != 0:
        raise RuntimeError(f"ffmpeg failed with status {status} while writing {path}:\n{complaint}")
    written = probe(partial).frames
    if written != count:
        raise RuntimeError(f"ffmpeg wrote {written} of the {count} frames of {path}:\n{complaint}")


def _feed(command: list[str], frames: Iterable[NDArray[np.uint8]]) -> tuple[int, str]:
    """Run ffmpeg on frames; returns its exit status and what it wrote on stderr."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stdin and process.stderr
    complaint: list[bytes] = []
    # Drained while frames are written: a full stderr pipe would stop ffmpeg, and then us.
    drain = threading.Thread(target=lambda pipe: complaint.append(pipe.read()), args=(process.stderr,), daemon=True)
    drain.start()
    try:
        # A broken pipe means that ffmpeg died: its status and stderr say why.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            for frame in frames:
                process.stdin.write(np.ascontiguousarray(frame).data)
    except BaseException:
        process.kill()
        raise
    finally:
        status = process.wait()
        drain.join()
        process.stderr.close()
    return status, b"".join(complaint).decode(errors="replace").strip()


def _tracked(frames: Iterable[NDArray[np.uint8]], count: int, label: str) -> Iterable[NDArray[np.uint8]]:
    elapsed_and_left = (MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), BarColumn(), *elapsed_and_left) as bar:
        yield from bar.track(frames, total=count, description=label)
