"""`void train-vae`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from void.command import Command

if TYPE_CHECKING:
    from void.config import VoidConfig

HELP = """
Trains the VAE of the chosen model (model=tiny) from procedurally drawn clips and mask videos, mixed with the pairs of a
manifest when vae_training.pairs=PATH is given. The tiny model's weights are shipped: run this only to make them again
or better.

Writes vae.safetensors (float16, averaged, latents normalised to unit deviation), vae.json (configuration and
measurements) and heldout.png below vae_training.root. The same command continues a killed run. docs/tiny-model.md has
the commands that made the shipped weights.

  void train-vae name=vae vae_training.steps=4000
  void train-vae name=vae-mixed vae_training.pairs=runs/demo/pairs vae_training.init_from=runs/vae/vae/vae.safetensors
"""


def run(cfg: VoidConfig) -> None:
    """Train the VAE as configured."""
    from rich.console import Console

    from void.device import torch_device
    from void.models.vae_training.loop import train_vae

    console = Console(soft_wrap=True)
    console.print(f"weights: {train_vae(cfg, torch_device(cfg.device), console)}")


TRAIN_VAE = Command(
    name="train-vae",
    summary="train the tiny model's VAE (its weights are shipped already)",
    help=HELP,
    groups=("vae_training", "model"),
    run=run,
    writes=lambda _: ("vae_training.root",),
)
