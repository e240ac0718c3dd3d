"""Disk space that a run fills: checkpoints and the cache of latents and noise. Closed forms over the configuration."""

from __future__ import annotations

import math

from void.cache.config import CacheType
from void.config import VoidConfig
from void.models.build import build_transformer
from void.plan.networks import gib
from void.plan.training import FULL, HALF, moment_bytes
from void.recipe import Stage
from void.shapes import latent_shape
from void.training.config import DistributedKind, Precision

CACHE_BYTES = {CacheType.float32: 4, CacheType.float16: 2, CacheType.bfloat16: 2}
NOISE_BYTES = 4
# Mean and log-variance of a target and of a mask.
FIXED_VOLUMES = 4


def checkpoints_gib(config: VoidConfig) -> float:
    """GiB of the checkpoints below `training.root`: those that are kept, and the one that is being written."""
    transformer = build_transformer(config.model, meta=True)
    parameters = sum(parameter.numel() for parameter in transformer.parameters())
    return gib((config.training.keep_checkpoints + 1) * parameters * _bytes_of_a_weight(config))


def cache_gib(config: VoidConfig, num_pairs: int) -> float:
    """GiB of the latents and texts of `num_pairs` pairs and, for the second pass, of their noise."""
    data, model = config.data, config.model
    volume = math.prod(latent_shape(data.frames, data.height, data.width))
    variants = config.cache.noise_variants if model.conditioning_noise else 1
    values = (FIXED_VOLUMES + 2 * variants) * volume + model.max_text_tokens * model.text_encoder["d_model"]
    noise = volume * NOISE_BYTES if config.stage.name is not Stage.pass1 else 0
    return gib(num_pairs * (values * CACHE_BYTES[config.cache.dtype] + noise))


def _bytes_of_a_weight(config: VoidConfig) -> int:
    """Bytes on disk for each weight: as inference reads it, as training reads it, and the optimiser's state."""
    training = config.training
    zero = config.distributed.kind is DistributedKind.deepspeed
    weight = HALF if zero and training.mixed_precision is not Precision.fp32 else FULL
    master = FULL if zero else 0
    return 2 * weight + master + moment_bytes(training, flat=zero)
