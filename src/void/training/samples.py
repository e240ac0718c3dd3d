"""Folders of validation: which steps have one, which still need one, which are of steps that will be done again."""

from __future__ import annotations

import shutil
from pathlib import Path

from void.training.config import TrainingConfig

SAMPLES = "samples"


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


def discard_after(cfg: TrainingConfig, step: int) -> None:
    """Delete the validations of steps after `step`."""
    for folder in (Path(cfg.root) / SAMPLES).glob("step-*"):
        if int(folder.name.removeprefix("step-")) > step:
            shutil.rmtree(folder)
