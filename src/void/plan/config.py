"""Configuration of `void plan`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from void.limits import Limit, at_least, check_limits, within


class PlanSubject(StrEnum):
    """What a plan is about."""

    auto = "auto"
    inference = "inference"
    training = "training"
    both = "both"


@dataclass
class PlanConfig:
    """What to plan for. Model, size, steps and the rest are read where the other commands read them."""

    gpu: str = "a100-80gb"
    """Type of GPU, for its memory and its peak: a100-80gb, h100-sxm, rtx4090, ... An unknown name lists them all."""
    mfu: float = 0.35
    """Assumed share of that peak that the arithmetic reaches (model FLOPs utilisation), above 0 up to 1."""
    processes: int = 8
    """Processes, one GPU each, among which ZeRO shares the optimiser's state."""
    of: PlanSubject = PlanSubject.auto
    """inference, training or both. auto: what the command line names (infer.*; training.*, distributed or
    plan.processes); where it names neither, both for an experiment, and else inference."""
    margin: float = 0.06
    """Share of the GPU's memory that must stay free before a plan is said to fit, for what is not counted."""
    json: str | None = None
    """Also write the numbers to this file; null: only print."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            mfu=Limit(
                lambda share: 0 < share <= 1,
                "greater than 0 and at most 1",
                "use a share above 0 and at most 1; 0.35 is usual",
            ),
            processes=at_least(1),
            margin=within(0, 1).or_use("use a share from 0 to below 1; 0.06 is usual"),
        )
