"""The `void plan` command."""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from void.command import Command
from void.config import VoidConfig
from void.plan.checks import check_question


def _run(config: VoidConfig) -> None:
    from void.files import write_json
    from void.plan.estimate import estimate
    from void.plan.file import check_file
    from void.plan.report import show
    from void.plan.subject import subject_of

    if config.plan.json is not None:
        check_file(Path(config.plan.json))
    overrides = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    plan = estimate(config, subject_of(config.plan.of, overrides))
    if config.plan.json is not None:
        write_json(config.plan.json, plan.as_json())
    show(plan)


PLAN = Command(
    name="plan",
    summary="what a model, size and GPU will cost: parameters, tokens, TFLOP, memory per mode, seconds",
    help="""
Counts what sampling one clip of data.frames x data.height x data.width, or one training step of that shape, costs on a
type of GPU that need not be here: parameters, tokens, operations, memory in every memory mode of `void infer` or for
every way to share the training, and seconds at a stated share of the GPU's peak. Needs no weights and no GPU.

A question that names infer.* is about inference, one that names training.*, distributed or plan.processes about
training; an experiment alone is about both, and a model alone about inference. plan.of says it explicitly. What fits
leaves plan.margin of the memory free.

Nothing is measured. docs/plan.md says which numbers are exact, which are estimates, and how they are checked.

  void plan model=cogvideox_fun_5b data.frames=85 data.height=384 data.width=672
  void plan model=cogvideox_fun_5b data.frames=197 data.height=384 data.width=672 plan.gpu=rtx4090 infer.fp8=true
  void plan experiment=paper_pass1 plan.gpu=h100-sxm
  void plan experiment=paper_pass1 plan.gpu=h100-sxm plan.processes=16 plan.json=plan.json
""",
    groups=("plan", "model", "data", "infer", "training", "distributed", "stage"),
    run=_run,
    check=check_question,
    only_asks=True,
)
