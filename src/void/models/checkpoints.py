"""Finding and reading what training saves.

ROOT/checkpoints/step-000400/
  transformer/      config.json, *.safetensors (diffusers)
  state/            optimiser, scheduler and generators (accelerate)
  trainer.json      step, configuration, hashes
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from void.errors import InputError
from void.files import read_json
from void.models.weights import load_strict

if TYPE_CHECKING:
    from diffusers import CogVideoXTransformer3DModel

CHECKPOINTS = "checkpoints"
STEP_FOLDER = re.compile(r"step-(\d{6,})")
TRANSFORMER = "transformer"
TRAINER_STATE = "trainer.json"


def complete_checkpoints(training_root: Path) -> dict[int, Path]:
    """Every complete checkpoint folder below `training_root`, by step."""
    folder = training_root / CHECKPOINTS
    return {
        int(match.group(1)): item
        for item in (folder.iterdir() if folder.is_dir() else ())
        if (match := STEP_FOLDER.fullmatch(item.name))
        and (item / TRANSFORMER).is_dir()
        and (item / TRAINER_STATE).is_file()
    }


def find_checkpoint(training_root: Path) -> Path:
    """The newest complete checkpoint folder below `training_root`.

    Raises:
        InputError: there is none.
    """
    steps = complete_checkpoints(training_root)
    if not steps:
        raise InputError(
            f"{training_root / CHECKPOINTS} holds no complete checkpoint",
            "train first: void train, with the same name or training.root",
        )
    return steps[max(steps)]


def load_transformer(path: str | Path) -> CogVideoXTransformer3DModel:
    """The transformer of a checkpoint folder (or a transformer folder itself), float32, in evaluation mode.

    Raises:
        InputError: the folder, its configuration or its weights are missing, or they do not fit each other.
    """
    # Imported here: diffusers takes seconds to load, and finding a checkpoint needs none of it.
    from diffusers import CogVideoXTransformer3DModel

    path = Path(path)
    folder = path / TRANSFORMER if (path / TRANSFORMER).is_dir() else path
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist", "give a step-NNNNNN folder written by void train")
    transformer = CogVideoXTransformer3DModel.from_config(read_json(folder / "config.json"))
    load_strict(transformer, folder)
    return transformer.eval()
