"""The recipe: each choice in which the released code and the corrected one differ is a key here, so an ablation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MaskLevels(StrEnum):
    """How a quadmask becomes the single-channel video in [0, 1] that enters the VAE."""

    quad = "quad"
    trimask = "trimask"
    binary = "binary"


class Posterior(StrEnum):
    """What is taken from a VAE posterior."""

    sample = "sample"
    mode = "mode"


@dataclass
class RecipeConfig:
    """Differences between recipes."""

    name: str = "corrected"
    mask_levels: MaskLevels = MaskLevels.quad
    """quad: four distinct levels (0, 63, 127, 255)/255; trimask: overlap counts as primary; binary: affected too."""
    training_posterior: Posterior = Posterior.sample
    """What training takes of the posteriors of target and condition; inference always takes the mode."""
