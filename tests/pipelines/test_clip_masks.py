"""Masks of other programs: lossy, in limited range, one for each object, one for all frames, as pictures."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray
from pipelines.user_clips import user_mask, write_clip

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines.clip_folders import clip_fingerprint, read_clip_folder
from void.pipelines.clip_masks import iter_mask
from void.pipelines.clips import load_clip
from void.quadmask import LEVELS, Quadmask, snap

SIZE = (7, 120, 160)


@pytest.fixture
def config(toy_config: Callable[..., VoidConfig]) -> VoidConfig:
    return toy_config("data.height=32", "data.width=48")


def encode_grey(file: Path, grey_THW: NDArray[np.uint8], *codec: str) -> None:
    _, height, width = grey_THW.shape
    source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", "24", "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *source, *codec, str(file)]
    subprocess.run(command, input=grey_THW.tobytes(), check=True)


def round_mask() -> Quadmask:
    """A moving disk to be removed, over a larger one that changes: curved outlines between all levels."""
    frames, height, width = SIZE
    time, rows, columns = np.mgrid[0:frames, 0:height, 0:width]
    primary_THW = (rows - 60) ** 2 + (columns - 64 - 2 * time) ** 2 < 24**2
    affected_THW = (rows - 72) ** 2 / 4 + (columns - 64 - time) ** 2 < 36**2
    return Quadmask(primary_THW, affected_THW)


def clip_with(folder: Path, mask: Quadmask | None = None, name: str = "quadmask_0.mp4", *codec: str) -> Path:
    write_clip(folder, *SIZE)
    (folder / "quadmask_0.mp4").unlink()
    if mask is not None:
        encode_grey(folder / name, mask.pack(), *codec)
    return folder


def read(folder: Path) -> Quadmask:
    frames = [*iter_mask(read_clip_folder(folder), SIZE[0])]
    return Quadmask(
        *(np.concatenate([getattr(mask, layer) for mask in frames]) for layer in ("primary_THW", "affected_THW"))
    )


@pytest.mark.parametrize("crf", ["18", "23", "28"])
def test_a_lossy_quadmask_is_taken_and_told(tmp_path: Path, crf: str, caplog: pytest.LogCaptureFixture) -> None:
    codec = ("-c:v", "libx264", "-crf", crf, "-pix_fmt", "yuv420p")
    mask = read(clip_with(tmp_path / "a", round_mask(), "quadmask_0.mp4", *codec))
    wrong = mask.pack() != round_mask().pack()
    outline = np.abs(np.diff(round_mask().pack().astype(int), axis=1, prepend=255)).astype(bool)
    near = np.stack([cv2.dilate(frame.astype(np.uint8), np.ones((7, 7))) for frame in outline]).astype(bool)
    assert wrong.mean() < 0.005 and not (wrong & ~near).any()
    assert "quadmask_0.mp4: " in caplog.text and "pixels" in caplog.text and "at most" in caplog.text


def test_a_quadmask_of_another_codec_is_taken(tmp_path: Path) -> None:
    mask = read(clip_with(tmp_path / "a", round_mask(), "quadmask_0.avi", "-c:v", "mpeg4", "-q:v", "2"))
    assert (mask.pack() != round_mask().pack()).mean() < 0.005


def test_an_exact_quadmask_is_read_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mask = read(clip_with(tmp_path / "a", round_mask(), "quadmask_0.mp4", "-c:v", "libx264", "-qp", "0"))
    assert np.array_equal(mask.pack(), round_mask().pack())
    assert "pixels" not in caplog.text


@pytest.mark.parametrize("value", [100, 95, 191, 32, 200])
def test_an_area_far_from_every_level_is_refused(tmp_path: Path, value: int) -> None:
    grey_THW = round_mask().pack()
    grey_THW[3, 4:10, 4:10] = value
    folder = clip_with(tmp_path / "a")
    encode_grey(folder / "quadmask_0.mkv", grey_THW, "-c:v", "ffv1", "-pix_fmt", "gray")
    with pytest.raises(
        InputError, match=rf"quadmask_0\.mkv, from frame 3 on, holds grey .*: {value} \(36 pixels"
    ) as caught:
        read(folder)
    assert "quantise" in caught.value.remedy


def test_a_raw_limited_range_quadmask_is_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Programs that write luma as it is leave 16, 70, 125 and 235."""
    table = np.zeros(256, np.uint8)
    table[list(LEVELS)] = (16, 70, 125, 235)
    folder = clip_with(tmp_path / "a")
    encode_grey(folder / "quadmask_0.mkv", table[round_mask().pack()], "-c:v", "ffv1", "-pix_fmt", "gray")
    assert np.array_equal(read(folder).pack(), round_mask().pack())
    assert "(100.00%) are not 0, 63, 127 or 255; they are read as levels at most 20 away" in caplog.text


def test_a_blend_between_two_levels_becomes_one_of_them() -> None:
    grey_HW = np.full((9, 12), 255, np.uint8)
    grey_HW[:, :5], grey_HW[:, 5], grey_HW[:, 6] = 0, 95, 165
    levels_HW, stray_HW = snap(grey_HW)
    assert levels_HW[0].tolist() == [0] * 6 + [255] * 6 and not stray_HW.any()
    grey_HW[4, 10] = 95
    assert np.argwhere(snap(grey_HW)[1]).tolist() == [[4, 10]]


@pytest.mark.parametrize("white", [255, 235])
@pytest.mark.parametrize("codec", [("-c:v", "ffv1", "-pix_fmt", "gray"), ("-c:v", "libx264", "-crf", "18")])
def test_binary_masks_of_either_range(tmp_path: Path, white: int, codec: tuple[str, ...]) -> None:
    folder = clip_with(tmp_path / "a")
    primary_THW = user_mask(*SIZE).primary_THW
    encode_grey(folder / "mask_0.mkv", np.where(primary_THW, white, 16).astype(np.uint8), *codec)
    mask = read(folder)
    assert np.array_equal(mask.primary_THW, primary_THW) and not mask.affected_THW.any()


def test_several_binary_masks_are_joined(tmp_path: Path, config: VoidConfig) -> None:
    folder = clip_with(tmp_path / "a")
    first_THW, second_THW = user_mask(*SIZE).primary_THW, user_mask(*SIZE).affected_THW
    for index, layer_THW in enumerate((first_THW, second_THW)):
        white = np.where(layer_THW, 255, 0).astype(np.uint8)
        encode_grey(folder / f"mask_{index}.mp4", white, "-c:v", "libx264", "-qp", "0")
    files = read_clip_folder(folder)
    assert [mask.name for mask in files.masks] == ["mask_0.mp4", "mask_1.mp4"]
    assert np.array_equal(read(folder).primary_THW, first_THW | second_THW)
    assert load_clip(folder, config).quadmask.primary_THW.any()
    both = clip_fingerprint(files)
    (folder / "mask_1.mp4").unlink()
    assert np.array_equal(read(folder).primary_THW, first_THW)
    assert clip_fingerprint(read_clip_folder(folder)) != both


def test_every_mask_must_fit_the_clip(tmp_path: Path, config: VoidConfig) -> None:
    folder = clip_with(tmp_path / "a")
    encode_grey(folder / "mask_0.mp4", np.full(SIZE, 255, np.uint8), "-c:v", "libx264")
    encode_grey(folder / "mask_1.mp4", np.full((6, *SIZE[1:]), 255, np.uint8), "-c:v", "libx264")
    with pytest.raises(InputError, match=r"mask_1\.mp4 has 6 frames, input_video\.mp4 has 7"):
        load_clip(folder, config)


@pytest.mark.parametrize("name", ["quadmask_0.png", "mask.PNG", "quadmask_0.mkv"])
def test_one_frame_counts_for_all(
    tmp_path: Path, config: VoidConfig, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = clip_with(tmp_path / "a")
    still_HW = round_mask().pack()[0]
    if name.endswith("mkv"):
        encode_grey(folder / name, still_HW[None], "-c:v", "ffv1", "-pix_fmt", "gray")
    else:
        (folder / name).write_bytes(cv2.imencode(".png", still_HW)[1].tobytes())
    with caplog.at_level(logging.INFO):
        assert np.array_equal(read(folder).pack(), np.repeat(still_HW[None], SIZE[0], axis=0))
    assert "counts for all 7 frames" in caplog.text
    assert load_clip(folder, config).quadmask.primary_THW.all(axis=0).any()


def test_what_is_odd_about_a_mask_is_said_once_however_often_it_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lossy = clip_with(tmp_path / "a")
    encode_grey(lossy / "quadmask_0.mkv", round_mask().pack()[:1] // 2 * 2, "-c:v", "ffv1", "-pix_fmt", "gray")
    dim = clip_with(tmp_path / "b")
    encode_grey(dim / "mask_0.mkv", np.full(SIZE, 235, np.uint8), "-c:v", "ffv1", "-pix_fmt", "gray")
    with caplog.at_level(logging.INFO):
        for folder in (lossy, dim) * 3:
            read(folder)
    for said in ("counts for all 7 frames", "read as levels at most 1 away", "white of limited range"):
        assert caplog.text.count(said) == 1


@pytest.mark.parametrize("bits", [8, 16])
def test_a_folder_of_pictures_is_a_mask(tmp_path: Path, bits: int) -> None:
    folder = clip_with(tmp_path / "a")
    (folder / "quadmask_0").mkdir()
    for index, grey_HW in enumerate(round_mask().pack()):
        picture = grey_HW if bits == 8 else grey_HW.astype(np.uint16) * 257
        (folder / "quadmask_0" / f"{index}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    assert np.array_equal(read(folder).pack(), round_mask().pack())
