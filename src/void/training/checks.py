"""Refusals of `void train` that need no file: a stage that no run trains, a launch that does not fit `distributed`."""

from __future__ import annotations

import importlib.util
import os

from void.config import VoidConfig
from void.errors import InputError
from void.recipe import Stage
from void.training.config import DistributedKind


def check_run(config: VoidConfig) -> None:
    """Raise unless one run can train this stage with the processes that were launched.

    Raises:
        InputError: A stage of two passes, or as `check_launch`.
    """
    stage = config.stage.name
    if stage not in (Stage.pass1, Stage.pass2):
        raise InputError(
            f"stage={stage.value} is of inference and evaluation: a run trains one stage",
            "train with stage=pass1, then with stage=pass2",
        )
    check_launch(config)


def launched_processes() -> int:
    """Processes in all, as the launcher announced them; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_launch(config: VoidConfig) -> None:
    """Raise unless the launch fits `config.distributed`.

    Raises:
        InputError: Several processes with kind=single, no launcher with another kind, EMA under DeepSpeed, or DeepSpeed
            is not installed.
    """
    kind, processes = config.distributed.kind, launched_processes()
    if kind is DistributedKind.single:
        if processes > 1:
            raise InputError(f"distributed=single, but {processes} processes were launched", "add distributed=ddp")
        return
    if "WORLD_SIZE" not in os.environ:
        raise InputError(
            f"distributed={kind} without a launcher",
            f"torchrun --standalone --nproc_per_node 2 train.py distributed={kind} ..., or use distributed=single",
        )
    if kind is DistributedKind.deepspeed:
        if importlib.util.find_spec("deepspeed") is None:
            remedy = "pip install --no-build-isolation 'void[distributed]', or use distributed=ddp"
            raise InputError("distributed=deepspeed, but DeepSpeed is not installed", remedy)
        if config.training.ema_decay is not None:
            raise InputError("training.ema_decay is not supported with distributed=deepspeed", "use distributed=ddp")
