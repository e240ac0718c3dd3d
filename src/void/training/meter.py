"""What a log line tells of the steps since the last one."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import psutil
import torch

GIB = 2**30


@dataclass(frozen=True)
class StepResult:
    """What one optimiser step reports.

    Args:
        loss: mean over micro-batches and processes.
        grad_norm: before clipping; null where the accelerator does not tell.
        seconds: of the whole step.
        waited: seconds of it spent waiting for data.
    """

    loss: float
    grad_norm: float | None
    seconds: float
    waited: float


class Meter:
    """Collects steps between two log lines.

    Args:
        samples_per_step: clips of one optimiser step on all processes.
    """

    def __init__(self, samples_per_step: int) -> None:
        self.samples_per_step = samples_per_step
        self.losses: list[float] = []
        self._seconds: list[float] = []
        self._waited: list[float] = []

    def add(self, loss: float, seconds: float, waited: float) -> None:
        """One step: its loss, how long it took, and how much of that it waited for data."""
        self.losses.append(loss)
        self._seconds.append(seconds)
        self._waited.append(waited)

    def read(self) -> dict[str, float]:
        """Means since the last reading, and a new beginning."""
        seconds = sum(self._seconds)
        summary = {
            "loss": statistics.fmean(self.losses),
            "step_seconds": seconds / len(self._seconds),
            "data_wait": sum(self._waited) / seconds,
            "samples_per_second": self.samples_per_step * len(self._seconds) / seconds,
            "memory_gib": memory_gib(),
        }
        self.losses, self._seconds, self._waited = [], [], []
        return summary


def memory_gib() -> float:
    """Peak CUDA memory of this process, or its resident memory where there is no CUDA, in GiB."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / GIB
    return psutil.Process().memory_info().rss / GIB
