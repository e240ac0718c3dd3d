"""Refusals of `void plan` that need no network: they come before the minutes of counting."""

from __future__ import annotations

from void.config import VoidConfig
from void.errors import InputError
from void.plan.gpus import find_gpu
from void.recipe import Stage


def check_question(config: VoidConfig) -> None:
    """Raise unless the configuration asks for one pass on a known type of GPU.

    Raises:
        InputError: A stage of two passes, or an unknown GPU.
    """
    if config.stage.name not in (Stage.pass1, Stage.pass2):
        raise InputError(
            f"stage={config.stage.name.value}: a plan is of one pass",
            "plan stage=pass1 and stage=pass2, and add them up",
        )
    find_gpu(config.plan.gpu)
