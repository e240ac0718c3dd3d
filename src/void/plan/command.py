"""The `void plan` command."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig
from void.plan.checks import check_question


def _run(config: VoidConfig) -> None:
    from void.files import write_json
    from void.plan.estimate import estimate
    from void.plan.report import show

    plan = estimate(config)
    if config.plan.json is not None:
        write_json(config.plan.json, plan.as_json())
    show(plan)


PLAN = Command(
    name="plan",
    summary="what a model, size and GPU will cost: parameters, tokens, TFLOP, memory per mode, seconds",
    help="""
Counts what sampling one clip of data.frames x data.height x data.width and one training step of that shape cost on a
type of GPU that need not be here: parameters, tokens, operations, memory in every memory mode of `void infer` and for
every way to share the training, and seconds at a stated share of the GPU's peak. Needs no weights and no GPU.

Nothing is measured. docs/plan.md says which numbers are exact, which are estimates, and how they are checked.

  void plan model=cogvideox_fun_5b data.frames=85 data.height=384 data.width=672
  void plan model=cogvideox_fun_5b data.frames=197 data.height=384 data.width=672 plan.gpu=rtx4090 infer.fp8=true
  void plan experiment=paper_pass1 plan.gpu=h100-sxm plan.processes=16 plan.json=plan.json
""",
    groups=("plan", "model", "data", "infer", "training", "distributed", "stage"),
    run=_run,
    check=check_question,
    only_asks=True,
)
