"""Formats for editing beside H.264: what they keep, and what they refuse."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray
from video.encoded import described

from void.errors import InputError
from void.video import VideoFormat, check_writable, probe, read_video, write_frames

SHAPE = (5, 33, 47)
DEEP = [VideoFormat.ffv1, VideoFormat.prores, VideoFormat.png16]


def smooth(shape: tuple[int, int, int] = SHAPE) -> NDArray[np.uint16]:
    """A moving gradient of 16 bits."""
    time, rows, columns, channels = np.mgrid[tuple(slice(0, side) for side in (*shape, 3))]
    wave = np.sin((rows + time) / 9 + channels) + np.cos((columns - 2 * time) / 11 + 2 * channels)
    return (32767 + 14000 * wave).astype(np.uint16)


def as_8_bits(frames: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return (frames >> 8).astype(np.uint8)


@pytest.mark.parametrize("format", [VideoFormat.ffv1, VideoFormat.png8, VideoFormat.png16])
def test_lossless_formats_keep_every_bit_of_any_size(tmp_path: Path, format: VideoFormat) -> None:
    target = tmp_path / f"a{format.suffix}"
    write_frames(target, as_8_bits(smooth()), SHAPE, 24, format=format)
    read_THWC, fps = read_video(target)
    assert np.array_equal(read_THWC, as_8_bits(smooth())) and fps == 24
    assert probe(target).frames == SHAPE[0]


def test_ffv1_keeps_16_bits(tmp_path: Path) -> None:
    write_frames(tmp_path / "a.mkv", smooth(), SHAPE, 24, format=VideoFormat.ffv1)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", tmp_path / "a.mkv", "-f", "rawvideo"]
    raw = subprocess.run([*command, "-pix_fmt", "rgb48le", "-"], capture_output=True, check=True).stdout
    assert np.array_equal(np.frombuffer(raw, np.uint16).reshape(*SHAPE, 3), smooth())


def test_png16_keeps_16_bits_and_takes_8(tmp_path: Path) -> None:
    write_frames(tmp_path / "a", smooth(), SHAPE, 24, format=VideoFormat.png16)
    picture = cv2.imread(str(tmp_path / "a" / "000003.png"), cv2.IMREAD_UNCHANGED)
    assert picture.dtype == np.uint16 and np.array_equal(picture[..., ::-1], smooth()[3])
    write_frames(tmp_path / "b", as_8_bits(smooth()), SHAPE, 24, format=VideoFormat.png16)
    picture = cv2.imread(str(tmp_path / "b" / "000003.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(picture[..., ::-1], as_8_bits(smooth())[3].astype(np.uint16) * 257)


def test_prores_is_10_bits_422_and_close(tmp_path: Path) -> None:
    shape = (5, 32, 48)
    write_frames(tmp_path / "a.mov", smooth(shape), shape, 24, format=VideoFormat.prores)
    assert "prores (HQ)" in described(tmp_path / "a.mov") and "yuv422p10le(tv, bt709" in described(tmp_path / "a.mov")
    assert np.abs(read_video(tmp_path / "a.mov")[0].astype(int) - (smooth(shape) >> 8)).max() <= 8


@pytest.mark.parametrize("format", list(VideoFormat))
def test_a_clip_that_breaks_off_leaves_nothing(tmp_path: Path, format: VideoFormat) -> None:
    def broken() -> Iterator[NDArray[np.uint8]]:
        yield np.zeros((32, 48, 3), np.uint8)
        raise ValueError("the model failed")

    with pytest.raises(ValueError, match="the model failed"):
        write_frames(tmp_path / f"a{format.suffix}", broken(), (3, 32, 48), 24, format=format)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="of the 3 frames"):
        write_frames(tmp_path / f"a{format.suffix}", np.zeros((2, 32, 48, 3), np.uint8), (3, 32, 48), 24, format=format)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", [VideoFormat.png8, VideoFormat.png16])
def test_a_folder_of_the_user_is_left_alone_and_one_of_ours_is_replaced(tmp_path: Path, format: VideoFormat) -> None:
    frames = as_8_bits(smooth())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "000000.png").write_text("mine")
    with pytest.raises(InputError, match="is not a folder of frames that void wrote"):
        write_frames(tmp_path / "a", frames, SHAPE, 24, format=format)
    assert (tmp_path / "a" / "000000.png").read_text() == "mine"
    for count in (5, 3):
        write_frames(tmp_path / "b", frames[:count], (count, *SHAPE[1:]), 24, format=format)
        assert probe(tmp_path / "b").frames == count
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds files that void did not write"):
        write_frames(tmp_path / "b", frames, SHAPE, 24, format=format)
    assert (tmp_path / "b" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("format", "size", "remedy"),
    [
        (VideoFormat.h264, (33, 47), "46x32"),
        (VideoFormat.prores, (33, 47), "46x33"),
        (VideoFormat.ffv1, (0, 47), "47x1"),
        (VideoFormat.png8, (33, 0), "1x33"),
    ],
)
def test_sizes_that_a_format_does_not_take(format: VideoFormat, size: tuple[int, int], remedy: str) -> None:
    with pytest.raises(InputError, match="width x height") as caught:
        check_writable("a", (3, *size), 24, format=format)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("format", [VideoFormat.prores, VideoFormat.ffv1])
def test_an_odd_height_is_taken_where_the_format_takes_it(tmp_path: Path, format: VideoFormat) -> None:
    write_frames(tmp_path / f"a{format.suffix}", as_8_bits(smooth((3, 33, 48))), (3, 33, 48), 24, format=format)
    assert read_video(tmp_path / f"a{format.suffix}")[0].shape == (3, 33, 48, 3)


def test_suffixes() -> None:
    assert [format.suffix for format in VideoFormat] == [".mp4", ".mkv", ".mov", "", ""]
    assert [format for format in VideoFormat if format.takes_16_bits] == DEEP
