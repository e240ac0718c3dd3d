"""The schedulers that VoidPipeline samples with, behind one way of taking a step.

Two things decide whether a scheduler fits: its class must be one whose update is known to work with a velocity network,
and its noise levels must be those of the scheduler that came with the weights, because the network was trained on
exactly these.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

import torch
from diffusers import (
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    DDIMParallelScheduler,
    DDIMScheduler,
    DDPMParallelScheduler,
    DDPMScheduler,
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    DPMSolverSinglestepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LMSDiscreteScheduler,
    PNDMScheduler,
    SchedulerMixin,
    UniPCMultistepScheduler,
)
from torch import Tensor

from void.errors import InputError

log = logging.getLogger(__name__)

SCHEDULERS = (
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    DDIMParallelScheduler,
    DDIMScheduler,
    DDPMParallelScheduler,
    DDPMScheduler,
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    DPMSolverSinglestepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LMSDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
"""Classes of diffusers whose update reaches the clip that a perfect velocity network describes (a test)."""
STATELESS = (CogVideoXDDIMScheduler, DDIMScheduler)
"""Classes whose step is deterministic and keeps nothing, so that every window may take it by itself."""
LEVEL_TOLERANCE = 1e-3
"""Largest difference of cumulative alphas: some classes keep 2^-24 in place of 0 at the last noise level."""
VELOCITY = "v_prediction"

Generators = torch.Generator | list[torch.Generator]


def noise_levels(scheduler: SchedulerMixin) -> Tensor | None:
    """A copy of the cumulative alphas, one for each training timestep; None where the scheduler has none."""
    levels = getattr(scheduler, "alphas_cumprod", None)
    return None if levels is None else levels.detach().cpu().clone()


def check_scheduler(scheduler: SchedulerMixin, trained_levels: Tensor | None) -> None:
    """Refuse a scheduler that VoidPipeline cannot sample with.

    Args:
        scheduler: The scheduler of a call.
        trained_levels: Cumulative alphas of the scheduler that came with the weights; None skips their comparison.

    Raises:
        InputError: the class is unknown, or its noise levels are not those of the weights.
    """
    name = type(scheduler).__name__
    if not isinstance(scheduler, SCHEDULERS):
        known = ", ".join(one.__name__ for one in SCHEDULERS)
        raise InputError(f"{name} cannot sample with this velocity network", f"use one of {known}")
    levels = noise_levels(scheduler)
    if trained_levels is not None and levels is not None:
        _check_levels(scheduler, levels, trained_levels)
    if scheduler.config.prediction_type != VELOCITY:
        log.warning(
            "%s reads the network's output as %r, but VOID's networks predict velocities: "
            "%s.from_config(pipeline.scheduler.config, prediction_type=%r)",
            name,
            scheduler.config.prediction_type,
            name,
            VELOCITY,
        )


def _check_levels(scheduler: SchedulerMixin, levels: Tensor, trained_levels: Tensor) -> None:
    name = type(scheduler).__name__
    if levels.shape == trained_levels.shape:
        difference = (levels.double() - trained_levels.double()).abs().max().item()
        if difference <= LEVEL_TOLERANCE:
            return
        problem = (
            f"{name} has other noise levels than the weights were trained with (alphas differ by {difference:.2g})"
        )
    else:
        problem = f"{name} has {len(levels)} noise levels, the weights have {len(trained_levels)}"
    arguments = inspect.signature(type(scheduler).__init__).parameters
    if "snr_shift_scale" in arguments:
        remedy = f"{name}.from_config(pipeline.scheduler.config, snr_shift_scale=1.0) leaves them as they are"
    elif "rescale_betas_zero_snr" not in arguments:
        remedy = "it has no rescale_betas_zero_snr: use a scheduler that has, such as DPMSolverMultistepScheduler"
    else:
        remedy = f"make it from the one that came with the weights: {name}.from_config(pipeline.scheduler.config)"
    raise InputError(problem, remedy)


class SchedulerStep:
    """One update of the latents, whatever the scheduler's class wants to be told.

    Args:
        scheduler: A scheduler whose timesteps are set.
        generator: Source of the noise that some classes add in each step; None: torch's global one.
    """

    def __init__(self, scheduler: SchedulerMixin, generator: Generators | None = None) -> None:
        self.is_stateless = isinstance(scheduler, STATELESS)
        self._scheduler = scheduler
        parameters = inspect.signature(scheduler.step).parameters
        self._options: dict[str, Any] = {"return_dict": False}
        if "generator" in parameters:
            self._options["generator"] = generator
        self._looks_back = "old_pred_original_sample" in parameters
        self._last_clean: Tensor | None = None
        self._last_timestep: Tensor | None = None

    def scaled(self, latents: Tensor, timestep: Tensor) -> Tensor:
        """The latents at the scale that the network expects."""
        return self._scheduler.scale_model_input(latents, timestep)

    def __call__(self, velocity: Tensor, timestep: Tensor, latents: Tensor) -> Tensor:
        """The latents one step on.

        Args:
            velocity: Output of the network, guidance included.
            timestep: Current one of the scheduler's timesteps.
            latents: Latents before the step, not scaled.
        """
        if not self._looks_back:
            return self._scheduler.step(velocity, timestep, latents, **self._options)[0]
        stepped, self._last_clean = self._scheduler.step(
            velocity, self._last_clean, timestep, self._last_timestep, latents, **self._options
        )
        self._last_timestep = timestep
        return stepped


def cpu_generator(generator: Generators | None) -> torch.Generator:
    """A CPU generator as it is; from any other one, a CPU generator seeded by a draw from it."""
    source = generator[0] if isinstance(generator, list) else generator
    if source is not None and source.device.type == "cpu":
        return source
    return torch.Generator().manual_seed(draw_seed(source))


def draw_seed(generator: Generators | None) -> int:
    """A seed from a generator, of several the first, or from torch's global one."""
    source = generator[0] if isinstance(generator, list) else generator
    device = "cpu" if source is None else source.device
    return int(torch.randint(2**63 - 1, (), generator=source, device=device))
