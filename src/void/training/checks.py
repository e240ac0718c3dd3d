"""Values of the training configuration that would make no sense, found before anything is loaded."""

from __future__ import annotations

from void.errors import InputError
from void.models.checkpoints import resolve_checkpoint
from void.recipe import Stage
from void.training.config import StageConfig, TrainingConfig
from void.training.optim import learning_rate

AT_LEAST_ONE = (
    "steps",
    "batch_size",
    "gradient_accumulation",
    "log_every",
    "checkpoint_every",
    "keep_checkpoints",
    "validation_steps",
)
NOT_NEGATIVE = ("warmup_steps", "num_workers", "validation_clips", "weight_decay")
POSITIVE = ("learning_rate", "max_grad_norm", "adam_epsilon")


def check_stage(cfg: StageConfig) -> None:
    """Raise InputError on a stage that cannot be trained, or whose initial weights are missing."""
    if cfg.name not in (Stage.pass1, Stage.pass2):
        raise InputError(
            f"stage={cfg.name.value} is of inference and evaluation: a run trains one stage",
            "train with stage=pass1, then with stage=pass2",
        )
    if cfg.init_from is not None:
        resolve_checkpoint(cfg.init_from, "stage.init_from")


def check_training(cfg: TrainingConfig) -> None:
    """Raise `InputError` on the first value that is out of range."""
    for name in AT_LEAST_ONE:
        _check(name, getattr(cfg, name), getattr(cfg, name) >= 1, "a whole number of at least 1")
    for name in NOT_NEGATIVE:
        _check(name, getattr(cfg, name), getattr(cfg, name) >= 0, "0 or more")
    for name in POSITIVE:
        _check(name, getattr(cfg, name), getattr(cfg, name) > 0, "greater than 0")
    _check("text_dropout", cfg.text_dropout, 0 <= cfg.text_dropout <= 1, "between 0 and 1")
    _check("adam_betas", cfg.adam_betas, all(0 <= beta < 1 for beta in cfg.adam_betas), "between 0 and 1 (1 excluded)")
    if cfg.ema_decay is not None:
        _check("ema_decay", cfg.ema_decay, 0 < cfg.ema_decay < 1, "between 0 and 1, or null")
    if cfg.validate_every is not None:
        _check("validate_every", cfg.validate_every, cfg.validate_every >= 0, "0 or more, or null")
    learning_rate(cfg)


def _check(name: str, value: object, fits: bool, wanted: str) -> None:
    if not fits:
        raise InputError(f"training.{name}={value} makes no sense", f"it must be {wanted}")
