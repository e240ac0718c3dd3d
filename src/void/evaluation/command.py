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
Reads the clips that `void infer` wrote and the pairs they were made from (data.root). Computes PSNR, SSIM and the
flow-warped error E_warp over the whole frame and inside each region of the quadmask (removed, affected, kept), for each
folder of predictions, for baselines, and for the truth itself.

Folders are those of the stage: infer.root (pass 1), infer.pass2.root (pass 2); or those that eval.predictions names.

Writes to eval.root
  report.html    one page to open or to send: table and playing videos, needs no network
  noise.html     where a second pass left its noise: the noise beside the clip that it follows, and whether it is white
  metrics.json   every number, per clip and mean, with settings and checkpoints
  metrics.csv    the same numbers as a table

A second run does nothing; other stages or folders replace the report. docs/evaluation.md defines each metric.

  void eval experiment=demo
  void eval experiment=demo stage=both
  void eval experiment=demo '+eval.predictions={corrected: runs/a/infer, released: runs/b/infer}'
  void eval experiment=demo 'eval.baselines=[input,opencv_inpaint]' eval.inpaint_method=ns
""",
    groups=("eval", "stage", "infer", "data"),
    run=_run,
    writes=lambda _: ("eval.root",),
)
