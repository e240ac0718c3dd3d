"""Configuration of `void plan`."""

from __future__ import annotations

from dataclasses import dataclass

from void.limits import Limit, at_least, check_limits


@dataclass
class PlanConfig:
    """What to plan for. Model, size, steps and the rest are read where the other commands read them."""

    gpu: str = "a100-80gb"
    """Type of GPU, for its memory and its peak: a100-80gb, h100-sxm, rtx4090, ... An unknown name lists them all."""
    mfu: float = 0.35
    """Assumed share of that peak that the arithmetic reaches (model FLOPs utilisation), above 0 up to 1."""
    processes: int = 8
    """Processes, one GPU each, among which ZeRO shares the optimiser's state."""
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
        )
