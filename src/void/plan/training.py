"""What a training step costs: operations, and memory of each process by term."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from void.config import VoidConfig
from void.plan.flops import transformer_flops
from void.plan.inference import CONTEXT_GIB, TERA
from void.plan.networks import NetworkSize, TrainingActivations, VaeActivations, gib, training_activations
from void.shapes import latent_shape
from void.training.config import DistributedKind, Optimizer, Precision, TrainingConfig
from void.training.distributed import BUCKET_ELEMENTS

FULL, HALF = torch.float32.itemsize, torch.bfloat16.itemsize
# One bucket that is reduced, a second that fills meanwhile, and one to gather the weights.
ZERO_BUCKETS = 3
DTYPES = {Precision.fp32: torch.float32, Precision.bf16: torch.bfloat16, Precision.fp16: torch.float16}


@dataclass(frozen=True)
class TrainingMemory:
    """GiB of one process, by term.

    Args:
        kind: how processes share the work.
        weights: of the transformer.
        gradients: of every weight, or this process's part.
        optimizer: moments, and under ZeRO the float32 master weights; this process's part.
        moving_average: of the weights.
        buckets: of the communication.
        casts: half-precision copies of the weights that autocast makes in a step.
        activations: of one micro-step.
        validation: the VAE, and decoding one clip.
    """

    kind: DistributedKind
    weights: float
    gradients: float
    optimizer: float
    moving_average: float
    buckets: float
    casts: float
    activations: float
    validation: float

    @property
    def step_peak(self) -> float:
        """In a training step."""
        return self._lasting + self.gradients + self.buckets + self.casts + self.activations

    @property
    def validation_peak(self) -> float:
        """While a validation video is decoded: the step's own terms are gone."""
        return self._lasting + self.buckets + self.validation

    @property
    def peak(self) -> float:
        """The larger of the two."""
        return max(self.step_peak, self.validation_peak)

    @property
    def _lasting(self) -> float:
        return self.weights + self.optimizer + self.moving_average + CONTEXT_GIB


def step_tflop(cfg: VoidConfig) -> float:
    """TFLOP of one optimiser step of one process.

    The backward pass costs two forward passes, and gradient checkpointing repeats the forward one. Latents and texts
    come from the cache, so neither VAE nor text encoder works.
    """
    frames, _, rows, columns = latent_shape(cfg.data.frames, cfg.data.height, cfg.data.width)
    forward = transformer_flops(cfg.model.transformer, frames, rows, columns, cfg.model.max_text_tokens) / TERA
    passes = 4 if cfg.training.gradient_checkpointing else 3
    return passes * forward * cfg.training.batch_size * cfg.training.gradient_accumulation


def step_activations(cfg: VoidConfig) -> TrainingActivations:
    """Activations of one micro-step."""
    frames, _, rows, columns = latent_shape(cfg.data.frames, cfg.data.height, cfg.data.width)
    dtype = DTYPES[cfg.training.mixed_precision]
    return training_activations(cfg.model, cfg.training.batch_size, (frames, rows, columns), dtype)


def training_memory(
    cfg: VoidConfig,
    kind: DistributedKind,
    parameters: int,
    activations: TrainingActivations,
    vae: NetworkSize,
    decoding: VaeActivations,
) -> TrainingMemory:
    """Memory of each process.

    Args:
        cfg: precision, optimiser, checkpointing, ZeRO stage and offload; `plan.processes`.
        kind: how processes share the work; any, whatever the configuration says.
        parameters: of the transformer.
        activations: `step_activations`.
        vae: its size.
        decoding: of the VAE without tiles, for a validation video.
    """
    training, zero = cfg.training, kind is DistributedKind.deepspeed
    half = training.mixed_precision is not Precision.fp32
    # accelerate keeps float32 weights and casts them on the way; DeepSpeed's weights have the type of its arithmetic.
    width = HALF if zero and half else FULL
    weights = gib(parameters * width)
    gradients, optimizer = weights, gib(parameters * moment_bytes(training, flat=zero))
    buckets = {
        DistributedKind.single: 0.0,
        DistributedKind.ddp: gib(parameters * FULL),
        DistributedKind.deepspeed: gib(ZERO_BUCKETS * BUCKET_ELEMENTS * width),
    }[kind]
    if zero:
        gradients, optimizer = _zero_part(cfg, gradients, optimizer + gib(parameters * FULL))
    return TrainingMemory(
        kind=kind,
        weights=weights,
        gradients=gradients,
        optimizer=optimizer,
        moving_average=gib(parameters * FULL) if training.ema_decay is not None and not zero else 0.0,
        buckets=buckets,
        casts=gib(parameters * HALF) if half and not zero else 0.0,
        activations=_activations(cfg, activations),
        validation=0.0 if training.validate_every == 0 else vae.gib + decoding.decode,
    )


def _zero_part(cfg: VoidConfig, gradients: float, optimizer: float) -> tuple[float, float]:
    """What one process holds of gradients and optimiser state under ZeRO."""
    distributed, processes = cfg.distributed, cfg.plan.processes
    if distributed.offload_optimizer:
        return 0.0, 0.0
    return gradients / (processes if distributed.zero_stage == 2 else 1), optimizer / processes


def moment_bytes(training: TrainingConfig, *, flat: bool) -> int:
    """Bytes a weight of the optimiser's moments; CAME's factored second moments are under a thousandth of the first."""
    factored = training.optimizer is Optimizer.came and not flat
    return FULL if factored else 2 * FULL


def _activations(cfg: VoidConfig, activations: TrainingActivations) -> float:
    blocks: int = cfg.model.transformer["num_layers"]
    if cfg.training.gradient_checkpointing:
        kept = activations.block_inputs + activations.saved_by_block
    else:
        kept = blocks * activations.saved_by_block
    return kept + activations.outside_blocks + activations.transient
