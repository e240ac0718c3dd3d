"""Which transformer `void infer` samples with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json, sha256_of
from void.models.checkpoints import TRAINER_STATE, TRANSFORMER, find_checkpoint
from void.models.identity import checksums, weights_identity
from void.models.weights import safetensors_files

if TYPE_CHECKING:
    from diffusers import CogVideoXTransformer3DModel

LATEST = "latest"
OWN_WEIGHTS = "none"


@dataclass(frozen=True)
class Checkpoint:
    """A transformer's weights.

    Args:
        folder: of the checkpoint; None for the weights that the model's configuration names.
        path: as reports show it.
        step: optimiser steps behind it, where that is known.
        sha256: over configuration and weights.
    """

    folder: Path | None
    path: str
    step: int | None
    sha256: str

    def record(self) -> dict[str, Any]:
        """For predictions.json."""
        return {"path": self.path, "step": self.step, "sha256": self.sha256}


def choose(config: VoidConfig) -> Checkpoint:
    """The checkpoint that `infer.checkpoint` names, known by the checksums of its files; no network is built.

    Raises:
        InputError: there is none.
    """
    name = config.infer.checkpoint
    if name == OWN_WEIGHTS:
        model = config.model
        identity = {"config": model.transformer, "weights": weights_identity(model, model.transformer_weights)}
        shown = model.transformer_weights or f"random weights of seed {model.init_seed}"
        return Checkpoint(None, shown, None, sha256_of(identity))
    folder = find_checkpoint(Path(config.training.root)) if name == LATEST else Path(name)
    transformer = folder / TRANSFORMER if (folder / TRANSFORMER).is_dir() else folder
    if not (transformer / "config.json").is_file():
        raise InputError(
            f"infer.checkpoint={name}: {transformer / 'config.json'} does not exist",
            "give a step-NNNNNN folder written by void train, or infer.checkpoint=latest, or infer.checkpoint=none",
        )
    files = [transformer / "config.json", *safetensors_files(transformer)]
    step = read_json(folder / TRAINER_STATE)["step"] if (folder / TRAINER_STATE).is_file() else None
    return Checkpoint(folder, str(folder), step, sha256_of(checksums(files)))


def load(config: VoidConfig, checkpoint: Checkpoint) -> CogVideoXTransformer3DModel:
    """Build the transformer, float32, in evaluation mode."""
    from void.models.build import build_transformer
    from void.models.checkpoints import load_transformer

    if checkpoint.folder is None:
        return build_transformer(config.model).eval()
    return load_transformer(checkpoint.folder)
