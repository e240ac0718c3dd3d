"""`void cache`."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig


def run(cfg: VoidConfig) -> None:
    """Build the latent cache of `cfg.data`."""
    from void.cache.store import build_cache

    build_cache(cfg)


CACHE = Command(
    name="cache",
    summary="encode pairs into latents and text embeddings, once",
    help="""
Reads the manifest of data.root, cuts and scales each pair to data.frames x data.height x data.width (cover, then
centre crop), and writes what training reads to cache.root/KEY: the VAE's posteriors of target, input and mask, and the
caption's embedding. KEY is a hash over pairs, geometry, mask levels and weights, so a configuration never reads a
stale cache.

Interrupted, the same command continues; finished, it does nothing. A defective pair is set aside with its reason,
listed in index.json, and tried again by the next run; more than cache.max_failures of them stop the command.

  void cache                                   the pairs of the default run
  void cache experiment=demo                   those of runs/demo
  void cache data.frames=13 cache.dtype=bfloat16
""",
    groups=("data", "cache", "model", "recipe"),
    run=run,
)
