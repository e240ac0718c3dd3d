"""Configuration of evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from omegaconf import MISSING

from void.errors import InputError
from void.limits import above, at_least, check_limits, one_of

BASELINE_NAMES = ("input", "opencv_inpaint", "vae")


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
    baselines: list[str] = field(default_factory=lambda: list(BASELINE_NAMES))
    """Rows besides the predictions: input (left as it is), opencv_inpaint (each frame by itself), vae (a bound: the
    truth, encoded and decoded)."""
    inpaint_method: InpaintMethod = InpaintMethod.telea
    """Algorithm of opencv_inpaint: telea (fast marching) or ns (Navier-Stokes)."""
    inpaint_radius: float = 3.0
    """Neighbourhood of opencv_inpaint in pixels."""
    report_clips: int = 16
    """The page embeds the videos of at most this many pairs; every pair is in the metrics."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            baselines=one_of(BASELINE_NAMES),
            inpaint_radius=above(0).or_use("use pixels above 0, such as 3"),
            report_clips=at_least(0),
        )
        if len(set(self.baselines)) < len(self.baselines):
            raise InputError(f"eval.baselines names one twice: {', '.join(self.baselines)}", "list each baseline once")
