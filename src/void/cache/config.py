"""Configuration of the latent cache."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omegaconf import MISSING

from void.limits import at_least, check_limits


class CacheType(StrEnum):
    """Number formats of a cache on disk."""

    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"


@dataclass
class CacheConfig:
    """Where latents and text embeddings are kept, and how."""

    root: str = MISSING
    """Folder of the caches; each distinct content (pairs, geometry, weights, recipe) gets a subfolder of its own."""
    pairs_per_shard: int = 8
    dtype: CacheType = CacheType.float32
    """Type on disk."""
    noise_variants: int = 4
    """Noisy versions of each input clip that are encoded where the model has conditioning noise; each visit of an epoch
    draws one."""
    max_failures: int = 0
    """Defective pairs that are set aside, with their reason, before the command stops."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            pairs_per_shard=at_least(1),
            noise_variants=at_least(1).or_use("use 1 or more; model.conditioning_noise=false encodes the clean clip"),
            max_failures=at_least(0),
        )
