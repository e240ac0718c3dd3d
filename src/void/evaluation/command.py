"""The `void eval` command."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig


def _run(config: VoidConfig) -> None:
    from void.evaluation.evaluate import evaluate

    evaluate(config)


EVAL = Command(
    name="eval",
    summary="compare predictions with ground truth and baselines, and write a report with videos",
    help="""
Reads the clips that `void infer` wrote (infer.root) and the pairs they were made from (data.root). Computes PSNR and
SSIM over the whole frame and inside each region of the quadmask (removed, affected, kept), for the model and baselines.

Writes to eval.root
  report.html    one page to open or to send: table and playing videos, needs no network
  metrics.json   every number, per clip and mean, with settings and checkpoint
  metrics.csv    the same numbers as a table

A second run does nothing. docs/evaluation.md defines each metric.

  void eval experiment=demo
  void eval experiment=demo 'eval.baselines=[input,opencv_inpaint]' eval.inpaint_method=ns
""",
    groups=("eval", "infer", "data"),
    run=_run,
)
