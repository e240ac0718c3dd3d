"""The sampling pipeline: recorded runs of the released code, batches and generators, and bad arguments."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import CogVideoXDDIMScheduler, DDIMScheduler
from golden_models import model_config, settings, tensors

from void.conditioning import mask_video
from void.errors import InputError
from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_transformer, build_vae
from void.models.vae import decode_latents, encode_moments
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


def clip(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    primary_THW = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    primary_THW[:, 8:16, 8:24] = True
    video = rng.integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return {"video": video, "quadmask": Quadmask(primary_THW, np.roll(primary_THW, 8, axis=1))}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("run", ["pass1_single_window", "pass2_given_latents"])
def test_recorded_runs(run: str) -> None:
    model, golden, recorded = model_config(), tensors(run), settings(run)
    scheduler_class = {"DDIMScheduler": DDIMScheduler, "CogVideoXDDIMScheduler": CogVideoXDDIMScheduler}
    scheduler = scheduler_class[recorded["scheduler"]](**model.scheduler)
    vae = build_vae(model)
    pipeline = VoidPipeline(build_transformer(model).eval(), vae, scheduler, mask_levels=recorded["mask_rule"])
    pipeline.set_progress_bar_config(disable=True)
    quadmask = Quadmask.unpack(golden["quadmask"][0, 0].numpy())
    mask_mean, _ = encode_moments(vae, mask_video(quadmask, pipeline.config.mask_levels))
    latents_BTCHW = pipeline(
        mask_latents=mask_mean * vae.config.scaling_factor,
        video_latents=golden["video_latents"],
        prompt_embeds=golden["prompt_embeds"],
        negative_prompt_embeds=golden["negative_prompt_embeds"],
        num_inference_steps=recorded["num_inference_steps"],
        guidance_scale=recorded["guidance_scale"],
        latents=golden["initial_latents"],
        output_type="latent",
    ).frames
    torch.testing.assert_close(latents_BTCHW, golden["output_latents"], atol=5e-5, rtol=0)
    video = (decode_latents(vae, latents_BTCHW) / 2 + 0.5).clamp(0, 1)[..., 1::4, ::4]
    torch.testing.assert_close(video, golden["output_video"], atol=5e-5, rtol=0)


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
    torch.testing.assert_close(decode_latents(pipeline.vae, latents_BTCHW).clamp(-1, 1), video_BCTHW)


def test_one_generator_per_clip_makes_results_independent_of_the_batch(pipeline: VoidPipeline) -> None:
    masks, videos = zip(*(pipeline.encode_condition(**clip(seed)) for seed in (0, 1)), strict=True)
    call = {"prompt": "a floor", "num_inference_steps": 2, "guidance_scale": 3.0, "output_type": "latent"}
    together = pipeline(
        mask_latents=torch.cat(masks), video_latents=torch.cat(videos), generator=[seeded(1), seeded(2)], **call
    ).frames
    alone = pipeline(mask_latents=masks[1], video_latents=videos[1], generator=seeded(2), **call).frames
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


def test_guidance_moves_away_from_the_negative_prompt(pipeline: VoidPipeline) -> None:
    call = {"prompt": "a floor", "num_inference_steps": 1, "output_type": "latent", **clip()}
    plain, guided, same = (
        pipeline(**call, generator=seeded(1), guidance_scale=scale, negative_prompt=negative).frames
        for scale, negative in ((1.0, ""), (4.0, ""), (4.0, "a floor"))
    )
    negative = pipeline(**{**call, "prompt": ""}, generator=seeded(1)).frames
    torch.testing.assert_close(same, plain, atol=1e-5, rtol=0)
    # One step from pure noise is linear in the velocity.
    torch.testing.assert_close(guided, negative + 4 * (plain - negative), atol=1e-4, rtol=0)
    assert not torch.allclose(guided, plain, atol=1e-4)


def test_the_condition_is_encoded_once(pipeline: VoidPipeline, monkeypatch) -> None:
    calls = []
    encode = pipeline.vae.encode
    monkeypatch.setattr(pipeline.vae, "encode", lambda *args, **kwargs: calls.append(1) or encode(*args, **kwargs))
    pipeline(prompt="a floor", num_inference_steps=3, guidance_scale=2.0, generator=seeded(0), **clip())
    assert len(calls) == 1


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
    pipeline.save_pretrained(tmp_path)
    loaded = VoidPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    call = {"prompt": "a floor", "num_inference_steps": 2, **clip()}
    expected = pipeline(**call, generator=seeded(1)).frames
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
        ({"output_type": "pil"}, "'pil' is unknown"),
        ({"prompt": None}, "exactly one of prompt and prompt_embeds"),
        ({"prompt": ["a", "b"]}, "2 texts for 1 clips"),
        ({"latents": torch.zeros(1, 2, 16, 4, 4)}, r"latents is \(1, 2, 16, 4, 4\)"),
        ({"generator": [seeded(0), seeded(1)]}, "2 generators for 1 clips"),
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
