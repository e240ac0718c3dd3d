"""What a predicted clip depends on besides weights and input, and which values of it are possible."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from void.config import VoidConfig
from void.limits import recheck
from void.models.config import INFERENCE_SIGMA
from void.models.identity import tokenizer_identity, weights_identity
from void.models.lora import lora_identity
from void.noise.identity import noise_settings
from void.pipelines.checks import check_composite, check_second_pass
from void.pipelines.config import Cache, Composite, InferConfig, Region
from void.recipe import Stage, effective_levels
from void.video_formats import VideoFormat

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
    """Refuse impossible values, also those set after composition, before a finished clip is given up for them.

    Raises:
        InputError: a value is out of range, or the second pass could not get its noise.
    """
    recheck(config)
    if config.stage.name is not Stage.pass1:
        check_second_pass(config)
    check_composite(config)


def second_pass_settings(config: VoidConfig) -> dict[str, Any]:
    """What the second pass's noise depends on besides clip and seed, as JSON."""
    return noise_settings(config.noise, config.recipe) | {
        "video": config.noise.inference_video.value,
        "geometry": config.recipe.noise_geometry.value,
        "padding": config.recipe.noise_padding.value,
    }


def view_settings(config: VoidConfig) -> dict[str, Any]:
    """How the model's view of a clip is cut out of it, as JSON."""
    geometry = [config.data.height, config.data.width, config.infer.aspect.value]
    return {"geometry": geometry} | region_settings(config)


def region_settings(config: VoidConfig) -> dict[str, Any]:
    """What the window of `infer.region=auto` depends on, as JSON; nothing without it, so that earlier results hold."""
    if config.infer.region is Region.full:
        return {}
    return {"region": config.infer.region.value, "feather": config.infer.feather}


def output_settings(config: VoidConfig) -> dict[str, Any]:
    """How a result is composed and coded, as JSON; nothing by default, so that earlier results hold."""
    infer = config.infer
    settings: dict[str, Any] = {}
    if infer.composite is not Composite.none:
        settings |= {"composite": infer.composite.value, "feather": infer.feather}
    if infer.format is not VideoFormat.h264:
        settings |= {"format": infer.format.value}
    return settings


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
        "infer": infer
        | _cache_identity(config.infer)
        | _lora_identity(config)
        | region_settings(config)
        | output_settings(config),
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
