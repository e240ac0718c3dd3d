"""The one decoder: counting and reading both take their frames from here.

Frames outside a file's edit list, which players skip, are skipped. What does not decode is an error, never made up.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av.container import InputContainer
from av.error import FFmpegError

from void.errors import InputError
from void.video.containers import looks_like_video, missing_bytes

log = logging.getLogger(__name__)

# Each decoder thread holds frames of its own: with one per core a 4K clip takes over a gigabyte.
_DECODER_THREADS = 1
# Of playlists and the like, nothing but local files is opened.
_OPTIONS = {"protocol_whitelist": "file"}
_QUICKTIME = "mov,mp4"
_TRANSPORT_STREAM = "mpegts"
VIDEO_KINDS = "MP4, MOV, MKV, WebM, AVI"


class Decoder:
    """An open video file; a context manager that closes it.

    Args:
        path: Video file.

    Raises:
        InputError: The file is missing, is no video, holds no pictures or lacks its end.
    """

    def __init__(self, path: Path) -> None:
        _check_file(path)
        self.path = path
        self._container = _open(path)
        stream = self._container.streams.best("video")
        if stream is None:
            self._container.close()
            raise no_frames(path)
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        if stream.codec_context is None:
            self._container.close()
            raise InputError(
                f"{path} has pictures that can't be decoded: its header is damaged, or no decoder here knows its codec",
                f"copy the file again, or convert it: {convert_command(path)}",
            )
        stream.codec_context.thread_count = _DECODER_THREADS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def stated_rates(self) -> list[Fraction | None]:
        """Rates that the file states: its mean, and the one of its finest grid."""
        return [self._stream.average_rate, self._stream.guessed_rate]

    @property
    def sample_aspect_ratio(self) -> Fraction:
        """Width of a stored pixel divided by its height, before any rotation; 1 where the file does not say."""
        ratio = self._stream.sample_aspect_ratio
        return Fraction(ratio) if ratio else Fraction(1)

    @property
    def likely_frames(self) -> int:
        """Number of stored frames as the index has it, at least 1; only an estimate of those shown."""
        return max(len(self._stream.index_entries), 1)

    def frames(self) -> Iterator[av.VideoFrame]:
        """The frames that a player shows, in its order.

        Raises:
            InputError: The file is truncated or damaged, or holds no frames.
        """
        shown = packets = broken = 0
        try:
            for packet in self._container.demux(self._stream):
                packets += bool(packet.size)
                if packet.is_corrupt and self._container.format.name != _TRANSPORT_STREAM:
                    raise damaged(self.path, f"frame {shown} breaks off")
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame)
                    broken += frame.is_corrupt
                    yield frame
                    shown += 1
        except FFmpegError as error:
            raise damaged(self.path, f"frame {shown} does not decode") from error
        stored = len(self._stream.index_entries)
        if self._container.format.name.startswith(_QUICKTIME) and packets < stored:
            raise damaged(self.path, f"it ends after {packets} of {stored} frames")
        if not shown:
            raise no_frames(self.path)
        if broken:
            log.warning("%s: %d of %d frames are damaged and are read as a player shows them", self.path, broken, shown)


def damaged(path: Path, how: str) -> InputError:
    """The error for a file that began well."""
    return InputError(
        f"{path} is a truncated or damaged video: {how}",
        "copy or write the file again (an interrupted copy or recording ends like this)",
    )


def no_frames(path: Path) -> InputError:
    """The error for a video file without pictures."""
    return InputError(f"{path} holds no frames", "write it again: its encoder got no pictures (or it holds only sound)")


def convert_command(path: Path, *options: str) -> str:
    """The ffmpeg command that turns a clip into one that everything reads."""
    target = path.with_name(f"{path.stem}-converted.mp4")
    return shlex.join(["ffmpeg", "-i", str(path), *options, "-c:v", "libx264", "-crf", "12", str(target)])


def count_packets(path: Path) -> int:
    """Number of coded pictures in a file, without decoding them."""
    with _open(path) as container:
        return sum(bool(packet.size) for packet in container.demux(video=0))


def _check_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path} does not exist", "check the path, or run the command that writes it")
    if not path.is_file() or path.stat().st_size == 0:
        kind = "an empty file" if path.is_file() else "a folder"
        raise InputError(f"{path} is {kind}, not a video", f"give the path of a video file ({VIDEO_KINDS})")
    if missing := missing_bytes(path):
        raise damaged(path, f"its last {missing} bytes are missing")


def _open(path: Path) -> InputContainer:
    try:
        # The prefix keeps a name such as `a:b.mp4` from being taken for an address.
        return av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace")
    except FFmpegError as error:
        if looks_like_video(path):
            raise damaged(path, "its index is missing") from error
        raise InputError(
            f"{path} is not a video: its first bytes belong to no known container",
            f"give a video file ({VIDEO_KINDS}); the name alone does not make one",
        ) from error
