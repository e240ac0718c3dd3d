"""A user's clip: which files count, how they are fitted, and how a result goes back."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pipelines.user_clips import user_frames, user_mask, write_clip
from torch.nn.functional import interpolate

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines.clip_folders import MaskKind, find_clips, read_clip_folder
from void.pipelines.clip_results import write_result
from void.pipelines.clips import load_clip, mirrored, padded_length
from void.pipelines.frame_fit import Box, frame_fit
from void.quadmask import Quadmask
from void.recipe import Aspect, RecipeConfig, VideoResize
from void.video import VideoInfo, read_video, write_mask, write_video

SHARED = Path(__file__).parents[2] / "../shared"
MODEL = (32, 48)


@pytest.fixture
def config(toy_config: Callable[..., VoidConfig]) -> VoidConfig:
    return toy_config("data.height=32", "data.width=48")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("quadmask_0.mp4", MaskKind.quadmask),
        ("quadmask_3.mp4", MaskKind.quadmask),
        ("trimask_quadmask.mp4", MaskKind.quadmask),
        ("mask.mp4", MaskKind.quadmask),
        ("mask_0.mp4", MaskKind.binary),
    ],
)
def test_released_mask_names(tmp_path: Path, name: str, kind: MaskKind) -> None:
    found = read_clip_folder(write_clip(tmp_path / "a", mask=name))
    assert (found.mask.name, found.mask_kind, found.caption, found.id) == (name, kind, "an empty wall", "a")


def test_a_folder_of_folders_by_name(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        write_clip(tmp_path / name)
    (tmp_path / "notes").mkdir()
    assert [clip.id for clip in find_clips(tmp_path)] == ["a", "b", "c"]
    assert [clip.id for clip in find_clips(tmp_path / "b")] == ["b"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [(None, "does not exist"), ("{", "JSON"), ("{}", '"bg"'), ('{"bg": " "}', "' '"), ("[]", '"bg"')],
)
def test_prompt_errors(tmp_path: Path, text: str | None, shown: str) -> None:
    file = write_clip(tmp_path / "a") / "prompt.json"
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(InputError) as caught:
        find_clips(tmp_path)
    assert str(file) in caught.value.problem and shown in caught.value.problem and '"bg"' in caught.value.remedy


def test_a_prompt_of_another_encoding_is_converted_not_rewritten(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "a") / "prompt.json"
    file.write_text('{"bg": "a wall"}', encoding="utf-16")
    with pytest.raises(InputError, match="UTF-16") as caught:
        find_clips(tmp_path)
    assert f"iconv -f UTF-16 -t UTF-8 {file} >" in caught.value.remedy


def test_missing_files_and_two_masks(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "a")
    write_mask(folder / "mask.mp4", user_mask(7, 32, 48), 24)
    with pytest.raises(InputError, match=r"2 masks: mask.mp4, quadmask_0.mp4"):
        find_clips(folder)
    (folder / "mask.mp4").unlink()
    (folder / "quadmask_0.mp4").unlink()
    with pytest.raises(InputError, match="no mask"):
        find_clips(folder)
    (folder / "input_video.mp4").unlink()
    with pytest.raises(InputError, match=r"input_video.mp4 does not exist"):
        find_clips(folder)
    (folder / "prompt.json").unlink()
    with pytest.raises(InputError, match="no clip"):
        find_clips(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        find_clips(tmp_path / "nowhere")


@pytest.mark.parametrize(("shape", "shown"), [((6, 32, 48), "6 frames"), ((7, 32, 32), "aspect ratio")])
def test_a_mask_of_another_clip(tmp_path: Path, config: VoidConfig, shape: tuple[int, int, int], shown: str) -> None:
    folder = write_clip(tmp_path / "a")
    write_mask(folder / "quadmask_0.mp4", user_mask(*shape), 24)
    with pytest.raises(InputError, match=shown):
        load_clip(folder, config)


@pytest.mark.parametrize("fps", [0.0, float("nan"), 1e6])
def test_impossible_rates(tmp_path: Path, config: VoidConfig, monkeypatch: pytest.MonkeyPatch, fps: float) -> None:
    folder = write_clip(tmp_path / "a")
    monkeypatch.setattr("void.pipelines.clip_checks.probe", lambda path: VideoInfo(7, 32, 48, fps))
    with pytest.raises(InputError, match="frames per second"):
        load_clip(folder, config)


def test_a_mask_of_another_size_is_fitted_too(tmp_path: Path, config: VoidConfig) -> None:
    folder = write_clip(tmp_path / "a", height=64, width=96)
    write_mask(folder / "quadmask_0.mp4", user_mask(7, 32, 48), 24)
    assert np.array_equal(load_clip(folder, config).quadmask[:7].pack(), user_mask(7, 32, 48).pack())


def test_white_is_removed_of_a_binary_mask(tmp_path: Path, config: VoidConfig) -> None:
    folder = write_clip(tmp_path / "a")
    (folder / "quadmask_0.mp4").unlink()
    primary = user_mask(7, 32, 48).primary_THW
    white_THWC = np.repeat(np.where(primary, 255, 0).astype(np.uint8)[..., None], 3, -1)
    write_video(folder / "mask_0.mp4", white_THWC, 24, crf=0)
    loaded = load_clip(folder, config).quadmask
    assert np.array_equal(loaded.primary_THW[:7], primary) and not loaded.affected_THW.any()


def test_foreign_grey_values(tmp_path: Path, config: VoidConfig) -> None:
    folder = write_clip(tmp_path / "a")
    write_video(folder / "quadmask_0.mp4", np.full((7, 32, 48, 3), 100, np.uint8), 24)
    with pytest.raises(InputError, match="quantise"):
        load_clip(folder, config)


def test_a_mask_that_removes_nothing_warns(
    tmp_path: Path, config: VoidConfig, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_clip(tmp_path / "a")
    empty = np.zeros((7, 32, 48), bool)
    write_mask(folder / "quadmask_0.mp4", Quadmask(empty, empty), 24)
    with caplog.at_level(logging.WARNING):
        load_clip(folder, config)
    assert "removes nothing" in caplog.text


def test_boxes() -> None:
    wide, tall = (360, 640), (640, 360)
    assert frame_fit(wide, (384, 672), Aspect.stretch).model == Box(0, 0, 384, 672)
    letterboxed = frame_fit(tall, (384, 672), Aspect.letterbox)
    assert letterboxed.model == Box(0, 228, 384, 216) and letterboxed.sees_all
    cropped = frame_fit(tall, (384, 672), Aspect.crop)
    assert cropped.source == Box(217, 0, 206, 360) and not cropped.sees_all


@pytest.mark.parametrize("aspect", list(Aspect))
def test_there_and_back(aspect: Aspect) -> None:
    frame = user_frames(1, 64, 64)[0]
    fit = frame_fit((64, 64), (64, 96), aspect)
    fitted = fit.frame(frame, VideoResize.area)
    assert fitted.shape == (64, 96, 3)
    back = fit.restore(fitted, frame)
    assert np.abs(back.astype(int) - frame).max() <= 6
    if aspect is Aspect.letterbox:
        assert (fitted[:, :16] == fitted[:, 16:17]).all() and np.array_equal(back, frame)
    if aspect is Aspect.crop:
        black = fit.restore(np.zeros_like(fitted), frame)
        assert np.array_equal(black[: fit.source.top], frame[: fit.source.top])
        assert not black[fit.source.rows].any()


def test_bars_repeat_the_edge_of_the_mask() -> None:
    fit = frame_fit((64, 64), (64, 96), Aspect.letterbox)
    left = np.zeros((1, 64, 64), bool)
    left[:, 20:30, :5] = True
    fitted = fit.mask(Quadmask(left, np.zeros_like(left)), RecipeConfig().mask_resize)
    assert fitted.primary_THW[:, 20:30, :21].all() and fitted.primary_THW.sum() == 10 * 21
    assert not fitted.affected_THW.any()


@pytest.mark.parametrize(("frames", "expected"), [(1, 5), (5, 5), (7, 13), (85, 85), (90, 93), (198, 205)])
def test_lengths(frames: int, expected: int) -> None:
    assert padded_length(frames, RecipeConfig(), 85) == expected
    assert padded_length(frames, RecipeConfig(pad_to_window=True), 85) == max(85, expected)


def test_repeated_mirror() -> None:
    assert mirrored(3, 8) == [0, 1, 2, 2, 1, 0, 0, 1]


def test_max_frames_cuts_and_warns(tmp_path: Path, config: VoidConfig, caplog: pytest.LogCaptureFixture) -> None:
    config.recipe.max_frames = 5
    with caplog.at_level(logging.WARNING):
        clip = load_clip(write_clip(tmp_path / "a"), config)
    assert clip.frames == len(clip.video_THWC) == 5 and "first 5 of 7" in caplog.text


def test_released_loading_is_adaptive_pooling(tmp_path: Path, toy_config: Callable[..., VoidConfig]) -> None:
    config = toy_config("recipe=released", "data.height=32", "data.width=48", "infer.window=13", "infer.overlap=8")
    folder = write_clip(tmp_path / "a", height=70, width=90)
    clip = load_clip(folder, config)
    source_THWC, _ = read_video(folder / "input_video.mp4")
    order = [*range(7), *range(6, 0, -1)]
    pooled = interpolate(torch.from_numpy(source_THWC).permute(0, 3, 1, 2).double(), size=MODEL, mode="area")
    expected_THWC = pooled.permute(0, 2, 3, 1).numpy()[order]
    assert clip.video_THWC.shape == (13, *MODEL, 3)
    assert np.abs(clip.video_THWC - expected_THWC).max() <= 0.51
    grey = torch.from_numpy(user_mask(7, 70, 90).pack())[:, None].double()
    blended = interpolate(grey, size=MODEL, mode="area")[:, 0].numpy()[order]
    levels = np.select([blended <= 31, blended <= 95, blended <= 191], [0, 63, 127], 255)
    assert np.array_equal(clip.quadmask.pack(), levels)


@pytest.mark.parametrize("aspect", list(Aspect))
@pytest.mark.parametrize("size", [(50, 90), (51, 91)])
def test_results_get_length_size_and_rate_back(
    tmp_path: Path, config: VoidConfig, aspect: Aspect, size: tuple[int, int]
) -> None:
    config.infer.aspect = aspect
    folder = write_clip(tmp_path / "a", height=50, width=90)
    source = read_clip_folder(folder)
    clip = load_clip(source, config)
    if size != (50, 90):
        clip = type(clip)(**{**vars(clip), "fit": frame_fit(size, MODEL, Aspect.stretch)})
    info = write_result(tmp_path / "out.mp4", clip.video_THWC, clip, source, config)
    frames_THWC, fps = read_video(tmp_path / "out.mp4")
    assert frames_THWC.shape == (7, 50, 90, 3) and fps == 24
    assert info == VideoInfo(7, 50, 90, 24)


def test_released_results_keep_the_models_form(tmp_path: Path, toy_config: Callable[..., VoidConfig]) -> None:
    config = toy_config("recipe=released", "data.height=32", "data.width=48", "infer.window=13", "infer.overlap=8")
    source = read_clip_folder(write_clip(tmp_path / "a", height=50, width=90))
    clip = load_clip(source, config)
    assert write_result(tmp_path / "out.mp4", clip.video_THWC, clip, source, config) == VideoInfo(13, 32, 48, 12)
    assert read_video(tmp_path / "out.mp4")[0].shape == (13, 32, 48, 3)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_the_released_loaders_record(toy_config: Callable[..., VoidConfig]) -> None:
    config = toy_config("recipe=released", "data.height=384", "data.width=672")
    clip = load_clip(SHARED / "samples" / "BigBen", config)
    recorded = np.load(SHARED / "golden" / "released_loader_BigBen.npz")
    assert np.array_equal(255 - clip.quadmask.pack(), recorded["mask_inverted_uint8"][0, 0])
    for place, key in ((0, "video_frame0"), (-1, "video_last")):
        ours = clip.video_THWC[place].transpose(2, 0, 1) / 255
        assert np.abs(ours - recorded[key].astype(float)).max() < 2 / 255
    means = clip.video_THWC.mean(axis=(1, 2, 3)) / 255
    assert np.abs(means - recorded["video_frame_means"]).max() < 0.5 / 255


LOADING = """
import json, sys
from pathlib import Path
from void.composition import compose_config
from void.memory import peak_memory
from void.pipelines.clips import load_clip
config = compose_config(["data.height=32", "data.width=48", "data.frames=5"])
peaks = []
for name in sys.argv[1:]:
    load_clip(Path(name), config)
    peaks.append(peak_memory() / 2**20)
print(json.dumps(peaks))
"""


def test_loading_a_longer_clip_takes_no_more_memory(tmp_path: Path) -> None:
    short, long = (write_clip(tmp_path / str(frames), frames=frames, height=240, width=320) for frames in (24, 320))
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(short), str(long)], capture_output=True, text=True, check=True
    )
    first, second = json.loads(done.stdout)
    whole_clip = 320 * 240 * 320 * 3 / 2**20
    assert second - first < whole_clip / 4
