"""What a training run needs to continue, and the rules by which it may.

training.root/checkpoints/step-000400/     whole or absent
  transformer/     config.json, *.safetensors: what inference loads (the moving average, where there is one)
  state/           accelerate's save_state: raw weights, optimiser, loss scaler, generators (ZeRO: in shards)
  trainer.json     step, settings, full configuration, checksums of transformer/, versions
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json, remove_written, sha256_file, sha256_of, write_json
from void.models.checkpoints import TRAINER_STATE, TRANSFORMER, complete_checkpoints, resolve_checkpoint
from void.recipe import effective_levels

SCHEMA = 1
STATE = "state"
KIND = "checkpoint"
"""Name of a checkpoint's folder in its ledger."""
# Keys of `training` that a rerun may change: they alter what is done around the steps, never the steps.
FREE_KEYS = (
    "root",
    "steps",
    "num_workers",
    "gradient_checkpointing",
    "log_every",
    "checkpoint_every",
    "keep_checkpoints",
    "validate_every",
    "validation_clips",
    "validation_steps",
)
# Keys of the recipe, besides the mask levels, that training depends on. The others are of inference.
RECIPE_KEYS = ("mask_expansion", "condition_posterior", "schedule_dtype", "clip_gradients", "lr_horizon_per_process")
# Keys of `noise` that training depends on beside the cached noise itself.
NOISE_KEYS = ("probability", "degradation", "rotate_channels")
PACKAGES = ("torch", "diffusers", "accelerate")


@dataclass(frozen=True)
class TrainerState:
    """trainer.json.

    Args:
        step: optimiser steps done.
        total: `training.steps` of the run that saved it.
        settings: every value that the weights depend on, by dotted key.
        window: losses since the last log line.
    """

    step: int
    total: int
    settings: dict[str, Any]
    window: list[float]


def plain(value: Any) -> Any:
    """A configuration as JSON-able values."""
    return json.loads(json.dumps(dataclasses.asdict(value), default=str))


def settings_of(cfg: VoidConfig, cache_key: str, noise_key: str | None, processes: int) -> dict[str, Any]:
    """Every value that the trained weights depend on, by dotted key. A continued run must not change one.

    Args:
        cfg: the run.
        cache_key: of its latent cache.
        noise_key: of its noise; None in pass 1.
        processes: how many train together.
    """
    whole = plain(cfg)
    levels = effective_levels(cfg.recipe.mask_levels, cfg.stage.name, training=True)
    training = {key: value for key, value in whole["training"].items() if key not in FREE_KEYS}
    model_keys = (
        "transformer",
        "transformer_weights",
        "init_seed",
        "scheduler",
        "max_text_tokens",
        "conditioning_noise",
    )
    nested = {
        "seed": whole["seed"],
        "recipe": {key: whole["recipe"][key] for key in RECIPE_KEYS} | {"mask_levels": levels.value},
        "stage": {"name": whole["stage"]["name"], "init_from": _initial(cfg.stage.init_from)},
        "model": {key: whole["model"][key] for key in model_keys},
        "data": {key: whole["data"][key] for key in ("train_split", "frames", "height", "width")},
        "training": training,
        "distributed": whole["distributed"] | {"processes": processes},
        "cache": {"content key": cache_key},
    }
    if noise_key is not None:
        noise = {key: whole["noise"][key] for key in NOISE_KEYS} | {"content key": noise_key}
        nested["noise"] = noise | {"formula": whole["recipe"]["noise_degradation"]}
    return _flat(nested)


def _initial(init_from: str | None) -> str | None:
    """The checkpoint that the run begins with, known by its weights; of a training run's folder its newest one now."""
    if init_from is None:
        return None
    location = resolve_checkpoint(init_from, "stage.init_from")
    if not (location / TRAINER_STATE).is_file():
        return str(location)
    return f"{location.name} of weights {sha256_of(read_json(location / TRAINER_STATE)['hashes'])[:12]}"


def _flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def newest_checkpoint(root: Path) -> Path | None:
    """The newest complete checkpoint below a training root."""
    found = complete_checkpoints(root)
    return found[max(found)] if found else None


def read_state(folder: Path) -> TrainerState:
    """Read a checkpoint's trainer.json.

    Raises:
        InputError: it is not JSON, or of another schema.
    """
    value = read_json(folder / TRAINER_STATE)
    if value.get("schema") != SCHEMA:
        raise InputError(
            f"{folder / TRAINER_STATE} has schema {value.get('schema')!r}; this version reads {SCHEMA}",
            "continue with the version of void that wrote it, or train into another folder",
        )
    return TrainerState(**{field.name: value[field.name] for field in dataclasses.fields(TrainerState)})


def write_state(folder: Path, state: TrainerState, cfg: VoidConfig) -> None:
    """Write trainer.json beside a finished transformer/."""
    hashes = {
        file.relative_to(folder).as_posix(): sha256_file(file) for file in sorted((folder / TRANSFORMER).iterdir())
    }
    described = {
        "schema": SCHEMA,
        "config": plain(cfg),
        "hashes": hashes,
        "versions": {package: version(package) for package in PACKAGES},
    }
    write_json(folder / TRAINER_STATE, described | dataclasses.asdict(state))


def check_continues(state: TrainerState, settings: dict[str, Any], steps: int, folder: Path) -> None:
    """Raise unless a run with these settings may continue from `state`.

    Raises:
        InputError: a value that matters differs (each is named), or the checkpoint is beyond `steps`.
    """
    keys = sorted(settings.keys() | state.settings.keys())
    changed = [
        f"{key} is {settings.get(key)}, was {state.settings.get(key)}"
        for key in keys
        if settings.get(key) != state.settings.get(key)
    ]
    if changed:
        raise InputError(
            f"{folder} belongs to another configuration: {'; '.join(changed)}",
            "restore these values, or train into another folder (training.root=PATH)",
        )
    if state.step > steps:
        raise InputError(
            f"{folder} is beyond training.steps = {steps}",
            f"set training.steps to {state.step} or more, or train into another folder",
        )


def rotate(root: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints; a killed deletion leaves nothing that looks complete.

    A checkpoint that holds anything else than what training wrote is kept.
    """
    found = complete_checkpoints(root)
    for step in sorted(found)[:-keep]:
        remove_written(found[step])
