"""Configuration of experiment tracking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TrackerKind(StrEnum):
    """Back ends."""

    wandb = "wandb"
    none = "none"


@dataclass
class TrackerConfig:
    """Weights & Biases, offline by default; metrics also go to train/metrics.jsonl whatever the kind."""

    kind: TrackerKind = TrackerKind.wandb
    project: str = "void"
    entity: str | None = None
    mode: str = "offline"
    """offline (default: no account, `wandb sync` uploads later), online or disabled."""
