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
from void.plan.config import PlanSubject
from void.plan.gpus import Gpu, find_gpu
from void.plan.inference import (
    InferenceActivations,
    InferenceCompute,
    ModeMemory,
    inference_activations,
    inference_compute,
    mode_memory,
)
from void.plan.networks import (
    NetworkSize,
    TransformerSize,
    VaeActivations,
    network_size,
    transformer_size,
    vae_activations,
)
from void.plan.training import TrainingMemory, step_activations, step_tflop, training_memory
from void.shapes import latent_shape, token_count
from void.training.config import DistributedKind, Precision, TrainingConfig


@dataclass(frozen=True)
class Plan:
    """What a configuration costs. Memory in GiB, operations in TFLOP.

    Args:
        subject: What the plan is about; what it is not about is None or empty.
        model: Name of the model.
        stage: Name of the stage.
        gpu: Type of GPU planned for.
        mfu: Assumed share of the GPU's peak.
        margin: Share of the GPU's memory that must stay free.
        clip: Frames, height and width in pixels.
        latents: Latent frames, channels, rows and columns.
        video_tokens: Tokens of the whole clip.
        text_tokens: Text tokens in every forward pass.
        transformer: Size of the transformer.
        vae: Size of the VAE.
        text_encoder: Size of the text encoder.
        inference: Cost of sampling one clip; None in a plan of training.
        training: Cost of training; None in a plan of inference.
        warnings: What these numbers leave out in this configuration.
    """

    subject: PlanSubject
    model: str
    stage: str
    gpu: Gpu
    mfu: float
    margin: float
    clip: tuple[int, int, int]
    latents: tuple[int, int, int, int]
    video_tokens: int
    text_tokens: int
    transformer: TransformerSize
    vae: NetworkSize
    text_encoder: NetworkSize
    inference: InferencePlan | None
    training: TrainingPlan | None
    warnings: list[str]

    @property
    def room_gib(self) -> float:
        """Memory of the GPU without the margin."""
        return self.gpu.memory_gib * (1 - self.margin)

    def fits(self, peak: float) -> bool:
        """Whether a peak in GiB leaves the margin free."""
        return peak <= self.room_gib

    def seconds(self, tflop: float) -> float:
        """Seconds on this GPU at the assumed share of its peak."""
        return tflop / (self.gpu.bf16_tflops * self.mfu)

    def as_json(self) -> dict[str, Any]:
        """Everything, with the sums, times and verdicts that follow from it."""
        plan = dataclasses.asdict(self) | {"room_gib": self.room_gib}
        if self.inference is not None:
            for mode, shown in zip(self.inference.modes, plan["inference"]["modes"], strict=True):
                shown |= {"peak": mode.peak, "fits": self.fits(mode.peak)}
            plan["inference"]["compute"]["total"] = self.inference.compute.total
            plan["inference"]["seconds_per_clip"] = self.seconds(self.inference.compute.total)
        if self.training is not None:
            for memory, shown in zip(self.training.memory, plan["training"]["memory"], strict=True):
                shown |= {"peak": memory.peak, "fits": self.fits(memory.peak)}
            plan["training"]["seconds_per_step"] = self.seconds(self.training.tflop)
        return plan


@dataclass(frozen=True)
class InferencePlan:
    """Cost of sampling one clip.

    Args:
        compute: Operations.
        activations: Live tensors at the peak of each network's work.
        modes: Memory in each mode.
    """

    compute: InferenceCompute
    activations: InferenceActivations
    modes: list[ModeMemory]


@dataclass(frozen=True)
class TrainingPlan:
    """Cost of training.

    Args:
        memory: Memory of one process with each way to share the work.
        tflop: Operations of one optimiser step of one process, in TFLOP.
        steps: Optimiser steps in total.
        settings: Settings that a step's cost depends on, in words.
        processes: Number of processes that share the training.
        zero_stage: Stage of DeepSpeed's ZeRO.
    """

    memory: list[TrainingMemory]
    tflop: float
    steps: int
    settings: str
    processes: int
    zero_stage: int


def estimate(cfg: VoidConfig, subject: PlanSubject = PlanSubject.both) -> Plan:
    """Plan sampling or training, or both, at `data.frames` x `data.height` x `data.width`.

    Args:
        cfg: Configuration of the run.
        subject: What to plan, other than `auto`.

    Raises:
        InputError: a value is out of range, a stage of two passes, or an unknown GPU.
    """
    recheck(cfg)
    check_question(cfg)
    cfg = of_pass(cfg, cfg.stage.name)
    gpu = find_gpu(cfg.plan.gpu)
    data, model = cfg.data, cfg.model
    vae = network_size(build_vae(model, meta=True))
    transformer = transformer_size(model)
    text_encoder = network_size(build_text_encoder(model, meta=True))
    inference = training = None
    if subject is not PlanSubject.training:
        inference = _plan_inference(cfg, transformer, vae, text_encoder)
    if subject is not PlanSubject.inference:
        known = inference.activations.vae if inference is not None and not cfg.infer.vae_tiling else None
        training = _plan_training(cfg, transformer, vae, known)
    return Plan(
        subject=subject,
        model=model.name,
        stage=cfg.stage.name.value,
        gpu=gpu,
        mfu=cfg.plan.mfu,
        margin=cfg.plan.margin,
        clip=(data.frames, data.height, data.width),
        latents=latent_shape(data.frames, data.height, data.width),
        video_tokens=token_count(data.frames, data.height, data.width),
        text_tokens=model.max_text_tokens,
        transformer=transformer,
        vae=vae,
        text_encoder=text_encoder,
        inference=inference,
        training=training,
        warnings=_warnings(cfg, subject),
    )


def _plan_inference(
    cfg: VoidConfig, transformer: TransformerSize, vae: NetworkSize, text_encoder: NetworkSize
) -> InferencePlan:
    activations = inference_activations(cfg)
    modes = [
        mode_memory(memory, fp8, transformer, vae, text_encoder, activations)
        for memory in Memory
        for fp8 in (False, True)
    ]
    return InferencePlan(compute=inference_compute(cfg), activations=activations, modes=modes)


def _plan_training(
    cfg: VoidConfig, transformer: TransformerSize, vae: NetworkSize, untiled: VaeActivations | None
) -> TrainingPlan:
    """Plan training; `untiled` are the VAE's activations without tiles, where they are known already."""
    data, step = cfg.data, step_activations(cfg)
    decoding = untiled or vae_activations(cfg.model, data.frames, data.height, data.width, tiled=False)
    return TrainingPlan(
        memory=[training_memory(cfg, kind, transformer.parameters, step, vae, decoding) for kind in DistributedKind],
        tflop=step_tflop(cfg),
        steps=cfg.training.steps,
        settings=_training_settings(cfg.training),
        processes=cfg.plan.processes,
        zero_stage=cfg.distributed.zero_stage,
    )


def _training_settings(training: TrainingConfig) -> str:
    clips = training.batch_size * training.gradient_accumulation
    checkpointing = "with" if training.gradient_checkpointing else "without"
    return (
        f"{clips} {'clip' if clips == 1 else 'clips'}, {training.mixed_precision}, {training.optimizer}, "
        f"{checkpointing} gradient checkpointing"
    )


def _warnings(cfg: VoidConfig, subject: PlanSubject) -> list[str]:
    found = []
    inference, training = subject is not PlanSubject.training, subject is not PlanSubject.inference
    if inference and cfg.model.dtype == "float32":
        found.append("Sampling times are those of bf16: model.dtype=float32 takes several times as long.")
    if training and cfg.training.mixed_precision is Precision.fp32:
        found.append("Training times are those of bf16: training.mixed_precision=fp32 takes several times as long.")
    if inference and cfg.infer.vae_tiling:
        found.append("TFLOP of the VAE are untiled; tiles overlap, which adds to them.")
    return found
