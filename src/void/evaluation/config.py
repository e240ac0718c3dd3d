"""Configuration of evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from omegaconf import MISSING


class InpaintMethod(StrEnum):
    """Algorithms of cv2.inpaint."""

    telea = "telea"
    ns = "ns"


@dataclass
class EvalConfig:
    """Comparing predicted clips with ground truth."""

    root: str = MISSING
    """Folder of the report: report.html, metrics.json, metrics.csv."""
    baselines: list[str] = field(default_factory=lambda: ["input", "opencv_inpaint", "vae"])
    """Rows besides the model: input (left as it is), opencv_inpaint (each frame by itself), vae (a bound: the truth,
    encoded and decoded)."""
    inpaint_method: InpaintMethod = InpaintMethod.telea
    """Algorithm of opencv_inpaint: telea (fast marching) or ns (Navier-Stokes)."""
    inpaint_radius: float = 3.0
    """Neighbourhood of opencv_inpaint in pixels."""
    report_clips: int = 16
    """The page embeds the videos of at most this many pairs; every pair is in the metrics."""
