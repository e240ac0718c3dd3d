"""diffusers' step caches on VoidPipeline: what they leave out, windows, guidance, and `infer.cache`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import FasterCacheConfig, PyramidAttentionBroadcastConfig
from diffusers.hooks import FirstBlockCacheConfig, apply_first_block_cache
from golden_models import model_config
from pipelines.small_pipeline import LATENTS, build, clip, seeded

from void.config import VoidConfig
from void.errors import InputError
from void.models.build import build_scheduler, build_transformer, build_vae
from void.pipelines.config import Cache, InferConfig
from void.pipelines.memory import apply_memory
from void.pipelines.settings import sampling_settings
from void.pipelines.void_pipeline import VoidPipeline

CPU = torch.device("cpu")
STEPS = 8
LONG = {"window_frames": 13, "overlap_frames": 8}
"""Two windows of four latents for 21 frames."""


@pytest.fixture
def pipeline() -> VoidPipeline:
    return build()


@pytest.fixture
def blocks_run(pipeline: VoidPipeline) -> Iterator[Callable[[], list[int]]]:
    """Gives, for each block, how many attentions were computed since it was asked last."""
    counts = [0] * len(pipeline.transformer.transformer_blocks)

    for index, block in enumerate(pipeline.transformer.transformer_blocks):
        block.attn1.set_processor(_Counting(block.attn1.processor, counts, index))

    def taken() -> list[int]:
        found = list(counts)
        counts[:] = [0] * len(counts)
        return found

    yield taken


class _Counting:
    def __init__(self, processor: Any, counts: list[int], index: int) -> None:
        self._processor, self._counts, self._index = processor, counts, index

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._counts[self._index] += 1
        return self._processor(*args, **kwargs)


def settings(cache: Cache, **changes: Any) -> InferConfig:
    return InferConfig(root="unused", cache=cache, **changes)


def pab(pipeline: VoidPipeline) -> PyramidAttentionBroadcastConfig:
    return PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2,
        spatial_attention_timestep_skip_range=(-1, 1000),
        current_timestep_callback=lambda: pipeline.current_timestep,
    )


def faster(pipeline: VoidPipeline, **changes: Any) -> FasterCacheConfig:
    return FasterCacheConfig(
        spatial_attention_timestep_skip_range=(-1, 900),
        unconditional_batch_skip_range=2,
        unconditional_batch_timestep_skip_range=(-1, 1000),
        attention_weight_callback=lambda _: 0.5,
        current_timestep_callback=lambda: pipeline.current_timestep,
        **changes,
    )


CALL = LATENTS | {"num_inference_steps": STEPS}


@pytest.mark.parametrize("cache", [Cache.first_block, Cache.pab, Cache.faster])
@pytest.mark.parametrize("guidance_scale", [1.0, 3.0])
def test_caches_leave_out_work_and_stay_near(
    pipeline: VoidPipeline, blocks_run: Callable[[], list[int]], cache: Cache, guidance_scale: float
) -> None:
    call = CALL | clip() | {"guidance_scale": guidance_scale}
    plain = pipeline(**call, generator=seeded(1)).frames
    assert blocks_run() == [STEPS, STEPS]
    apply_memory(pipeline, settings(cache, cache_threshold=0.5, guidance_scale=guidance_scale), CPU)
    cached = pipeline(**call, generator=seeded(1)).frames
    # Timesteps 999, 874, ... 124. pab: those in (100, 800) every other time; faster: those below 681, likewise, but
    # where guidance computes both halves, which is every fifth step.
    first, last = blocks_run()
    if cache is Cache.first_block:
        assert first == STEPS and last < STEPS
    else:
        assert first == last < STEPS
    error = (cached - plain).square().mean().sqrt() / plain.square().mean().sqrt()
    assert 0 < error < 0.5
    # Nothing is carried over from one call to the next.
    assert torch.equal(pipeline(**call, generator=seeded(1)).frames, cached)
    pipeline.transformer.disable_cache()
    assert torch.equal(pipeline(**call, generator=seeded(1)).frames, plain)


@pytest.mark.parametrize("kind", ["first_block", "pab", "faster"])
def test_every_window_has_its_own_cache(pipeline: VoidPipeline, kind: str) -> None:
    """Windows one by one and together agree; with one cache for all, the first would take over another's work."""
    made = {"first_block": FirstBlockCacheConfig(threshold=100.0), "pab": pab(pipeline), "faster": faster(pipeline)}
    call = CALL | LONG | clip(frames=21) | {"guidance_scale": 3.0}
    plain = pipeline(**call, generator=seeded(1)).frames
    pipeline.transformer.enable_cache(made[kind])
    alone, together = (pipeline(**call, windows_per_batch=most, generator=seeded(1)).frames for most in (1, 2))
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(alone, plain, atol=1e-3)


def test_an_interrupted_call_leaves_nothing_behind(pipeline: VoidPipeline) -> None:
    call = CALL | clip()
    pipeline.transformer.enable_cache(pab(pipeline))
    expected = pipeline(**call, generator=seeded(1)).frames

    def fail(pipe: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline(**call, generator=seeded(2), callback_on_step_end=fail)
    assert torch.equal(pipeline(**call, generator=seeded(1)).frames, expected)


def test_a_cache_put_on_after_a_call_is_found(pipeline: VoidPipeline) -> None:
    plain = pipeline(**CALL, **clip(), generator=seeded(1)).frames
    apply_first_block_cache(pipeline.transformer, FirstBlockCacheConfig(threshold=100.0))
    assert not torch.allclose(pipeline(**CALL, **clip(), generator=seeded(1)).frames, plain, atol=1e-3)


def test_faster_cache_needs_guidance_or_must_be_told(pipeline: VoidPipeline) -> None:
    pipeline.transformer.enable_cache(faster(pipeline))
    batch = {name: [value] * 2 for name, value in clip().items()}
    # Of two clips it would take the first for the unconditional half of the second.
    with pytest.raises(InputError, match="FasterCache estimates guidance's unconditional half"):
        pipeline(**CALL, **batch)
    pipeline.transformer.disable_cache()
    pipeline.transformer.enable_cache(faster(pipeline, is_guidance_distilled=True))
    assert len(pipeline(**CALL, **batch).frames) == 2


def test_a_transformer_of_one_block_has_no_other_blocks() -> None:
    model = model_config()
    model = replace(model, transformer=model.transformer | {"num_layers": 1}, transformer_weights=None)
    small = VoidPipeline(build_transformer(model), build_vae(model), build_scheduler(model))
    with pytest.raises(InputError, match=r"infer\.cache=first_block needs a transformer of two blocks"):
        apply_memory(small, settings(Cache.first_block), CPU)


def test_the_cache_belongs_to_what_a_clip_depends_on(toy_config: Callable[..., VoidConfig]) -> None:
    def infer(*overrides: str) -> dict[str, Any]:
        return sampling_settings(toy_config(*overrides))["infer"]

    plain = infer()
    assert "cache" not in plain and infer("infer.cache_interval=3") == plain
    assert infer("infer.cache=pab") == plain | {"cache": "pab", "cache_interval": 2}
    assert infer("infer.cache=first_block", "infer.cache_threshold=0.2") == plain | {
        "cache": "first_block",
        "cache_threshold": 0.2,
    }


@pytest.mark.parametrize(
    "override", ["infer.cache_interval=1", "infer.cache_threshold=-1", "infer.cache_threshold=nan"]
)
def test_numbers_out_of_range(toy_config: Callable[..., VoidConfig], override: str) -> None:
    with pytest.raises(InputError, match=override.split("=")[0]):
        toy_config(override)
