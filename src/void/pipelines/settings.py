"""What a predicted clip depends on besides weights and input, and which values of it are possible."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

from void.conditioning import INFERENCE_SIGMA, effective_levels
from void.config import VoidConfig
from void.errors import InputError
from void.models.identity import tokenizer_identity, weights_identity
from void.models.lora import lora_identity
from void.noise.config import FlowMethod, NoiseVideo, check_noise
from void.noise.identity import noise_settings
from void.pipelines.config import Cache, InferConfig
from void.pipelines.windows import latent_window
from void.recipe import Stage
from void.shapes import check_frames, check_size

# Keys of `infer` that change a clip, or may.
INFER_KEYS = (
    "steps",
    "guidance_scale",
    "seed",
    "window",
    "overlap",
    "fp8",
    "vae_tiling",
    "attention",
    "compile",
    "crf",
)
# Keys of the model that say where files are; the files are known by content.
PLACES_OF_FILES = ("hub_repository", "weights_root", "released_repository", "released_root", "released_files")
PAIR_RECIPE_KEYS = ("seed_per_clip", "latents_dtype")
CLIP_RECIPE_KEYS = (
    *PAIR_RECIPE_KEYS,
    "mask_resize",
    "video_resize",
    "max_frames",
    "pad_to_window",
    "trim_padding",
    "restore_fps",
    "restore_size",
)


def of_pass(config: VoidConfig, stage: Stage) -> VoidConfig:
    """The configuration of one pass: for the second one `infer.pass2` takes the place of the same keys of `infer`."""
    infer, second = config.infer, config.infer.pass2
    if stage is Stage.pass2:
        infer = replace(
            infer,
            root=second.root,
            checkpoint=second.checkpoint,
            steps=second.steps,
            guidance_scale=second.guidance_scale,
        )
    return replace(config, stage=replace(config.stage, name=stage), infer=infer)


def check_settings(config: VoidConfig) -> None:
    """Refuse impossible values before a finished clip is given up for them.

    Raises:
        InputError: a value is out of range, a length or size is illegal, or the stage cannot be sampled.
    """
    if config.stage.name is not Stage.pass1:
        check_second_pass(config)
    if config.infer.input is None:
        check_frames(config.data.frames, "data.frames")
    check_size(config.data.height, config.data.width, "data")
    latent_window(config.infer.window, config.infer.overlap, "infer.window", "infer.overlap")
    check_numbers(config)


def second_pass_settings(config: VoidConfig) -> dict[str, Any]:
    """What the second pass's noise depends on besides clip and seed, as JSON."""
    return noise_settings(config.noise, config.recipe) | {
        "video": config.noise.inference_video.value,
        "geometry": config.recipe.noise_geometry.value,
        "padding": config.recipe.noise_padding.value,
    }


def check_second_pass(config: VoidConfig) -> None:
    """Raise InputError where the second pass could not get its noise."""
    check_noise(config.noise)
    if config.noise.flow is FlowMethod.simulator:
        raise InputError(
            "noise.flow=simulator: a result of the first pass has no simulated flow",
            "use noise.flow=dis or noise.flow=raft for inference",
        )
    if config.noise.inference_video is NoiseVideo.target and config.infer.input is not None:
        raise InputError(
            "noise.inference_video=target: a user's clip has no counterfactual to follow",
            "use noise.inference_video=pass1 or input",
        )


def check_numbers(config: VoidConfig) -> None:
    """Raise InputError for a number of `infer`, or `recipe.max_frames`, that is out of range."""
    settings, most, longest = config.infer, config.model.scheduler["num_train_timesteps"], config.recipe.max_frames
    second = settings.pass2
    positive = "use 1 or more, or null"
    wrong = [
        (settings.limit is not None and settings.limit < 1, f"infer.limit = {settings.limit}", f"{positive} for all"),
        (not 1 <= settings.steps <= most, f"infer.steps = {settings.steps}", f"use 1 to {most}; 30 is usual"),
        (
            not 1 <= settings.guidance_scale < math.inf,
            f"infer.guidance_scale = {settings.guidance_scale}",
            "use 1 for no guidance, or more",
        ),
        (not 1 <= second.steps <= most, f"infer.pass2.steps = {second.steps}", f"use 1 to {most}; 50 is the paper's"),
        (
            not 1 <= second.guidance_scale < math.inf,
            f"infer.pass2.guidance_scale = {second.guidance_scale}",
            "use 1 for no guidance, or more",
        ),
        (
            not 0 <= second.morphing_threshold < math.inf,
            f"infer.pass2.morphing_threshold = {second.morphing_threshold}",
            "use 0 (the second pass always) or more",
        ),
        (not 0 <= settings.crf <= 51, f"infer.crf = {settings.crf}", "use 0 (best) to 51"),
        (settings.num_shards < 1, f"infer.num_shards = {settings.num_shards}", "use 1 or more"),
        (
            not 0 <= settings.shard < max(1, settings.num_shards),
            f"infer.shard = {settings.shard}",
            f"use 0 to {max(1, settings.num_shards) - 1} (infer.num_shards = {settings.num_shards})",
        ),
        (
            settings.windows_per_batch is not None and settings.windows_per_batch < 1,
            f"infer.windows_per_batch = {settings.windows_per_batch}",
            f"{positive} for as many as fit",
        ),
        (
            not 0 <= settings.cache_threshold < math.inf,
            f"infer.cache_threshold = {settings.cache_threshold}",
            "use 0 (never reuse) or more; 0.1 is usual",
        ),
        (
            settings.cache_interval < 2,
            f"infer.cache_interval = {settings.cache_interval}",
            "use 2 or more, or infer.cache=none",
        ),
        (
            not math.isfinite(settings.lora_scale),
            f"infer.lora_scale = {settings.lora_scale}",
            "use a finite number; 1 is the LoRA as trained",
        ),
        (longest is not None and longest < 1, f"recipe.max_frames = {longest}", f"{positive} for all"),
    ]
    for is_wrong, shown, remedy in wrong:
        if is_wrong:
            raise InputError(f"{shown} is out of range", remedy)


def pipeline_settings(config: VoidConfig) -> dict[str, Any]:
    """Arguments of VoidPipeline beside its networks: how the condition enters the VAE at inference."""
    levels = effective_levels(config.recipe.mask_levels, config.stage.name, training=False)
    return {
        "mask_levels": levels.value,
        "conditioning_sigma": INFERENCE_SIGMA if config.model.conditioning_noise else 0.0,
    }


def sampling_settings(config: VoidConfig) -> dict[str, Any]:
    """What a clip depends on besides checkpoint and input, as JSON. Weights are known by content, not by path."""
    model = {name: value for name, value in asdict(config.model).items() if name not in PLACES_OF_FILES}
    model |= {
        "vae_weights": weights_identity(config.model, config.model.vae_weights),
        "text_encoder_weights": weights_identity(config.model, config.model.text_encoder_weights),
        "tokenizer": tokenizer_identity(config.model),
    }
    del model["transformer_weights"]
    pairs, recipe = config.infer.input is None, config.recipe
    infer: dict[str, Any] = {name: getattr(config.infer, name) for name in INFER_KEYS}
    geometry: dict[str, Any] = {"height": config.data.height, "width": config.data.width}
    if pairs:
        geometry["frames"] = config.data.frames
    else:
        infer["aspect"] = config.infer.aspect.value
    second = {"noise": second_pass_settings(config)} if config.stage.name is Stage.pass2 else {}
    return second | {
        "model": model,
        "recipe": pipeline_settings(config)
        | {name: getattr(recipe, name) for name in (PAIR_RECIPE_KEYS if pairs else CLIP_RECIPE_KEYS)},
        "geometry": geometry,
        "infer": infer | _cache_identity(config.infer) | _lora_identity(config),
    }


def _cache_identity(infer: InferConfig) -> dict[str, Any]:
    if infer.cache is Cache.none:
        return {}
    if infer.cache is Cache.first_block:
        return {"cache": infer.cache.value, "cache_threshold": infer.cache_threshold}
    return {"cache": infer.cache.value, "cache_interval": infer.cache_interval}


def _lora_identity(config: VoidConfig) -> dict[str, Any]:
    if config.infer.lora is None:
        return {}
    identity = lora_identity(config.infer.lora, config.recipe.mask_expansion)
    return {"lora": identity, "lora_scale": config.infer.lora_scale}
