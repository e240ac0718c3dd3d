"""Configuration of the latent cache."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class CacheConfig:
    """Where latents and text embeddings are kept, and how."""

    root: str = MISSING
    """Folder of the caches; each distinct content (pairs, geometry, weights, recipe) gets a subfolder of its own."""
    pairs_per_shard: int = 8
    dtype: str = "float32"
    """Type on disk: float32, float16 or bfloat16."""
