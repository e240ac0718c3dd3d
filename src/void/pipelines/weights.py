"""Which transformer is sampled with or exported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json, sha256_file, sha256_of
from void.models.checkpoints import CHECKPOINTS, TRAINER_STATE, TRANSFORMER, find_checkpoint
from void.models.identity import checksums, expansion_identity, weights_identity
from void.models.weights import resolve, safetensors_files

if TYPE_CHECKING:
    from diffusers import CogVideoXTransformer3DModel

FIRST, SECOND, EXPORT = "infer.checkpoint", "infer.pass2.checkpoint", "export.checkpoint"
LATEST = "latest"
OWN_WEIGHTS = "none"


@dataclass(frozen=True)
class Checkpoint:
    """A transformer's weights.

    Args:
        location: folder or file; None for the weights that the model's configuration names.
        path: as reports show it.
        step: optimiser steps behind it, where that is known.
        sha256: over configuration, weights and, where the weights are expanded from 33 channels, the rule.
        stage: that `void train` trained, where that is known.
    """

    location: Path | None
    path: str
    step: int | None
    sha256: str
    stage: str | None = None

    def record(self) -> dict[str, Any]:
        """For predictions.json."""
        return {"path": self.path, "step": self.step, "sha256": self.sha256}


def choose(config: VoidConfig, key: str = FIRST) -> Checkpoint:
    """The checkpoint that a key names, known by the checksums of its files; no network is built.

    Args:
        config: the run.
        key: `infer.checkpoint`, `infer.pass2.checkpoint` or `export.checkpoint`.

    Raises:
        InputError: there is none, or its header says that it cannot be a transformer of this project.
    """
    name = {
        FIRST: config.infer.checkpoint,
        SECOND: config.infer.pass2.checkpoint,
        EXPORT: config.export.checkpoint,
    }[key]
    assert name is not None
    if name == OWN_WEIGHTS:
        return _own_weights(config)
    if name == LATEST and key == SECOND:
        raise InputError(
            f"{key}=latest: there is no latest checkpoint of two passes",
            f"give the folder of the second pass's training, such as {config.root}/train-pass2: its newest is taken",
        )
    location = find_checkpoint(Path(config.training.root)) if name == LATEST else Path(name)
    if not location.exists():
        raise InputError(f"{key}={name} does not exist", _remedy(config, location, key))
    if (location / CHECKPOINTS).is_dir():
        location = find_checkpoint(location)
    if location.is_file():
        return _single_file(config, location)
    transformer = location / TRANSFORMER if (location / TRANSFORMER).is_dir() else location
    if not (transformer / "config.json").is_file():
        problem = f"{key}={name}: {transformer / 'config.json'} does not exist"
        raise InputError(problem, _remedy(config, location, key))
    expansion = expansion_identity(transformer, config.recipe.mask_expansion)
    identity = expansion | checksums([transformer / "config.json", *safetensors_files(transformer)])
    state = read_json(location / TRAINER_STATE) if (location / TRAINER_STATE).is_file() else {}
    stage = state.get("settings", {}).get("stage.name")
    return Checkpoint(location, str(location), state.get("step"), sha256_of(identity), stage)


def load(config: VoidConfig, checkpoint: Checkpoint) -> CogVideoXTransformer3DModel:
    """Build the transformer, of type `model.dtype`, in evaluation mode.

    Raises:
        InputError: the weights do not fit.
    """
    from void.models.build import build_transformer, configured_dtype
    from void.models.checkpoints import load_transformer

    dtype, expansion = configured_dtype(config.model), config.recipe.mask_expansion
    if checkpoint.location is None:
        return build_transformer(config.model, expansion=expansion, dtype=dtype).eval()
    return load_transformer(checkpoint.location, config.model, expansion=expansion, dtype=dtype)


def empty(config: VoidConfig, checkpoint: Checkpoint) -> CogVideoXTransformer3DModel:
    """The checkpoint's transformer on the meta device, without weights, which were compared with it by their headers.

    Raises:
        InputError: The weights do not fit.
    """
    from void.models.build import build_transformer
    from void.models.checkpoints import empty_transformer
    from void.models.loading import check_fits

    if checkpoint.location is not None:
        transformer, path = empty_transformer(checkpoint.location, config.model)
    else:
        transformer = build_transformer(config.model, meta=True)
        if config.model.transformer_weights is None:
            return transformer
        path = resolve(config.model.transformer_weights, config.model)
    check_fits(transformer, path, expansion=config.recipe.mask_expansion)
    return transformer


def _remedy(config: VoidConfig, location: Path, key: str) -> str:
    model = config.model
    if model.released_repository and location.name in model.released_files.values():
        return f"download it: hf download {model.released_repository} {location.name} --local-dir {location.parent}"
    if key == SECOND:
        return (
            "train the second pass first (void train stage=pass2), or give a step-NNNNNN folder, the folder of a "
            f"training run, a safetensors file such as void_pass2.safetensors, or {key}=none"
        )
    return (
        "give a step-NNNNNN folder written by void train, a safetensors file such as void_pass1.safetensors, or "
        f"{key}=latest, or {key}=none"
    )


def _own_weights(config: VoidConfig) -> Checkpoint:
    model, location = config.model, config.model.transformer_weights
    shown = location or f"random weights of seed {model.init_seed}"
    expansion = {} if location is None else expansion_identity(resolve(location, model), config.recipe.mask_expansion)
    identity = expansion | {"config": model.transformer, "weights": weights_identity(model, location)}
    return Checkpoint(None, shown, None, sha256_of(identity))


def _single_file(config: VoidConfig, file: Path) -> Checkpoint:
    expansion = expansion_identity(file, config.recipe.mask_expansion)
    identity = expansion | {"config": config.model.transformer, "weights": sha256_file(file)}
    return Checkpoint(file, str(file), None, sha256_of(identity))
