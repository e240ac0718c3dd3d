"""Names and containers of a user's clip: taken, or refused with what was seen and what to do."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from pipelines.user_clips import user_frames, user_mask, write_clip

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines.clip_folders import MaskKind, clip_fingerprint, find_clips, read_clip_folder
from void.pipelines.clip_results import write_result
from void.pipelines.clips import load_clip
from void.pipelines.frame_fit import Box, frame_fit
from void.recipe import Aspect
from void.video import probe, read_video, write_mask

SLOWING = ("-vf", "setpts='if(lt(N,4),N,N*3-8)/24/TB'", "-fps_mode", "vfr")


@pytest.fixture
def config(toy_config: Callable[..., VoidConfig]) -> VoidConfig:
    return toy_config("data.height=32", "data.width=48")


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments)], check=True)


def converted(folder: Path, name: str, *options: str) -> Path:
    """A clip folder whose clip has another name, container or form."""
    write_clip(folder)
    ffmpeg("-i", folder / "input_video.mp4", *options, folder / f".made{Path(name).suffix.lower()}")
    (folder / "input_video.mp4").unlink()
    (folder / f".made{Path(name).suffix.lower()}").rename(folder / name)
    return folder


@pytest.mark.parametrize(
    "name",
    ["input_video.mov", "input_video.MP4", "INPUT_VIDEO.mkv", "Input_Video.webm", "input_video.avi", "input_video.m4v"],
)
def test_containers_and_case(tmp_path: Path, config: VoidConfig, name: str) -> None:
    codec = ("-c:v", "libvpx-vp9") if name.endswith("webm") else ()
    folder = converted(tmp_path / "a", name, *codec)
    assert [clip.video.name for clip in find_clips(tmp_path)] == [name]
    assert load_clip(folder, config).frames == 7


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_folder_of_frames_is_a_clip(tmp_path: Path, config: VoidConfig, suffix: str) -> None:
    folder = write_clip(tmp_path / "a")
    (folder / "input_video.mp4").unlink()
    (folder / "input_video").mkdir()
    for index, frame_HWC in enumerate(user_frames(7, 32, 48)):
        coded = cv2.imencode(suffix, frame_HWC[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
        (folder / "input_video" / f"frame_{index + 1}{suffix}").write_bytes(coded.tobytes())
    clip = load_clip(folder, config)
    assert clip.frames == 7
    assert np.abs(clip.video_THWC[:7].astype(int) - user_frames(7, 32, 48)).max() <= (0 if suffix == ".png" else 24)
    before = clip_fingerprint(read_clip_folder(folder))
    (folder / "input_video" / f"frame_3{suffix}").write_bytes(
        (folder / "input_video" / f"frame_4{suffix}").read_bytes()
    )
    assert clip_fingerprint(read_clip_folder(folder)) != before


@pytest.mark.parametrize(
    ("name", "kind"),
    [("QuadMask_0.MP4", MaskKind.quadmask), ("Mask.mp4", MaskKind.quadmask), ("MASK_0.mp4", MaskKind.binary)],
)
def test_the_case_of_a_masks_name_says_nothing(tmp_path: Path, name: str, kind: MaskKind) -> None:
    assert read_clip_folder(write_clip(tmp_path / "a", mask=name)).mask_kind is kind


def test_a_picture_beside_a_mask_video_is_not_a_second_mask(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "a")
    cv2.imwrite(str(folder / "mask_preview.png"), np.zeros((8, 8), np.uint8))
    assert [mask.name for mask in read_clip_folder(folder).masks] == ["quadmask_0.mp4"]


def test_two_clips_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "a")
    ffmpeg("-i", folder / "input_video.mp4", "-c", "copy", folder / "input_video.mov")
    with pytest.raises(InputError, match=r"2 clips: input_video\.mov, input_video\.mp4"):
        find_clips(folder)


def test_a_clip_under_another_name_is_named_with_the_command(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "a clip")
    (folder / "input_video.mp4").rename(folder / "IMG_0001.MOV")
    with pytest.raises(InputError, match=r"input_video\.mp4 does not exist; the folder holds IMG_0001\.MOV") as caught:
        find_clips(folder)
    subprocess.run(shlex.split(caught.value.remedy.split("its name: ")[1]), check=True)
    assert find_clips(folder)[0].video.name == "input_video.mov"


def test_an_unknown_kind_is_named_with_the_command_that_converts_it(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "a")
    ffmpeg("-i", folder / "input_video.mp4", "-f", "matroska", folder / "input_video.strange")
    (folder / "input_video.mp4").unlink()
    with pytest.raises(InputError, match=r"input_video\.strange is not among the kinds") as caught:
        find_clips(folder)
    program, *arguments = shlex.split(caught.value.remedy.split("convert it: ")[1])
    assert program == "ffmpeg"
    ffmpeg(*arguments)
    assert probe(folder / "input_video.mp4").frames == 7


def test_masks_under_other_names_are_named(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "a")
    (folder / "quadmask_0.mp4").rename(folder / "my-mask.mp4")
    with pytest.raises(InputError, match=r"holds no mask by name and kind: not my-mask\.mp4"):
        find_clips(folder)


def test_the_shape_of_pixels_is_kept_and_decides_the_fit(tmp_path: Path, config: VoidConfig) -> None:
    folder = converted(tmp_path / "a", "input_video.mp4", "-vf", "setsar=16/9", "-crf", "1")
    clip = load_clip(folder, config)
    # 48 x 32 pixels are shown as 85.3 x 32: over the width of 48 the picture is 18 rows high.
    assert clip.fit.model == Box(7, 0, 18, 48) and clip.info.sample_aspect_ratio == Fraction(16, 9)
    mask = user_mask(7, 32, 48).resize(18, 48)
    assert np.array_equal(clip.quadmask[:7, 7:25].pack(), mask.pack())
    source = read_clip_folder(folder)
    info = write_result(tmp_path / "out.mp4", clip.video_THWC, clip, source, config)
    assert info == probe(tmp_path / "out.mp4") and info.sample_aspect_ratio == Fraction(16, 9)
    assert (info.height, info.width) == (32, 48)


def test_a_mask_drawn_on_the_picture_as_it_is_shown_fits(tmp_path: Path, config: VoidConfig) -> None:
    folder = converted(tmp_path / "a", "input_video.mp4", "-vf", "setsar=16/9", "-crf", "1")
    write_mask(folder / "quadmask_0.mp4", user_mask(7, 64, 170), 24)
    shown = load_clip(folder, config).quadmask[:7]
    write_mask(folder / "quadmask_0.mp4", user_mask(7, 32, 48), 24)
    stored = load_clip(folder, config).quadmask[:7]
    assert (shown.pack() != stored.pack()).mean() < 0.05
    write_mask(folder / "quadmask_0.mp4", user_mask(7, 64, 64), 24)
    with pytest.raises(InputError, match="another aspect ratio"):
        load_clip(folder, config)


def test_fits_of_pixels_that_are_not_square() -> None:
    wide = frame_fit((480, 720), (480, 720), Aspect.crop, Fraction(4, 3))
    assert wide.source == Box(0, 90, 480, 540)
    tall = frame_fit((480, 720), (480, 720), Aspect.letterbox, Fraction(2, 3))
    assert tall.model == Box(0, 120, 480, 480)


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_times_of_a_varying_rate_are_kept_in_the_result(tmp_path: Path, config: VoidConfig, container: str) -> None:
    folder = converted(tmp_path / "a", f"input_video.{container}", *SLOWING)
    clip, source = load_clip(folder, config), read_clip_folder(folder)
    assert clip.info.timestamps is not None
    write_result(tmp_path / "out.mp4", clip.video_THWC, clip, source, config)
    expected = [number / 24 for number in (0, 1, 2, 3, 4, 7, 10)]
    assert probe(tmp_path / "out.mp4").timestamps == pytest.approx(expected, abs=2e-3)


def test_a_result_of_an_even_rate_says_how_far_times_shift(
    tmp_path: Path, toy_config: Callable[..., VoidConfig], caplog: pytest.LogCaptureFixture
) -> None:
    config = toy_config("recipe=released", "data.height=32", "data.width=48", "infer.window=13", "infer.overlap=8")
    folder = converted(
        tmp_path / "a", "input_video.mp4", "-vf", "setpts='if(lt(N,4),N,N*3-8)/24/TB'", "-fps_mode", "vfr"
    )
    clip = load_clip(folder, config)
    # The mean is 14.4 frames a second; frame 4 is shown at 4/24 s and belongs to 4/14.4 s.
    assert f"frames shift by up to {4 / 14.4 - 4 / 24:.2f} s" in caplog.text
    write_result(tmp_path / "out.mp4", clip.video_THWC, clip, read_clip_folder(folder), config)
    assert probe(tmp_path / "out.mp4").fps == 12


def test_a_cut_phone_clip_meets_a_mask_of_what_is_shown(tmp_path: Path, config: VoidConfig) -> None:
    """The case that no mask of any length could satisfy: 40 frames in the file, 28 shown."""
    whole = tmp_path / "whole.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=160x120:r=24", "-frames:v", "40", "-g", "40", "-pix_fmt", "yuv420p", whole)
    folder = write_clip(tmp_path / "a", 28, 120, 160)
    ffmpeg("-ss", "0.5", "-i", whole, "-c", "copy", folder / "input_video.mp4")
    clip = load_clip(folder, config)
    assert clip.frames == clip.info.frames == 28
    write_result(tmp_path / "out.mp4", clip.video_THWC, clip, read_clip_folder(folder), config)
    assert len(read_video(tmp_path / "out.mp4")[0]) == 28
