"""Configuration of fine-tuning: the stage, the loop and the processes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omegaconf import MISSING

from void.limits import FRACTION, Limit, above, at_least, between, check_limits, within
from void.recipe import Stage


@dataclass
class StageConfig:
    """What differs between stages."""

    name: Stage = Stage.pass1
    """pass1 or pass2; inference and evaluation also know both (one after the other) and auto (the second where the
    first one's result morphs)."""
    init_from: str | None = None
    """What initialises this stage's transformer: a checkpoint folder, the folder of a training run (its newest
    checkpoint) or a safetensors file; null: the model's own weights. stage=pass2 begins with `root`/train."""
    folder: str = "train"
    """Folder below `root` for the checkpoints of this stage."""


class Optimizer(StrEnum):
    """Optimisers."""

    adamw = "adamw"
    came = "came"


class LrSchedule(StrEnum):
    """Schedules of the learning rate: those of diffusers.optimization.SchedulerType that need nothing but a name."""

    constant = "constant"
    constant_with_warmup = "constant_with_warmup"
    cosine = "cosine"
    cosine_with_restarts = "cosine_with_restarts"
    linear = "linear"
    polynomial = "polynomial"


class Precision(StrEnum):
    """Arithmetic of the transformer. The loss and the diffusion process are float32 always."""

    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


@dataclass
class TrainingConfig:
    """The training loop."""

    root: str = MISSING
    """Folder of checkpoints, metrics, samples and the W&B run."""
    steps: int = MISSING
    """Optimiser steps in total; a rerun continues from the last checkpoint up to this number."""
    batch_size: int = 1
    """Clips per process and micro-step."""
    gradient_accumulation: int = 1
    optimizer: Optimizer = Optimizer.adamw
    learning_rate: float = 1e-5
    lr_schedule: LrSchedule = LrSchedule.cosine
    """Schedule of diffusers by which the learning rate changes after the warm-up."""
    warmup_steps: int = 50
    weight_decay: float = 0.0
    adam_betas: tuple[float, float] = (0.9, 0.999)
    adam_epsilon: float = 1e-8
    max_grad_norm: float = 1.0
    text_dropout: float = 0.1
    """Probability of replacing a caption by the empty one, per sample."""
    ema_decay: float | None = None
    """Decay of an exponential moving average of the weights, which is then what transformer/ holds; null: none."""
    mixed_precision: Precision = Precision.fp32
    gradient_checkpointing: bool = False
    num_workers: int = 0
    log_every: int = 10
    checkpoint_every: int = 100
    keep_checkpoints: int = 2
    """Newest checkpoints that are kept."""
    validate_every: int | None = None
    """Steps between validations (loss and videos); null: only at the end. 0: never."""
    validation_clips: int = 2
    """Held-out pairs whose prediction is sampled and shown as a video."""
    validation_steps: int = 10
    """Sampling steps of a validation video."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            steps=at_least(1),
            batch_size=at_least(1),
            gradient_accumulation=at_least(1),
            learning_rate=above(0),
            warmup_steps=at_least(0),
            weight_decay=at_least(0),
            adam_betas=within(0, 1),
            adam_epsilon=above(0),
            max_grad_norm=above(0).or_use("use a number above 0; recipe.clip_gradients=false switches clipping off"),
            text_dropout=FRACTION,
            ema_decay=Limit(
                lambda decay: 0 < decay < 1,
                "greater than 0 and less than 1, or null",
                "use 0.999, or null for no average",
            ),
            num_workers=at_least(0),
            log_every=at_least(1),
            checkpoint_every=at_least(1),
            keep_checkpoints=at_least(1),
            validate_every=at_least(0).or_use("use 1 or more, 0 for never, or null for only at the end"),
            validation_clips=at_least(0),
            validation_steps=at_least(1),
        )


ZERO_STAGES = (1, 2)
"""Stages of DeepSpeed's ZeRO that training supports."""


class DistributedKind(StrEnum):
    """How the gradients of several processes are joined."""

    single = "single"
    ddp = "ddp"
    deepspeed = "deepspeed"


@dataclass
class DistributedConfig:
    """How processes share the work. Start several with `accelerate launch` or `torchrun`; one process needs neither."""

    kind: DistributedKind = DistributedKind.single
    zero_stage: int = 2
    """DeepSpeed's ZeRO stage, 1 or 2 (kind=deepspeed)."""
    offload_optimizer: bool = False
    """Keep the optimiser's state in CPU memory (kind=deepspeed)."""

    def __post_init__(self) -> None:
        check_limits(self, zero_stage=between(*ZERO_STAGES).or_use("use 1 or 2"))
