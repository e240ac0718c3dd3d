"""`void cache`."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig
from void.recipe import Stage


def run(cfg: VoidConfig) -> None:
    """Build the latent cache of `cfg.data`, and the noise of pass 2 where the stage needs it."""
    from void.cache.noise import build_noise, check_possible
    from void.cache.store import build_cache

    needs_noise = cfg.stage.name is not Stage.pass1
    if needs_noise:
        check_possible(cfg)
    build_cache(cfg)
    if needs_noise:
        build_noise(cfg)


CACHE = Command(
    name="cache",
    summary="encode pairs into latents and text embeddings, and warp the noise of pass 2, once",
    help="""
Reads the manifest of data.root, cuts and scales each pair to data.frames x data.height x data.width (cover, then
centre crop), and writes what training reads to cache.root/KEY: the VAE's posteriors of target, input and mask, and the
caption's embedding. KEY is a hash over pairs, geometry, mask levels and weights, so a configuration never reads a
stale cache.

With stage=pass2 also writes cache.root/noise/KEY: for each pair the noise that pass 2 trains with, warped along the
motion of noise.training_video. The latents of pass 1 are used again.

Interrupted, the same command continues; finished, it does nothing. A defective pair is set aside with its reason,
listed in index.json, and tried again by the next run; more than cache.max_failures of them stop the command.

  void cache                                   the pairs of the default run
  void cache experiment=demo                   those of runs/demo
  void cache data.frames=13 cache.dtype=bfloat16
  void cache stage=pass2                       and the noise of pass 2
""",
    groups=("data", "cache", "noise", "model", "recipe", "stage"),
    run=run,
)
