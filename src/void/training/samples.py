"""Folders of validation: which steps have one, which still need one, which are of steps that will be done again."""

from __future__ import annotations

from pathlib import Path

from void.files import check_replaceable, remove_written
from void.models.checkpoints import CHECKPOINTS
from void.tracking.metrics_file import check_metrics
from void.training.checkpoint import KIND
from void.training.config import TrainingConfig

SAMPLES = "samples"
SAMPLES_KIND = "validation"
"""Name of a step's folder in its ledger."""


def step_name(step: int) -> str:
    """The name of a step's folder, under checkpoints/ and samples/ alike."""
    return f"step-{step:06d}"


def samples_folder(cfg: TrainingConfig, step: int) -> Path:
    """Where the validation of a step is written; it exists whole or not at all."""
    return Path(cfg.root) / SAMPLES / step_name(step)


def validation_owed(cfg: TrainingConfig, step: int) -> bool:
    """Whether the run validates after this step and has not yet."""
    every = cfg.validate_every
    if every == 0 or step == 0:
        return False
    due = step == cfg.steps or (every is not None and step % every == 0)
    return due and not samples_folder(cfg, step).is_dir()


def check_free(cfg: TrainingConfig, step: int) -> None:
    """Raise unless everything that a run writes after `step` is absent or of an earlier run.

    Raises:
        InputError: a file or folder is there that no training run wrote, or that was changed since.
    """
    root = Path(cfg.root)
    check_metrics(root)
    for name, kind in ((CHECKPOINTS, KIND), (SAMPLES, SAMPLES_KIND)):
        for folder in sorted((root / name).glob("step-*")):
            number = folder.name.removeprefix("step-")
            if number.isdecimal() and int(number) > step:
                check_replaceable(folder, kind=kind)


def discard_after(cfg: TrainingConfig, step: int) -> None:
    """Delete the validations of steps after `step`; `check_free` has looked at them."""
    for folder in (Path(cfg.root) / SAMPLES).glob("step-*"):
        number = folder.name.removeprefix("step-")
        if number.isdecimal() and int(number) > step:
            remove_written(folder)
