"""fit_clip: any clip at the model's size and a legal length, and its result back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pipelines.small_pipeline import clip
from pipelines.user_clips import write_clip

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines import clips
from void.pipelines.fitting import fit_clip
from void.quadmask import Quadmask
from void.recipe import Aspect
from void.video import read_mask, read_video


def test_length_is_mirrored_and_size_restored() -> None:
    pixels = clip(frames=7, height=48, width=64)
    rows, columns, frames = np.mgrid[0:48, 0:64, 0:7].astype(np.uint8)
    pixels["video"] = np.stack([4 * rows, 3 * columns, 20 * frames]).transpose(3, 1, 2, 0)
    fitted = fit_clip(pixels["video"], pixels["quadmask"], 96, 128)
    assert fitted.video_THWC.shape == (13, 96, 128, 3) and fitted.quadmask.shape == (13, 96, 128) and fitted.frames == 7
    assert np.array_equal(fitted.video_THWC[7:], fitted.video_THWC[[6, 5, 4, 3, 2, 1]])
    assert np.array_equal(fitted.quadmask.primary_THW[7], fitted.quadmask.primary_THW[6])
    restored = fitted.restore(fitted.video_THWC)
    assert restored.shape == (7, 48, 64, 3)
    # Enlarged twofold and averaged back.
    assert np.abs(restored.astype(int) - pixels["video"]).max() <= 2


def test_all_forms_give_the_same() -> None:
    pixels = clip(frames=5, height=48, width=64)
    expected = fit_clip(pixels["video"], pixels["quadmask"], 32, 48)
    masks: Iterator[Quadmask] = (pixels["quadmask"][index : index + 1] for index in range(5))
    floats = torch.from_numpy(pixels["video"]).permute(3, 0, 1, 2)[None] / 127.5 - 1
    forms: list[tuple[Any, Any, dict[str, Any]]] = [
        (iter(pixels["video"]), masks, {"num_frames": 5}),
        ([Image.fromarray(one) for one in pixels["video"]], pixels["quadmask"].pack(), {}),
        (floats, [Image.fromarray(one) for one in pixels["quadmask"].pack()], {}),
    ]
    for video, quadmask, options in forms:
        found = fit_clip(video, quadmask, 32, 48, **options)
        assert np.array_equal(found.video_THWC, expected.video_THWC)
        assert np.array_equal(found.quadmask.pack(), expected.quadmask.pack())


def test_a_crop_goes_back_among_the_originals() -> None:
    pixels = clip(frames=5, height=32, width=96)
    fitted = fit_clip(pixels["video"], pixels["quadmask"], 32, 48, aspect=Aspect.crop)
    black = np.zeros_like(fitted.video_THWC)
    with pytest.raises(InputError, match="not sampled"):
        fitted.restore(black)
    restored = fitted.restore(black, original=pixels["video"])
    assert not restored[:, :, 24:72].any()
    assert np.array_equal(restored[:, :, :24], pixels["video"][:, :, :24])
    images = fitted.restore([Image.fromarray(one) for one in black], original=pixels["video"])
    assert np.array_equal(images, restored)


def test_infer_fits_with_it(toy_config: Callable[..., VoidConfig], tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clip(tmp_path / "clip", 7, 48, 64)
    calls = []

    def spied(*args: Any, **options: Any) -> Any:
        calls.append(options)
        return fit_clip(*args, **options)

    monkeypatch.setattr(clips, "fit_clip", spied)
    loaded = clips.load_clip(tmp_path / "clip", toy_config())
    assert len(calls) == 1
    video_THWC, _ = read_video(tmp_path / "clip" / "input_video.mp4")
    quadmask, _ = read_mask(tmp_path / "clip" / "quadmask_0.mp4")
    by_hand = fit_clip(video_THWC, quadmask, 32, 48)
    assert np.array_equal(loaded.video_THWC, by_hand.video_THWC)
    assert np.array_equal(loaded.quadmask.pack(), by_hand.quadmask.pack())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 40}, "height 40 is not a positive multiple of 16"),
        ({"length": 12}, "length = 12 is not a legal frame count"),
        ({"length": 5}, "length = 5 is below the clip's 7 frames"),
        ({"quadmask": clip(frames=6)["quadmask"]}, "the mask has 6 frames, the clip 7"),
        ({"video": iter(clip(frames=7)["video"])}, "num_frames = None"),
        ({"video": iter(clip(frames=5)["video"]), "num_frames": 7}, "ends after 5 of 7 frames"),
        ({"quadmask": iter([])}, "the mask ends after 0 of 7 frames"),
        ({"video": [clip()["video"]] * 2}, "video is a batch of 2 clips"),
        ({"quadmask": [clip()["quadmask"]] * 2}, "quadmask is a batch of 2 masks"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_clip(**{**clip(frames=7), "height": 32, "width": 48, **change})


def test_a_result_of_another_clip_is_refused() -> None:
    fitted = fit_clip(**clip(frames=7), height=32, width=48)
    with pytest.raises(InputError, match="give the result of this clip"):
        fitted.restore(fitted.video_THWC[:5])
