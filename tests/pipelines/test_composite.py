"""What the quadmask keeps comes from the input: bit for bit, in every format that loses nothing, around a seam."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pipelines.user_clips import write_clip
from toy import toy_pair, write_toy_data

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines import clip_results
from void.pipelines.clip_folders import read_clip_folder
from void.pipelines.clip_results import write_result
from void.pipelines.clips import load_clip
from void.pipelines.composite import blend, composite, mask_share, window_share
from void.pipelines.config import Composite, Region
from void.pipelines.frame_fit import Box
from void.pipelines.infer import infer
from void.pipelines.predictions import read_predictions
from void.pipelines.sampler import as_16_bits
from void.quadmask import Quadmask
from void.recipe import Aspect
from void.video import VideoFormat, probe, read_mask, read_video, write_mask

HEIGHT, WIDTH, FRAMES, FEATHER = 200, 300, 7, 6
FAST = (
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "infer.checkpoint=none",
    "infer.pass2.checkpoint=none",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
    "noise.canvas=8",
    "data.height=32",
    "data.width=48",
    f"infer.feather={FEATHER}",
)

Compose = Callable[..., VoidConfig]


def far_from_mark(quadmask: Quadmask, feather: int = FEATHER) -> NDArray[np.bool_]:
    """Kept pixels beyond the seam, measured from every marked pixel."""
    kept = [(~marked_HW).astype(np.uint8) for marked_HW in quadmask.marked_THW]
    return np.stack([cv2.distanceTransform(kept_HW, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > feather for kept_HW in kept])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clip whose mark wanders to the right."""
    folder = write_clip(tmp_path / "a", FRAMES, HEIGHT, WIDTH)
    primary, affected = (np.zeros((FRAMES, HEIGHT, WIDTH), bool) for _ in range(2))
    for frame in range(FRAMES):
        primary[frame, 80:95, 60 + 10 * frame : 80 + 10 * frame] = True
        affected[frame, 95:100, 60 + 10 * frame : 90 + 10 * frame] = True
    primary[3], affected[3] = False, False
    write_mask(folder / "quadmask_0.mp4", Quadmask(primary, affected), 24)
    return folder


def written(
    folder: Path, config: VoidConfig, monkeypatch: pytest.MonkeyPatch, dtype: type[np.generic] = np.uint8
) -> NDArray[Any]:
    """The frames that the writer is handed where the model made nothing but black."""
    taken: list[NDArray[Any]] = []
    monkeypatch.setattr(clip_results, "write_frames", lambda file, frames, *rest, **options: taken.extend(frames))
    clip = load_clip(folder, config)
    write_result(folder / "out.mp4", np.zeros(clip.video_THWC.shape, dtype), clip, read_clip_folder(folder), config)
    return np.stack(taken)


@pytest.mark.parametrize("region", list(Region))
@pytest.mark.parametrize("aspect", list(Aspect))
def test_what_is_kept_is_the_inputs(
    folder: Path, toy_config: Compose, monkeypatch: pytest.MonkeyPatch, region: Region, aspect: Aspect
) -> None:
    how = (f"infer.region={region.value}", f"infer.aspect={aspect.value}")
    config = toy_config(*FAST, "infer.composite=feather", *how)
    frames_THWC = written(folder, config, monkeypatch)
    input_THWC, _ = read_video(folder / "input_video.mp4")
    quadmask, _ = read_mask(folder / "quadmask_0.mp4")
    far_THW = far_from_mark(quadmask)
    assert np.array_equal(frames_THWC[far_THW], input_THWC[far_THW])
    assert not frames_THWC[quadmask.marked_THW].any(), "what is marked is the model's"
    seam_THW = ~far_THW & ~quadmask.marked_THW
    assert (frames_THWC[seam_THW] <= input_THWC[seam_THW]).all()
    assert np.array_equal(frames_THWC[3], input_THWC[3]), "nothing is marked in this frame"


def test_without_a_composite_the_window_alone_is_the_models(
    folder: Path, toy_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(*FAST, "infer.region=auto")
    clip = load_clip(folder, config)
    assert clip.windows is not None and len({fit.source for fit in clip.windows}) > 1
    frames_THWC = written(folder, config, monkeypatch)
    input_THWC, _ = read_video(folder / "input_video.mp4")
    for frame, fit in enumerate(clip.windows):
        outside_HW = np.ones((HEIGHT, WIDTH), bool)
        outside_HW[fit.source.rows, fit.source.columns] = False
        assert np.array_equal(frames_THWC[frame][outside_HW], input_THWC[frame][outside_HW])
        inner = frames_THWC[frame, fit.source.rows, fit.source.columns][FEATHER:-FEATHER, FEATHER:-FEATHER]
        assert not inner.any()


def test_a_result_of_what_the_model_was_shown_is_the_input(
    folder: Path, toy_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the model's own size nothing is resampled on the way there and back."""
    config = toy_config(*FAST, "infer.region=auto", "data.height=64", "data.width=96")
    clip = load_clip(folder, config)
    assert clip.windows is not None and clip.windows[0].source.height == 64
    taken: list[NDArray[Any]] = []
    monkeypatch.setattr(clip_results, "write_frames", lambda file, frames, *rest, **options: taken.extend(frames))
    write_result(folder / "out.mp4", clip.video_THWC, clip, read_clip_folder(folder), config)
    assert np.array_equal(np.stack(taken), read_video(folder / "input_video.mp4")[0])


def test_sixteen_bits_keep_the_inputs_values(
    folder: Path, toy_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(*FAST, "infer.composite=feather", "infer.format=png16")
    frames_THWC = written(folder, config, monkeypatch, np.uint16)
    input_THWC, _ = read_video(folder / "input_video.mp4")
    far_THW = far_from_mark(read_mask(folder / "quadmask_0.mp4")[0])
    assert frames_THWC.dtype == np.uint16
    assert np.array_equal(frames_THWC[far_THW], input_THWC[far_THW].astype(np.uint16) * 257)


def test_shares() -> None:
    marked_HW = np.zeros((9, 12), bool)
    marked_HW[4, 4] = True
    share_HW = mask_share(marked_HW, 3)
    assert share_HW[4, 4:10] == pytest.approx([1, 0.75, 0.5, 0.25, 0, 0])
    assert (share_HW[0, 0], mask_share(marked_HW, 0).sum()) == (0, 1)
    inside = window_share(Box(2, 0, 4, 8), (20, 8), 1)
    assert inside[:, 0].tolist() == [0.5, 1, 1, 0.5] and (inside == inside[:, :1]).all()
    result_HWC, original_HWC = np.full((1, 3, 3), 200, np.uint8), np.full((1, 3, 3), 101, np.uint8)
    blended_HWC = blend(result_HWC, original_HWC, np.array([[1.0, 0.5, 0.0]], np.float32))
    assert blended_HWC[0, :, 0].tolist() == [200, 150, 101]
    assert np.array_equal(composite(result_HWC, original_HWC, np.zeros((1, 3), bool), 4), original_HWC)


@pytest.mark.parametrize("format", [VideoFormat.ffv1, VideoFormat.png8, VideoFormat.png16, VideoFormat.prores])
def test_from_the_command_to_the_file(folder: Path, toy_config: Compose, format: VideoFormat) -> None:
    config = toy_config(
        *FAST, f"infer.input={folder}", "infer.composite=feather", "infer.region=auto", f"infer.format={format.value}"
    )
    infer(config)
    root = Path(config.infer.root)
    (entry,) = read_predictions(root).clips
    assert entry.file == f"a{format.suffix}" and probe(root / "strips" / "a.mp4").frames == FRAMES
    frames_THWC, fps = read_video(root / entry.file)
    input_THWC, _ = read_video(folder / "input_video.mp4")
    assert frames_THWC.shape == input_THWC.shape and fps == 24
    far_THW = far_from_mark(read_mask(folder / "quadmask_0.mp4")[0])
    difference = np.abs(frames_THWC.astype(int) - input_THWC)[far_THW]
    # ProRes halves the width of the colours, which smears the edge of the seam.
    assert difference.mean() < 2 if format is VideoFormat.prores else not difference.any()
    before = (root / "predictions.json").stat().st_mtime_ns
    infer(config)
    assert (root / "predictions.json").stat().st_mtime_ns == before


def test_both_passes_see_the_same_window(folder: Path, toy_config: Compose) -> None:
    config = toy_config(*FAST, f"infer.input={folder}", "infer.region=auto", "stage=both", "infer.format=ffv1")
    infer(config)
    first, second = Path(config.infer.root) / "a.mkv", Path(config.infer.pass2.root) / "a.mkv"
    input_THWC, _ = read_video(folder / "input_video.mp4")
    for file in (first, second):
        frames_THWC, _ = read_video(file)
        assert np.array_equal(frames_THWC[:, :20], input_THWC[:, :20])
    assert not np.array_equal(read_video(first)[0], read_video(second)[0])


@pytest.mark.parametrize("format", [VideoFormat.ffv1, VideoFormat.png8])
def test_a_pair_is_composed_at_the_models_size(tmp_path: Path, toy_config: Compose, format: VideoFormat) -> None:
    data = write_toy_data(tmp_path / "data", train=1, val=1)
    config = toy_config(*FAST, f"data.root={data}", "infer.composite=feather", f"infer.format={format.value}")
    infer(config)
    frames_THWC, _ = read_video(Path(config.infer.root) / f"toy-1{format.suffix}")
    full_THWC, _ = read_video(data / "pairs" / "toy-1" / "rgb_full.mp4")
    far_THW = far_from_mark(toy_pair(1).quadmask)
    assert far_THW.any() and np.array_equal(frames_THWC[far_THW], full_THWC[far_THW])


def test_what_cannot_be_put_back_is_refused(folder: Path, toy_config: Compose) -> None:
    with pytest.raises(InputError, match=r"infer\.region=auto is for a user's clips"):
        infer(toy_config(*FAST, "infer.region=auto"))
    with pytest.raises(InputError, match=r"infer\.composite=feather with recipe\.trim_padding=false"):
        infer(toy_config(*FAST, f"infer.input={folder}", "infer.composite=feather", "recipe.trim_padding=false"))


def test_nothing_is_put_back_by_default(toy_config: Compose) -> None:
    for recipe in ("corrected", "released"):
        config = toy_config(f"recipe={recipe}")
        assert (config.infer.composite, config.infer.region) == (Composite.none, Region.full)
        assert config.infer.format is VideoFormat.h264


def test_sixteen_bits_of_the_models_result() -> None:
    video_CTHW = torch.tensor([-1.0, 0.0, 1.0, 2.0])[None, None, None].expand(3, 1, 1, 4)
    frames_THWC = as_16_bits(video_CTHW)
    assert frames_THWC.shape == (1, 1, 4, 3) and frames_THWC[0, 0, :, 0].tolist() == [0, 32768, 65535, 65535]
