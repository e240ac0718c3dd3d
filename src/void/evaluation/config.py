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
    """Folder of the report: report.html, metrics.json, metrics.csv; noise.html beside them where there is noise."""
    predictions: dict[str, str] = field(default_factory=dict)
    """Folders of `void infer` of the same pairs, a row each: +eval.predictions={LABEL: FOLDER, ...}. {}: infer.root as
    `VOID pass 1`, and unless stage=pass1 infer.pass2.root as `VOID pass 2`; with stage=pass2 the first pass's row is
    that of infer.pass2.first_pass, where `void infer` made that folder."""
    baselines: list[str] = field(default_factory=lambda: ["input", "opencv_inpaint", "vae"])
    """Rows besides the predictions: input (left as it is), opencv_inpaint (each frame by itself), vae (a bound: the
    truth, encoded and decoded)."""
    inpaint_method: InpaintMethod = InpaintMethod.telea
    """Algorithm of opencv_inpaint: telea (fast marching) or ns (Navier-Stokes)."""
    inpaint_radius: float = 3.0
    """Neighbourhood of opencv_inpaint in pixels."""
    report_clips: int = 16
    """The page embeds the videos of at most this many pairs; every pair is in the metrics."""
