"""Configuration of `void train-vae`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from void.limits import FRACTION, Limit, above, at_least, check_limits, multiple_of, within
from void.shapes import SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION


@dataclass
class VaeTrainingConfig:
    """Training the VAE of the chosen model from procedural clips and, optionally, rendered pairs."""

    root: str = MISSING
    """Folder of the checkpoint, the weights and the measurements."""
    steps: int = MISSING
    """Optimiser steps in total; a rerun continues from the last checkpoint up to this number."""
    batch_size: int = 4
    """Crops per step."""
    frames: int = 9
    """Frames of a crop: 4k+1."""
    crop: int = 64
    """Height and width of a crop in pixels, a multiple of 8."""
    pairs: str | None = None
    """Folder of a manifest whose training pairs (both clips and the mask) are mixed in; null: procedural clips only."""
    pairs_share: float = 0.6
    """Probability that a crop comes from a pair, when `pairs` is given."""
    masks_share: float = 0.2
    """Probability that a crop is a mask video in [0, 1]: the VAE encodes those as well."""
    init_from: str | None = None
    """safetensors file whose weights are the start; null: random from model.init_seed."""
    learning_rate: float = 0.02
    """Of the convolutions, which are trained with Muon."""
    vector_learning_rate: float = 3e-3
    """Of biases and norms, which are trained with Adam."""
    warmup_steps: int = 50
    decay_steps: int = 0
    """The last so many steps lower the learning rates to zero along a cosine; before that they are constant."""
    max_grad_norm: float = 1.0
    ema_decay: float = 0.995
    """Decay of the moving average of the weights, which is what is measured and exported."""
    mse_weight: float = 2.0
    """Weight of the squared error beside the absolute error (weight 1)."""
    gradient_weight: float = 0.5
    """Weight of the absolute error of differences between neighbours in x, y and t."""
    kl_weight: float = 1e-5
    """Weight of the KL divergence from a unit Gaussian, per latent element."""
    bf16: bool = True
    """Compute in bfloat16 (autocast); weights stay float32."""
    log_every: int = 50
    checkpoint_every: int = 250
    """Steps between checkpoints; each also measures held-out clips and exports the weights."""
    heldout_clips: int = 4
    """Clips of each kind on which PSNR is measured."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            steps=at_least(1),
            batch_size=at_least(1),
            frames=Limit(
                lambda frames: frames >= 1 and frames % TEMPORAL_COMPRESSION == 1,
                f"{TEMPORAL_COMPRESSION}k+1 frames",
                "use 5, 9, 13, ...",
            ),
            crop=multiple_of(SPATIAL_COMPRESSION),
            pairs_share=FRACTION,
            masks_share=FRACTION,
            learning_rate=above(0),
            vector_learning_rate=above(0),
            warmup_steps=at_least(0),
            decay_steps=at_least(0),
            max_grad_norm=above(0),
            ema_decay=within(0, 1),
            mse_weight=at_least(0),
            gradient_weight=at_least(0),
            kl_weight=at_least(0),
            log_every=at_least(1),
            checkpoint_every=at_least(1),
            heldout_clips=at_least(1),
        )
