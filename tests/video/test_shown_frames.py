"""Counting and reading give the frames that a player shows, in every container; damage is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from video.encoded import decode, encode, ffmpeg, moving_picture

from void.errors import InputError
from void.video import iter_video, probe, read_video

INTERLACED = ("-vf", "interlace", "-flags", "+ildct+ilme", "-pix_fmt", "yuv420p")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames with one keyframe; to be read, not changed."""
    return moving_picture(tmp_path_factory.mktemp("clip") / "a.mp4", "-g", "40", "-pix_fmt", "yuv420p")


def assert_shown(file: Path, frames: int, *options: str) -> None:
    """`probe`, `read_video` and `iter_video` agree with ffmpeg, and with the number of frames that is known."""
    expected_THWC = decode(file, *options)
    read_THWC, _ = read_video(file)
    assert len(expected_THWC) == probe(file).frames == len(read_THWC) == frames
    assert (probe(file).height, probe(file).width) == read_THWC.shape[1:3] == expected_THWC.shape[1:3]
    np.testing.assert_array_equal(np.stack([*iter_video(file)]), read_THWC)
    np.testing.assert_array_equal(read_video(file, max_frames=3)[0], read_THWC[:3])
    assert np.abs(read_THWC.astype(int) - expected_THWC).max() <= 2


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_clip_cut_without_encoding_has_the_frames_that_are_shown(tmp_path: Path, clip: Path, suffix: str) -> None:
    """The file holds 40 frames; its edit list shows 28."""
    cut = tmp_path / f"input_video{suffix}"
    ffmpeg("-ss", "0.5", "-i", clip, "-c", "copy", cut)
    assert_shown(cut, 28)
    np.testing.assert_array_equal(read_video(cut)[0], read_video(clip)[0][12:])


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi", "a.m4v", "a.MP4", "a.flv"])
def test_every_container_has_the_same_frames(tmp_path: Path, clip: Path, name: str) -> None:
    ffmpeg("-i", clip, "-c", "copy", tmp_path / name)
    assert_shown(tmp_path / name, 40)
    assert probe(tmp_path / name).fps == pytest.approx(24)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p")),
        ("a.webm", ("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "8", "-pix_fmt", "yuv420p")),
        ("a.mkv", ("-c:v", "libaom-av1", "-cpu-used", "8", "-pix_fmt", "yuv420p")),
        ("a.mp4", ("-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p")),
        ("a.mov", ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le")),
        ("a.avi", ("-c:v", "mpeg4", "-bf", "2")),
        ("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
        ("a.gif", ()),
    ],
)
def test_every_codec_gives_what_ffmpeg_shows(tmp_path: Path, name: str, codec: tuple[str, ...]) -> None:
    assert_shown(moving_picture(tmp_path / name, *codec, frames=14, size="66x50", rate="20"), 14)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_interlaced_frames_are_frames_not_fields_and_are_told(
    tmp_path: Path, name: str, codec: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = moving_picture(tmp_path / name, *INTERLACED, "-c:v", codec, frames=40, rate="50")
    # The chroma of each field belongs to its own lines, of which ffmpeg's default takes no account.
    assert_shown(file, 40, "-vf", "scale=interl=1")
    assert "is interlaced" in caplog.text and "bwdif" in caplog.text and caplog.text.count("is interlaced") == 1


def test_telecined_film_has_its_shown_frames(tmp_path: Path) -> None:
    file = moving_picture(tmp_path / "a.mpg", "-vf", "telecine", "-c:v", "mpeg2video", rate="24000/1001")
    assert_shown(file, 40)
    assert probe(file).fps == pytest.approx(30000 / 1001)


@pytest.mark.parametrize("options", [("90",), ("180",), ("-90",), ("90", "-display_hflip"), ("0", "-display_vflip")])
def test_turned_and_mirrored_clips_are_read_as_shown(tmp_path: Path, clip: Path, options: tuple[str, ...]) -> None:
    degrees, *flips = options
    ffmpeg("-display_rotation", degrees, *flips, "-i", clip, "-c", "copy", tmp_path / "turned.mp4")
    assert_shown(tmp_path / "turned.mp4", 40)


def test_a_crooked_rotation_is_told(tmp_path: Path, clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    ffmpeg("-display_rotation", "30", "-i", clip, "-c", "copy", tmp_path / "turned.mp4")
    np.testing.assert_array_equal(read_video(tmp_path / "turned.mp4")[0], read_video(clip)[0])
    assert "quarter turn" in caplog.text


def test_frames_that_change_their_size_are_scaled_to_the_first(tmp_path: Path) -> None:
    parts = [moving_picture(tmp_path / f"{size}.ts", frames=6, size=size) for size in ("64x48", "96x72")]
    (tmp_path / "a.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert read_video(tmp_path / "a.ts")[0].shape == (11, 48, 64, 3) == decode(tmp_path / "a.ts").shape


def test_sound_and_cover_pictures_are_not_the_clip(tmp_path: Path, clip: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-i", clip, "-map", "0", "-map", "1", tmp_path / "a.mp4")
    assert probe(tmp_path / "a.mp4").frames == 40


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.webm"])
def test_a_cut_file_of_a_container_without_an_index_of_frames_is_refused(tmp_path: Path, name: str) -> None:
    codec = ("-c:v", "libvpx") if name == "a.webm" else ()
    file = moving_picture(tmp_path / name, *codec)
    content = file.read_bytes()
    for cut in (len(content) // 3, len(content) * 2 // 3, len(content) - 1):
        file.write_bytes(content[:cut])
        for reader in (probe, read_video):
            with pytest.raises(InputError, match="truncated or damaged"):
                reader(file)


def test_a_changed_file_is_counted_again(tmp_path: Path) -> None:
    file = moving_picture(tmp_path / "a.mp4", frames=5)
    assert probe(file).frames == 5
    moving_picture(file, frames=7)
    assert probe(file).frames == 7


def test_a_file_without_a_usable_decoder_is_refused_with_a_command(tmp_path: Path) -> None:
    file = moving_picture(tmp_path / "a.avi", "-c:v", "mpeg4")
    file.write_bytes(file.read_bytes().replace(b"FMP4", b"QQQQ"))
    with pytest.raises(InputError, match=r"no decoder here knows its codec|does not decode") as caught:
        read_video(file)
    assert str(file) in caught.value.problem


def test_frames_are_decoded_only_as_far_as_they_are_asked_for(clip: Path) -> None:
    frames: Iterator[object] = iter_video(clip)
    assert next(frames) is not None
    frames.close()  # type: ignore[attr-defined]


def test_transparent_pixels_are_black_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    white_THWC = np.full((3, 32, 48, 3), 255, np.uint8)
    ramp = ("-vf", "format=rgba,geq=r=255:g=255:b=255:a='if(lt(X,24),255,0)'", "-c:v", "qtrle")
    with caplog.at_level(logging.WARNING):
        read_THWC, _ = read_video(encode(tmp_path / "a.mov", white_THWC, *ramp))
    assert (read_THWC[:, :, :24] == 255).all() and (read_THWC[:, :, 24:] == 0).all()
    assert "transparent" in caplog.text
