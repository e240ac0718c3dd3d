"""The recipe: every choice in which the released code and the corrected one differ is a key here, and so an ablation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class MaskLevels(str, Enum):
    """How a quadmask becomes the single-channel video in [0, 1] that enters the VAE."""

    quad = "quad"
    trimask = "trimask"
    binary = "binary"


class Posterior(str, Enum):
    """What is taken from a VAE posterior."""

    sample = "sample"
    mode = "mode"


@dataclass
class RecipeConfig:
    """Differences between recipes."""

    name: str = "corrected"
    mask_levels: MaskLevels = MaskLevels.quad
    """quad: four distinct levels (0, 63, 127, 255)/255. trimask: overlap counts as primary. binary: affected as well."""
    training_posterior: Posterior = Posterior.sample
    """Posterior value used for the condition and the target in training; inference always takes the mode."""
