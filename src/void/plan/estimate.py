"""The whole plan of one configuration, as plain data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from void.config import VoidConfig
from void.limits import recheck
from void.models.build import build_text_encoder, build_vae
from void.pipelines.config import Memory
from void.pipelines.settings import of_pass
from void.plan.checks import check_question
from void.plan.gpus import Gpu, find_gpu
from void.plan.inference import (
    InferenceActivations,
    InferenceCompute,
    ModeMemory,
    inference_activations,
    inference_compute,
    mode_memory,
)
from void.plan.networks import NetworkSize, TransformerSize, network_size, transformer_size, vae_activations
from void.plan.training import TrainingMemory, step_activations, step_tflop, training_memory
from void.shapes import latent_shape, token_count
from void.training.config import DistributedKind, Precision, TrainingConfig


@dataclass(frozen=True)
class Plan:
    """What a configuration costs. Memory in GiB, operations in TFLOP.

    Args:
        model: its name.
        stage: its name.
        gpu: the type planned for.
        mfu: assumed share of the GPU's peak.
        clip: frames, height and width in pixels.
        latents: latent frames, channels, rows and columns.
        video_tokens: of the whole clip.
        text_tokens: in every forward pass.
        transformer: weights.
        vae: weights.
        text_encoder: weights.
        compute: of sampling one clip.
        activations: of sampling one clip.
        modes: memory of sampling in each mode.
        training: memory of training with each way to share it.
        training_tflop: one optimiser step of one process.
        training_steps: optimiser steps in total.
        training_settings: that a step's cost depends on, in words.
        processes: that share the training.
        zero_stage: of DeepSpeed.
        warnings: what these numbers leave out in this configuration.
    """

    model: str
    stage: str
    gpu: Gpu
    mfu: float
    clip: tuple[int, int, int]
    latents: tuple[int, int, int, int]
    video_tokens: int
    text_tokens: int
    transformer: TransformerSize
    vae: NetworkSize
    text_encoder: NetworkSize
    compute: InferenceCompute
    activations: InferenceActivations
    modes: list[ModeMemory]
    training: list[TrainingMemory]
    training_tflop: float
    training_steps: int
    training_settings: str
    processes: int
    zero_stage: int
    warnings: list[str]

    def seconds(self, tflop: float) -> float:
        """Seconds on this GPU at the assumed share of its peak."""
        return tflop / (self.gpu.bf16_tflops * self.mfu)

    def as_json(self) -> dict[str, Any]:
        """Everything, with the sums and times that follow from it."""
        plan = dataclasses.asdict(self)
        for mode, shown in zip(self.modes, plan["modes"], strict=True):
            shown["peak"] = mode.peak
        for memory, shown in zip(self.training, plan["training"], strict=True):
            shown["peak"] = memory.peak
        plan["compute"]["total"] = self.compute.total
        plan["seconds_per_clip"] = self.seconds(self.compute.total)
        plan["seconds_per_training_step"] = self.seconds(self.training_tflop)
        return plan


def estimate(cfg: VoidConfig) -> Plan:
    """Plan sampling and training at `data.frames` x `data.height` x `data.width`.

    Raises:
        InputError: a value is out of range, a stage of two passes, or an unknown GPU.
    """
    recheck(cfg)
    check_question(cfg)
    cfg = of_pass(cfg, cfg.stage.name)
    gpu = find_gpu(cfg.plan.gpu)
    data, model = cfg.data, cfg.model
    compute = inference_compute(cfg)
    text_encoder = network_size(build_text_encoder(model, meta=True))
    vae = network_size(build_vae(model, meta=True))
    transformer = transformer_size(model)
    activations = inference_activations(cfg)
    step = step_activations(cfg)
    untiled = (
        vae_activations(model, data.frames, data.height, data.width, tiled=False)
        if cfg.infer.vae_tiling
        else activations.vae
    )
    return Plan(
        model=model.name,
        stage=cfg.stage.name.value,
        gpu=gpu,
        mfu=cfg.plan.mfu,
        clip=(data.frames, data.height, data.width),
        latents=latent_shape(data.frames, data.height, data.width),
        video_tokens=token_count(data.frames, data.height, data.width),
        text_tokens=model.max_text_tokens,
        transformer=transformer,
        vae=vae,
        text_encoder=text_encoder,
        compute=compute,
        activations=activations,
        modes=[
            mode_memory(memory, fp8, transformer, vae, text_encoder, activations)
            for memory in Memory
            for fp8 in (False, True)
        ],
        training=[training_memory(cfg, kind, transformer.parameters, step, vae, untiled) for kind in DistributedKind],
        training_tflop=step_tflop(cfg),
        training_steps=cfg.training.steps,
        training_settings=_training_settings(cfg.training),
        processes=cfg.plan.processes,
        zero_stage=cfg.distributed.zero_stage,
        warnings=_warnings(cfg),
    )


def _training_settings(training: TrainingConfig) -> str:
    clips = training.batch_size * training.gradient_accumulation
    checkpointing = "with" if training.gradient_checkpointing else "without"
    return (
        f"{clips} {'clip' if clips == 1 else 'clips'}, {training.mixed_precision}, {training.optimizer}, "
        f"{checkpointing} gradient checkpointing"
    )


def _warnings(cfg: VoidConfig) -> list[str]:
    found = []
    if cfg.model.dtype == "float32":
        found.append("Sampling times are those of bf16: model.dtype=float32 takes several times as long.")
    if cfg.training.mixed_precision is Precision.fp32:
        found.append("Training times are those of bf16: training.mixed_precision=fp32 takes several times as long.")
    if cfg.infer.vae_tiling:
        found.append("TFLOP of the VAE are untiled; tiles overlap, which adds to them.")
    return found
