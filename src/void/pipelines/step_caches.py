"""diffusers' step caches on VOID's transformer: work of an earlier step taken again where it has hardly changed.

`first_block`: where the first block's residual is near that of the last computed step, the other blocks' residual is
reused. `pab` (pyramid attention broadcast): within a range of timesteps attention is computed every few steps.
`faster` (FasterCache): likewise, extrapolated from two steps, and guidance's unconditional half is estimated from the
conditional one.
"""

from __future__ import annotations

from typing import TypeAlias

from diffusers.hooks import FasterCacheConfig, FirstBlockCacheConfig, PyramidAttentionBroadcastConfig

from void.errors import InputError
from void.pipelines.config import Cache, InferConfig
from void.pipelines.void_pipeline import VoidPipeline

StepCacheConfig: TypeAlias = FirstBlockCacheConfig | PyramidAttentionBroadcastConfig | FasterCacheConfig

ATTENTION_WEIGHT = 0.5
"""FasterCache's extrapolation: cached output plus this share of its last change."""


def enable_step_cache(pipeline: VoidPipeline, infer: InferConfig) -> None:
    """Give the pipeline's transformer the cache that `infer.cache` names, in place.

    Args:
        pipeline: A pipeline without a step cache.
        infer: `cache`, `cache_threshold`, `cache_interval` and `guidance_scale` are read.

    Raises:
        InputError: `first_block` on a transformer of one block.
    """
    if infer.cache is Cache.none:
        return
    if infer.cache is Cache.first_block and len(pipeline.transformer.transformer_blocks) < 2:
        raise InputError("infer.cache=first_block needs a transformer of two blocks or more", "use infer.cache=none")
    pipeline.transformer.enable_cache(step_cache_config(pipeline, infer))


def step_cache_config(pipeline: VoidPipeline, infer: InferConfig) -> StepCacheConfig:
    """diffusers' configuration of the cache that `infer.cache` names; arguments as `enable_step_cache`."""
    if infer.cache is Cache.first_block:
        return FirstBlockCacheConfig(threshold=infer.cache_threshold)
    if infer.cache is Cache.pab:
        return PyramidAttentionBroadcastConfig(
            spatial_attention_block_skip_range=infer.cache_interval,
            current_timestep_callback=lambda: pipeline.current_timestep,
        )
    return FasterCacheConfig(
        spatial_attention_block_skip_range=infer.cache_interval,
        attention_weight_callback=lambda _: ATTENTION_WEIGHT,
        tensor_format="BFCHW",
        # Without guidance there is no unconditional half to leave out.
        is_guidance_distilled=infer.guidance_scale <= 1,
        current_timestep_callback=lambda: pipeline.current_timestep,
    )
