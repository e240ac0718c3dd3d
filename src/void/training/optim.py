"""Optimisers, and the learning rate as a function of the step."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from came_pytorch import CAME
from diffusers.optimization import get_scheduler
from torch.nn import Parameter
from torch.optim import SGD, AdamW
from torch.optim.optimizer import Optimizer as TorchOptimizer

from void.training.config import Optimizer, TrainingConfig

# CAME's third decay, of the instability, and its two regularisers: the defaults of its paper.
CAME_INSTABILITY_DECAY = 0.9999
CAME_EPSILONS = (1e-30, 1e-16)


def build_optimizer(cfg: TrainingConfig, parameters: Iterable[Parameter]) -> TorchOptimizer:
    """The optimiser of the configuration, at its peak learning rate."""
    if cfg.optimizer is Optimizer.came:
        return CAME(
            parameters,
            lr=cfg.learning_rate,
            betas=(*cfg.adam_betas, CAME_INSTABILITY_DECAY),
            eps=CAME_EPSILONS,
            weight_decay=cfg.weight_decay,
        )
    return AdamW(
        parameters, lr=cfg.learning_rate, betas=cfg.adam_betas, eps=cfg.adam_epsilon, weight_decay=cfg.weight_decay
    )


def learning_rate(cfg: TrainingConfig, horizon: int = 1) -> Callable[[int], float]:
    """The learning rate of optimiser step s = 1..steps.

    A pure function of the step, evaluated once an optimiser step whatever the number of processes: nothing to save,
    nothing that a launcher could step too often. Warm-up and decay reach zero just outside the run, so no step is spent
    at rate 0.

    Args:
        cfg: the schedule.
        horizon: length of the schedule as a multiple of the run's; the warm-up keeps its length.
    """
    template = SGD([Parameter(torch.zeros(1))], lr=1.0)
    factor = get_scheduler(
        cfg.lr_schedule, template, num_warmup_steps=cfg.warmup_steps, num_training_steps=horizon * cfg.steps + 1
    ).lr_lambdas[0]
    return lambda step: cfg.learning_rate * float(factor(step))
