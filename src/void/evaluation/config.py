"""Configuration of evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING


@dataclass
class EvalConfig:
    """Comparing predicted clips with ground truth."""

    root: str = MISSING
    """Folder of the report: report.html, metrics.json, metrics.csv."""
    baselines: list[str] = field(default_factory=lambda: ["input", "opencv_inpaint"])
    """Rows besides the model: input (left as it is), opencv_inpaint (each frame by itself)."""
