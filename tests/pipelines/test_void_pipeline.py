"""The sampling pipeline: batches and generators, long clips, conditioning noise, and bad arguments."""

from __future__ import annotations

import dataclasses
import functools
import logging
from typing import Any

import numpy as np
import pytest
import torch
from golden_models import model_config
from rounding import GOLDEN_SAMPLING, GOLDEN_STEPS, GOLDEN_VAE, assert_same

from void.errors import InputError
from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_transformer, build_vae
from void.models.vae import decode_latents
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask

FRAMES, HEIGHT, WIDTH = 5, 32, 48


@pytest.fixture(scope="module")
def pipeline() -> VoidPipeline:
    model = model_config()
    parts = (build_scheduler(model), build_tokenizer(model), build_text_encoder(model))
    made = VoidPipeline(build_transformer(model).eval(), build_vae(model), *parts)
    made.set_progress_bar_config(disable=True)
    return made


def clip(seed: int = 0, frames: int = FRAMES) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    primary_THW = np.zeros((frames, HEIGHT, WIDTH), bool)
    primary_THW[:, 8:16, 8:24] = True
    video = rng.integers(0, 256, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return {"video": video, "quadmask": Quadmask(primary_THW, np.roll(primary_THW, 8, axis=1))}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_output_types_and_seeds(pipeline: VoidPipeline) -> None:
    call = {"prompt": "a floor", "num_inference_steps": 2, **clip()}
    (frames_THWC,) = pipeline(**call, generator=seeded(1)).frames
    assert frames_THWC.shape == (FRAMES, HEIGHT, WIDTH, 3) and frames_THWC.dtype == np.uint8
    (again_THWC,) = pipeline(**call, generator=seeded(1)).frames
    (other_THWC,) = pipeline(**call, generator=seeded(2)).frames
    assert np.array_equal(frames_THWC, again_THWC) and not np.array_equal(frames_THWC, other_THWC)
    video_BCTHW = pipeline(**call, generator=seeded(1), output_type="pt").frames
    assert video_BCTHW.shape == (1, 3, FRAMES, HEIGHT, WIDTH) and video_BCTHW.abs().max() <= 1
    latents_BTCHW = pipeline(**call, generator=seeded(1), output_type="latent").frames
    assert_same(decode_latents(pipeline.vae, latents_BTCHW).clamp(-1, 1), video_BCTHW, GOLDEN_VAE)


def test_one_generator_per_clip_makes_results_independent_of_the_batch(pipeline: VoidPipeline) -> None:
    masks, videos = zip(*(pipeline.encode_condition(**clip(seed)) for seed in (0, 1)), strict=True)
    call = {"prompt": "a floor", "num_inference_steps": 2, "guidance_scale": 3.0, "output_type": "latent"}
    together = pipeline(
        mask_latents=torch.cat(masks), video_latents=torch.cat(videos), generator=[seeded(1), seeded(2)], **call
    ).frames
    alone = pipeline(mask_latents=masks[1], video_latents=videos[1], generator=seeded(2), **call).frames
    assert_same(together[1:], alone, GOLDEN_SAMPLING)


def test_guidance_moves_away_from_the_negative_prompt(pipeline: VoidPipeline) -> None:
    call = {"prompt": "a floor", "num_inference_steps": 1, "output_type": "latent", **clip()}
    plain, guided, same = (
        pipeline(**call, generator=seeded(1), guidance_scale=scale, negative_prompt=negative).frames
        for scale, negative in ((1.0, ""), (4.0, ""), (4.0, "a floor"))
    )
    negative = pipeline(**{**call, "prompt": ""}, generator=seeded(1)).frames
    assert_same(same, plain, GOLDEN_SAMPLING)
    # One step from pure noise is linear in the velocity.
    assert_same(guided, negative + 4 * (plain - negative), dataclasses.replace(GOLDEN_STEPS, gain=2 * 4 - 1))
    assert not torch.allclose(guided, plain, atol=1e-4)


def count_calls(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    calls: list[int] = []
    method = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **kwargs: calls.append(1) or method(*args, **kwargs))
    return calls


def test_condition_and_texts_are_encoded_once(pipeline: VoidPipeline, monkeypatch) -> None:
    """Whatever the number of steps, windows and guidance branches."""
    encoded, decoded = (count_calls(monkeypatch, pipeline.vae, name) for name in ("encode", "decode"))
    texts = count_calls(monkeypatch, pipeline.text_encoder, "forward")
    long = {"prompt": "a floor", "window_frames": 13, "overlap_frames": 8, **clip(frames=29)}
    pipeline(**long, num_inference_steps=2, guidance_scale=2.0, generator=seeded(0))
    # One text encoding for the prompt and one for the negative prompt.
    assert (len(encoded), len(decoded), len(texts)) == (1, 1, 2)


def test_windows_together_and_one_by_one_agree(pipeline: VoidPipeline, monkeypatch) -> None:
    long = {"prompt": "a floor", "window_frames": 13, "overlap_frames": 8, "num_inference_steps": 2, **clip(frames=37)}
    # 10 latents in windows of 4: (0, 4) (2, 6) (4, 8) (6, 10).
    forwards = count_calls(monkeypatch, pipeline.transformer, "forward")
    results = [
        pipeline(**long, windows_per_batch=most, guidance_scale=scale, generator=seeded(1), output_type="latent").frames
        for scale in (1.0, 3.0)
        for most in (None, 1, 3, 9)
    ]
    # Per step: one by one (the default on a CPU) twice, then 3 + 1, then all.
    assert len(forwards) == 2 * 2 * (4 + 4 + 2 + 1)
    for alone, *together in (results[:4], results[4:]):
        for other in together:
            assert_same(other, alone, GOLDEN_SAMPLING)
    whole = pipeline(**{**long, "window_frames": 37}, generator=seeded(1), output_type="latent").frames
    assert not torch.allclose(whole, results[0], atol=1e-3)


def test_windows_of_a_batch_of_clips_belong_to_their_clips(pipeline: VoidPipeline) -> None:
    conditions = [pipeline.encode_condition(**clip(seed, frames=29)) for seed in (0, 1)]
    masks, videos = zip(*conditions, strict=True)
    call = {"window_frames": 13, "overlap_frames": 8, "num_inference_steps": 2, "guidance_scale": 3.0}
    together = pipeline(
        prompt=["a floor", "a wall"],
        mask_latents=torch.cat(masks),
        video_latents=torch.cat(videos),
        generator=[seeded(1), seeded(2)],
        windows_per_batch=4,
        output_type="latent",
        **call,
    ).frames
    alone = pipeline(
        prompt="a wall",
        mask_latents=masks[1],
        video_latents=videos[1],
        generator=seeded(2),
        windows_per_batch=1,
        output_type="latent",
        **call,
    ).frames
    assert_same(together[1:], alone, GOLDEN_SAMPLING)


def test_fewer_windows_at_a_time_where_memory_runs_out(pipeline: VoidPipeline, monkeypatch, caplog) -> None:
    call = {"prompt": "a floor", "window_frames": 13, "overlap_frames": 8, "num_inference_steps": 2}
    call |= {"output_type": "latent", **clip(frames=37)}
    expected = pipeline(**call, generator=seeded(1)).frames
    forward, rows = pipeline.transformer.forward, []

    def small_memory(*args: Any, most: int = 1, **kwargs: Any) -> Any:
        rows.append(len(kwargs["hidden_states"]))
        if rows[-1] > most:
            raise torch.OutOfMemoryError("no memory")
        return forward(*args, **kwargs)

    monkeypatch.setattr(pipeline.transformer, "forward", small_memory)
    with caplog.at_level(logging.INFO, logger="void"):
        result = pipeline(**call, generator=seeded(1), windows_per_batch=4).frames
    # Found once, not in every step.
    assert rows == [4, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert "1 windows in a batch" in caplog.text
    assert_same(result, expected, GOLDEN_SAMPLING)
    monkeypatch.setattr(pipeline.transformer, "forward", functools.partial(small_memory, most=0))
    with pytest.raises(torch.OutOfMemoryError):
        pipeline(**call, generator=seeded(1))


def test_conditioning_noise_comes_from_the_generator_after_the_latents(pipeline: VoidPipeline) -> None:
    noisy = VoidPipeline(**pipeline.components, conditioning_sigma=0.5)
    noisy.set_progress_bar_config(disable=True)
    call = {"prompt": "a floor", "num_inference_steps": 1, "output_type": "latent", **clip()}
    first, again, other = (noisy(**call, generator=seeded(seed)).frames for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.allclose(first, other, atol=1e-3)
    # The same initial latents with and without noise: what differs is the condition alone.
    initial = torch.randn(1, 2, 16, 4, 6, generator=seeded(1))
    clean = pipeline(**call, generator=seeded(1)).frames
    assert torch.equal(clean, pipeline(**call, latents=initial).frames)
    assert not torch.allclose(first, clean, atol=1e-3)
    drawn = seeded(1)
    torch.randn(1, 2, 16, 4, 6, generator=drawn)
    assert torch.equal(first, noisy(**call, latents=initial, generator=drawn).frames)
    # Without a generator, torch's global one.
    unseeded = []
    for _ in range(2):
        torch.manual_seed(3)
        unseeded += [noisy(**call).frames, noisy(**call).frames]
    assert torch.equal(unseeded[0], unseeded[2]) and not torch.equal(unseeded[0], unseeded[1])


def test_pixels_as_floats_are_the_same_clip(pipeline: VoidPipeline) -> None:
    pixels = clip()
    floats = torch.from_numpy(pixels["video"]).permute(3, 0, 1, 2)[None] / 127.5 - 1
    expected = pipeline.encode_condition(**pixels)
    for ours, theirs in zip(pipeline.encode_condition(floats, pixels["quadmask"]), expected, strict=True):
        assert_same(ours, theirs, GOLDEN_VAE)


def test_bfloat16_latents_are_drawn_and_kept_as_such(pipeline: VoidPipeline) -> None:
    seen = []

    def record(_: VoidPipeline, index: int, timestep: int, tensors: dict[str, Any]) -> dict[str, Any]:
        seen.append(tensors["latents"].clone())
        return tensors

    call = {"prompt": "a floor", "num_inference_steps": 2, "latents_dtype": torch.bfloat16, "output_type": "latent"}
    result = pipeline(**call, **clip(), generator=seeded(1), callback_on_step_end=record).frames
    assert [latents.dtype for latents in seen] == [torch.bfloat16] * 2
    assert result.dtype == torch.float32 and torch.equal(result, seen[-1].float())
    initial = torch.randn(1, 2, 16, 4, 6, generator=seeded(1), dtype=torch.bfloat16)
    assert torch.equal(pipeline(**call, **clip(), latents=initial).frames, result)


def test_a_reversed_mask_is_reported(pipeline: VoidPipeline, caplog) -> None:
    pixels = clip()
    primary_THW = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    primary_THW[:, :, : int(0.6 * WIDTH)] = True
    mask = Quadmask(primary_THW, primary_THW & False)
    pipeline.encode_condition(pixels["video"], mask)
    assert not caplog.records
    primary_THW[:, :, : int(0.6 * WIDTH) + 2] = True
    pipeline.encode_condition(pixels["video"], mask)
    assert "asks to remove 62% of the clip" in caplog.text and "quantise(255 - mask.pack())" in caplog.text


def test_callback_sees_and_changes_latents(pipeline: VoidPipeline) -> None:
    seen = []

    def stop_at_zero(_: VoidPipeline, index: int, timestep: int, tensors: dict[str, Any]) -> dict[str, Any]:
        seen.append((index, timestep, sorted(tensors)))
        return {"latents": tensors["latents"] * 0} if index == 1 else tensors

    latents_BTCHW = pipeline(
        prompt="a floor",
        num_inference_steps=2,
        generator=seeded(0),
        output_type="latent",
        callback_on_step_end=stop_at_zero,
        **clip(),
    ).frames
    assert seen == [(0, 999, ["latents"]), (1, 499, ["latents"])]
    assert not latents_BTCHW.any()


def test_saved_and_loaded(pipeline: VoidPipeline, tmp_path) -> None:
    saved = VoidPipeline(**pipeline.components, mask_levels="trimask", conditioning_sigma=0.1)
    saved.set_progress_bar_config(disable=True)
    saved.save_pretrained(tmp_path)
    loaded = VoidPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    assert loaded.config.mask_levels == "trimask" and loaded.config.conditioning_sigma == 0.1
    call = {"prompt": "a floor", "num_inference_steps": 2, **clip()}
    expected = saved(**call, generator=seeded(1)).frames
    assert np.array_equal(loaded(**call, generator=seeded(1)).frames, expected)


def crop(frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> dict[str, Any]:
    whole = {"video": np.zeros((16, 64, 64, 3), np.uint8), "quadmask": Quadmask(*np.zeros((2, 16, 64, 64), bool))}
    return {
        "video": whole["video"][:frames, :height, :width],
        "quadmask": whole["quadmask"][:frames, :height, :width],
    }


LATENT = torch.zeros(1, 2, 16, 4, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (crop(frames=9), "9 is not a legal frame count"),
        (crop(height=40), "height 40 is not a positive multiple of 16"),
        (crop(width=24), "width 24"),
        ({"quadmask": crop(frames=4)["quadmask"]}, "its quadmask 4 x 32 x 48"),
        ({"quadmask": None}, "video and quadmask, or mask_latents"),
        ({"mask_latents": LATENT, "video_latents": LATENT}, "exactly one of the two pairs"),
        ({"num_inference_steps": 0}, "num_inference_steps = 0"),
        ({"num_inference_steps": 1001}, "use 1 to 1000"),
        ({"guidance_scale": 0.5}, "guidance_scale = 0.5 is below 1"),
        ({"guidance_scale": float("nan")}, "guidance_scale = nan"),
        ({"prompt": None}, "exactly one of prompt and prompt_embeds"),
        ({"latents": torch.zeros(1, 2, 16, 4, 4)}, r"latents is \(1, 2, 16, 4, 4\)"),
        ({"window_frames": 12}, "window_frames = 12 is not a legal frame count"),
        ({"overlap_frames": 12}, "overlap_frames = 12 is not a multiple of 8"),
        ({"window_frames": 13}, "overlap_frames = 16 leaves a window of 13 frames"),
        ({"windows_per_batch": 0}, "windows_per_batch = 0"),
        ({"callback_on_step_end_tensor_inputs": ["noise"]}, "names noise"),
        ({"video": torch.zeros(1, 3, 5, 32, 48, dtype=torch.uint8)}, "a float tensor"),
        ({"video": np.zeros((5, 32, 48, 3), np.float32)}, "a uint8 array"),
    ],
)
def test_bad_arguments(pipeline: VoidPipeline, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pipeline(**{"prompt": "a floor", "num_inference_steps": 1, **crop(), **change})


def test_latent_conditions_must_be_even_and_alike(pipeline: VoidPipeline) -> None:
    for mask, video, message in (
        (LATENT, LATENT[:, :, :, :2], "both must have one shape"),
        (LATENT[:, :1], LATENT[:, :1], "latents of 1 x 4 x 6"),
    ):
        with pytest.raises(InputError, match=message):
            pipeline(prompt="a", mask_latents=mask, video_latents=video)


def test_text_needs_an_encoder() -> None:
    model = dataclasses.replace(model_config(), transformer_weights=None)
    bare = VoidPipeline(build_transformer(model), build_vae(model), build_scheduler(model))
    with pytest.raises(InputError, match="no text encoder"):
        bare(prompt="a floor", **crop())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask_levels": "released"}, "'released' is not one table"),
        ({"mask_levels": "five"}, "'five'"),
        ({"conditioning_sigma": -0.1}, "conditioning_sigma = -0.1"),
    ],
)
def test_bad_construction(pipeline: VoidPipeline, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        VoidPipeline(**pipeline.components, **change)
