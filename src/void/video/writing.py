"""Writing clips with the ffmpeg binary that imageio-ffmpeg ships.

H.264 in MP4 (yuv420p, BT.709, limited range), which browsers play, or one of the formats for editing.

Shape legend: T frames, H height, W width, C = 3 colours (RGB).
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from void.files import whole_file, whole_folder
from void.progress import tracked
from void.scratch import scratch_folder
from void.video.decoding import count_packets
from void.video.frame_folders import write_frame_folder
from void.video_formats import DEFAULT_CRF, VideoFormat, as_rate, check_writable

Frame = NDArray[np.uint8] | NDArray[np.uint16]

# x264 writes its thread count into the stream: a fixed one gives the same bytes on every machine.
_REPRODUCIBLE = ("-threads", "4", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact")
_FASTSTART = ("-movflags", "+faststart")
# The filter marks the frames: options of the encoder alone would leave primaries and transfer unknown.
_TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
_BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
# Unless told otherwise x264 keeps some 60 frames at once, which at 3840 x 2160 takes 1.5 GiB.
# Of time stamps, a second: a multiple of the usual rates.
_TICKS = 90000
_FULL_HD = 1920 * 1088
_FEW_FRAMES_AT_ONCE = ("-rc-lookahead", "4", "-bf", "0", "-refs", "1", "-x264-params", "sliced-threads=1")


def write_video(
    path: str | Path, frames_THWC: NDArray[np.uint8], fps: float, *, crf: int = DEFAULT_CRF, progress: bool = False
) -> None:
    """Write an MP4 that browsers play (H.264, yuv420p, BT.709).

    Args:
        path: Target, `*.mp4`; replaced if it exists.
        frames_THWC: Clip, uint8 RGB, with even height and width.
        fps: Frames per second, above 0.
        crf: Constant rate factor of x264: 0 best to 51 worst.
        progress: Whether to show a bar with the remaining time.

    Raises:
        InputError: Odd size, no frames, impossible rate, disk full.
    """
    assert frames_THWC.dtype == np.uint8 and frames_THWC.ndim == 4 and frames_THWC.shape[-1] == 3
    write_frames(path, frames_THWC, frames_THWC.shape[:3], fps, crf=crf, progress=progress)


def write_frames(
    path: str | Path,
    frames: Iterable[Frame],
    shape_THW: tuple[int, int, int],
    fps: float,
    *,
    crf: int = DEFAULT_CRF,
    progress: bool = False,
    format: VideoFormat = VideoFormat.h264,
    sample_aspect_ratio: Fraction = Fraction(1),
    timestamps: Sequence[float] | None = None,
) -> None:
    """Write a clip whose frames come one by one, so that it is never held whole.

    Args:
        path: Target, with the suffix of its format; replaced if it exists.
        frames: RGB `(H, W, 3)` each, uint8, or uint16 where the format takes more than 8 bits.
        shape_THW: Number of frames, height and width.
        fps: Frames per second, above 0.
        crf: Constant rate factor of x264: 0 best to 51 worst.
        progress: Whether to show a bar with the remaining time.
        format: Output format.
        sample_aspect_ratio: Width of a pixel divided by its height, as it is to be shown.
        timestamps: Seconds at which the frames appear, rising; None for an even rate.

    Raises:
        InputError: A size that the format does not take, no frames, impossible rate, disk full, or a folder at `path`
            that is not a clip written here.
    """
    path = Path(path)
    count, height, width = shape_THW
    check_writable(path, shape_THW, fps, format=format)
    shown = tracked(frames, f"writing {path.name}", count) if progress else frames
    if format.is_folder:
        _write_folder(path, shown, count, fps, 16 if format.takes_16_bits else 8, sample_aspect_ratio, timestamps)
        return
    deep = format in (VideoFormat.ffv1, VideoFormat.prores)
    codec, bits = _codec(format, crf, height * width, sample_aspect_ratio), 8
    if deep:
        first, shown = _peek(shown)
        bits = 16 if first is not None and first.dtype == np.uint16 else 8
    if format is VideoFormat.ffv1:
        codec = (*codec, "-pix_fmt", "gbrp16le" if bits == 16 else "gbrp")
    pixel_format = "rgb48le" if bits == 16 else "rgb24"
    with whole_file(path) as partial:
        encode(path, partial, shown, shape_THW, fps, pixel_format=pixel_format, codec=codec, timestamps=timestamps)


def encode_mp4(frames_THWC: NDArray[np.uint8], fps: float, *, crf: int = DEFAULT_CRF) -> bytes:
    """The bytes `write_video` would write: for pages that embed their videos."""
    with scratch_folder("clip") as folder:
        file = folder / "clip.mp4"
        write_video(file, frames_THWC, fps, crf=crf)
        return file.read_bytes()


def encode(
    path: Path,
    partial: Path,
    frames: Iterable[Frame],
    shape_THW: tuple[int, int, int],
    fps: float,
    *,
    pixel_format: str,
    codec: tuple[str, ...],
    timestamps: Sequence[float] | None = None,
) -> None:
    """Pipe raw frames into ffmpeg.

    Args:
        path: Name of the clip for messages.
        partial: File to write.
        frames: Pictures `(H, W[, C])` in `pixel_format`.
        shape_THW: Number of frames, height and width.
        fps: Frames per second.
        pixel_format: Name that ffmpeg has for the form of the frames.
        codec: Arguments of ffmpeg that choose filters and encoder.
        timestamps: Seconds at which the frames appear; None for an even rate.

    Raises:
        OSError: The disk is full.
        RuntimeError: ffmpeg failed, or wrote another number of frames.
    """
    count, height, width = shape_THW
    source: tuple[str, ...]
    if timestamps is None:
        size = f"{width}x{height}"
        source = ("-f", "rawvideo", "-pix_fmt", pixel_format, "-s", size, "-r", str(as_rate(fps)), "-i", "-")
    else:
        source = ("-f", "nut", "-i", "-", "-fps_mode", "passthrough", "-enc_time_base", f"1:{_TICKS}")
    container = (*_REPRODUCIBLE, *(_FASTSTART if partial.suffix in (".mp4", ".mov") else ()))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, *codec, *container, str(partial)]
    status, complaint = _feed(command, lambda pipe: _send(pipe, frames, pixel_format, timestamps))
    for full in (errno.ENOSPC, errno.EDQUOT):
        if os.strerror(full) in complaint:
            raise OSError(full, complaint, str(path))
    if status != 0:
        raise RuntimeError(f"ffmpeg failed with status {status} while writing {path}:\n{complaint}")
    written = count_packets(partial)
    if written != count:
        raise RuntimeError(f"ffmpeg wrote {written} of the {count} frames of {path}:\n{complaint}")


def _codec(format: VideoFormat, crf: int, pixels: int, sample_aspect_ratio: Fraction) -> tuple[str, ...]:
    shape = f",setsar={sample_aspect_ratio.numerator}/{sample_aspect_ratio.denominator}"
    shape = "" if sample_aspect_ratio == 1 else shape
    if format is VideoFormat.ffv1:
        return (
            "-vf",
            f"setparams=color_primaries=bt709:color_trc=bt709{shape}",
            "-c:v",
            "ffv1",
            "-level",
            "3",
            "-g",
            "1",
        )
    to_yuv = "scale=out_color_matrix=bt709:out_range=tv,format="
    if format is VideoFormat.prores:
        profile = ("-c:v", "prores_ks", "-profile:v", "hq", "-vendor", "apl0")
        return ("-vf", f"{to_yuv}yuv422p10le,{_TAGS}{shape}", *profile, *_BT709)
    memory = _FEW_FRAMES_AT_ONCE if pixels > _FULL_HD else ()
    return ("-vf", f"{to_yuv}yuv420p,{_TAGS}{shape}", "-c:v", "libx264", "-crf", str(crf), *memory, *_BT709)


def _write_folder(
    path: Path,
    frames: Iterable[Frame],
    count: int,
    fps: float,
    bits: int,
    sample_aspect_ratio: Fraction,
    timestamps: Sequence[float] | None,
) -> None:
    with whole_folder(path, "folder of frames") as partial:
        times = None if timestamps is None else tuple(timestamps)
        written = write_frame_folder(
            partial, frames, bits=bits, fps=fps, sample_aspect_ratio=sample_aspect_ratio, timestamps=times
        )
        if written != count:
            raise RuntimeError(f"{written} of the {count} frames of {path} were made")


def _peek(frames: Iterable[Frame]) -> tuple[Frame | None, Iterator[Frame]]:
    """The first frame, and all of them."""
    iterator = iter(frames)
    first = next(iterator, None)

    def all_frames() -> Iterator[Frame]:
        if first is not None:
            yield first
        yield from iterator

    return first, all_frames()


def _send(pipe: IO[bytes], frames: Iterable[Frame], pixel_format: str, timestamps: Sequence[float] | None) -> None:
    """Write frames into a pipe: bare ones, or with their time stamps as NUT, the container made for pipes."""
    if timestamps is None:
        for frame in frames:
            pipe.write(np.ascontiguousarray(frame).data)
        return
    with av.open(pipe, "w", format="nut") as container:
        stream = container.add_stream("rawvideo")
        for frame, moment in zip(frames, timestamps, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format=pixel_format)
            picture.pts, picture.time_base = round(moment * _TICKS), Fraction(1, _TICKS)
            if not stream.codec_context.is_open:
                stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, pixel_format
                stream.codec_context.time_base = picture.time_base
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def _feed(command: list[str], send: Callable[[IO[bytes]], None]) -> tuple[int, str]:
    """Run ffmpeg on what `send` writes; returns its exit status and what it wrote on stderr."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stdin and process.stderr
    complaint: list[bytes] = []
    # Drained while frames are written: a full stderr pipe would stop ffmpeg, and then us.
    drain = threading.Thread(target=lambda pipe: complaint.append(pipe.read()), args=(process.stderr,), daemon=True)
    drain.start()
    try:
        # A broken pipe means that ffmpeg died: its status and stderr say why.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            send(process.stdin)
    except BaseException:
        process.kill()
        raise
    finally:
        status = process.wait()
        drain.join()
        process.stderr.close()
    return status, b"".join(complaint).decode(errors="replace").strip()
