"""Configuration of sampling."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class InferConfig:
    """Sampling held-out pairs of a manifest."""

    root: str = MISSING
    """Folder of the predicted clips."""
    checkpoint: str = "latest"
    """A checkpoint folder; `latest`: the newest under training.root; `none`: the model's own weights."""
    split: str = "${data.eval_split}"
    limit: int | None = None
    """At most this many pairs of the split, in manifest order; null: all."""
    steps: int = 30
    """Denoising steps."""
    guidance_scale: float = 1.0
    """1: no classifier-free guidance."""
    seed: int = 42
    """One generator per clip, seeded from this and the pair's id: results do not depend on order."""
    crf: int = 10
    """Quality of the H.264 files, 0 best to 51 worst. Evaluation measures the files, so their losses count."""
