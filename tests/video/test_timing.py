"""Rates, time stamps and the shape of pixels: read, and written back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video.encoded import described, ffmpeg, moving_picture

from void.video import VideoFormat, probe, read_video, write_frames
from void.video.info import largest_shift, timing

SLOWING = "setpts='if(lt(N,10),N,N*2-10)/24/TB'"
TIMES = (0.0, 0.04, 0.08, 0.2, 0.24, 0.5, 0.6, 0.7, 0.9)
FILES = [VideoFormat.h264, VideoFormat.ffv1, VideoFormat.prores]


def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (9, 32, 48, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_varying_rate_is_read_as_time_stamps(tmp_path: Path, name: str) -> None:
    file = moving_picture(tmp_path / name, "-vf", SLOWING, "-fps_mode", "vfr", frames=20)
    info = probe(file)
    expected = [index / 24 if index < 10 else (2 * index - 10) / 24 for index in range(20)]
    assert info.timestamps == pytest.approx(expected, abs=1e-3)
    assert info.fps == pytest.approx(19 / expected[-1], rel=1e-3) and read_video(file)[1] == info.fps
    assert largest_shift(expected, info.fps) > 0.1


@pytest.mark.parametrize("rate", ["24", "30000/1001", "25", "60", "10", "1"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_an_even_rate_is_one_number(tmp_path: Path, name: str, rate: str) -> None:
    info = probe(moving_picture(tmp_path / name, "-pix_fmt", "yuv420p", frames=12, size="64x48", rate=rate))
    assert info.timestamps is None and info.fps == pytest.approx(float(Fraction(rate)), rel=1e-4)


def test_jitter_of_a_phone_is_not_a_varying_rate_and_a_dropped_frame_is() -> None:
    even = np.arange(90) / 30
    jitter = even + np.random.default_rng(1).uniform(-1.5e-3, 1.5e-3, 90)
    jitter[0] = 0
    fps, timestamps = timing(list(jitter), [Fraction(30)])
    assert (fps, timestamps) == (30.0, None)
    dropped = np.delete(even, 40)
    fps, timestamps = timing(list(dropped), [Fraction(30)])
    assert timestamps == pytest.approx(dropped) and fps == pytest.approx(88 / dropped[-1])


def test_times_without_order_fall_back_to_what_the_file_states() -> None:
    assert timing([0.0, 0.5, 0.3, 0.4], [Fraction(600), Fraction(8)]) == (8.0, None)
    assert timing([0.0], [None, None]) == (25.0, None)


@pytest.mark.parametrize("format", FILES)
def test_time_stamps_and_shape_of_pixels_are_written(tmp_path: Path, format: VideoFormat) -> None:
    file = tmp_path / f"a{format.suffix}"
    shape = Fraction(16, 9)
    write_frames(file, iter(frames()), (9, 32, 48), 10, format=format, sample_aspect_ratio=shape, timestamps=TIMES)
    info = probe(file)
    assert info.timestamps == pytest.approx(TIMES, abs=1e-3)
    assert (info.frames, info.sample_aspect_ratio) == (9, shape) and "SAR 16:9" in described(file)


@pytest.mark.parametrize("format", [VideoFormat.png8, VideoFormat.png16])
def test_a_folder_of_frames_keeps_rate_times_and_shape(tmp_path: Path, format: VideoFormat) -> None:
    shape = Fraction(16, 9)
    keeps = {"format": format, "sample_aspect_ratio": shape}
    write_frames(tmp_path / "even", frames(), (9, 32, 48), 23.976, **keeps)
    write_frames(tmp_path / "uneven", frames(), (9, 32, 48), 10, timestamps=TIMES, **keeps)
    assert (probe(tmp_path / "even").fps, probe(tmp_path / "even").sample_aspect_ratio) == (23.976, shape)
    assert probe(tmp_path / "uneven").timestamps == TIMES


def test_the_shape_of_pixels_is_read_and_turns_with_the_picture(tmp_path: Path) -> None:
    file = moving_picture(tmp_path / "a.mp4", "-vf", "setsar=16/9", frames=3)
    assert probe(file).sample_aspect_ratio == Fraction(16, 9)
    ffmpeg("-display_rotation", "90", "-i", file, "-c", "copy", tmp_path / "turned.mp4")
    turned = probe(tmp_path / "turned.mp4")
    assert (turned.height, turned.width, turned.sample_aspect_ratio) == (160, 120, Fraction(9, 16))


def test_a_failing_encoder_is_told_with_time_stamps_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable = tmp_path / "ffmpeg"
    executable.write_text("#!/bin/sh\necho 'encoder exploded' >&2; exit 3\n")
    executable.chmod(0o755)
    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", lambda: str(executable))
    with pytest.raises(RuntimeError, match=r"status 3 while writing .*a\.mp4:\nencoder exploded"):
        write_frames(tmp_path / "out" / "a.mp4", frames(), (9, 32, 48), 10, timestamps=TIMES)
    assert list((tmp_path / "out").iterdir()) == []
