"""Configuration of experiment tracking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TrackerKind(StrEnum):
    """Back ends."""

    wandb = "wandb"
    none = "none"


class TrackerMode(StrEnum):
    """Where W&B keeps a run: on disk until `wandb sync`, on the server at once, or nowhere."""

    offline = "offline"
    online = "online"
    disabled = "disabled"


@dataclass
class TrackerConfig:
    """Weights & Biases, offline by default; metrics also go to train/metrics.jsonl whatever the kind.

    A value given here counts before the environment variable of the same meaning, and that before the default.
    """

    kind: TrackerKind = TrackerKind.wandb
    project: str | None = None
    """W&B project; null: $WANDB_PROJECT, else void."""
    entity: str | None = None
    """W&B team or user; null: $WANDB_ENTITY, else that of the account."""
    mode: TrackerMode | None = None
    """offline (no account needed, `wandb sync` uploads later), online or disabled; null: $WANDB_MODE, else offline."""
    tags: list[str] | None = None
    """Tags of the W&B run; null: $WANDB_TAGS (separated by commas), else none."""
