"""Finding and reading what training saves.

ROOT/checkpoints/step-000400/
  transformer/      config.json, *.safetensors (diffusers)
  state/            optimiser, scheduler and generators (accelerate)
  trainer.json      step, configuration, hashes
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.errors import InputError
from void.files import read_json
from void.models.config import ModelConfig
from void.recipe import MaskExpansion

if TYPE_CHECKING:
    import torch
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


def resolve_checkpoint(path: str | Path, key: str) -> Path:
    """A checkpoint as it is; of a training run's folder its newest one.

    Args:
        path: a checkpoint folder, the folder of a training run, or a file of weights.
        key: of the configuration that gives it, for the message.

    Raises:
        InputError: it does not exist, or the run has saved nothing yet.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(
            f"{key}={path} does not exist",
            f"give a step-NNNNNN folder of `void train`, the folder of a run, or a safetensors file: {key}=PATH "
            "(the second pass begins with a first: void train stage=pass1)",
        )
    return find_checkpoint(path) if (path / CHECKPOINTS).is_dir() else path


def load_transformer(
    path: str | Path,
    model: ModelConfig | None = None,
    *,
    expansion: MaskExpansion | None = None,
    dtype: torch.dtype | None = None,
) -> CogVideoXTransformer3DModel:
    """The transformer of a checkpoint, in evaluation mode.

    Args:
        path: a checkpoint folder of `void train`, a pipeline's folder, a transformer's folder, or one safetensors file
            (the released void_pass1 and void_pass2 are such files).
        model: gives the architecture of a single file; a folder has it in its config.json.
        expansion: how weights of 33 input channels become weights of 48; None: they are refused.
        dtype: Type of the weights; None: float32.

    Raises:
        InputError: folder, configuration or weights are missing, or they do not fit each other.
    """
    from void.models.loading import load_strict

    transformer, weights = empty_transformer(path, model)
    load_strict(transformer, weights, dtype=dtype, expansion=expansion)
    return transformer.eval()


def empty_transformer(path: str | Path, model: ModelConfig | None = None) -> tuple[CogVideoXTransformer3DModel, Path]:
    """The transformer that fits a checkpoint, on the meta device, and where its weights are.

    Args:
        path: As for `load_transformer`.
        model: Likewise.

    Raises:
        InputError: Folder or configuration are missing, or a single file comes without `model`.
    """
    # Imported here because torch and diffusers take seconds to load, and finding a checkpoint needs none of them.
    import torch
    from diffusers import CogVideoXTransformer3DModel

    path = Path(path)
    weights = path / TRANSFORMER if (path / TRANSFORMER).is_dir() else path
    if weights.is_dir():
        arguments = _architecture(read_json(weights / "config.json"), CogVideoXTransformer3DModel)
    elif not weights.exists():
        raise InputError(f"{weights} does not exist", "give a step-NNNNNN folder written by void train")
    elif model is not None:
        arguments = dict(model.transformer)
    else:
        raise InputError(
            f"{weights} is a single file, which does not say its architecture",
            "give a folder with config.json beside the weights",
        )
    with torch.device("meta"):
        return CogVideoXTransformer3DModel(**arguments), weights


def transformer_arguments(location: Path | None, model: ModelConfig) -> dict[str, Any]:
    """The constructor arguments of a checkpoint's transformer; diffusers is not imported, and no weights are read.

    Args:
        location: A folder, which says its architecture in config.json, or a single file; None for the model's own
            weights.
        model: The model, which gives the architecture of all but a folder.

    Raises:
        InputError: The folder's config.json is missing or broken.
    """
    if location is None or not location.is_dir():
        return dict(model.transformer)
    from void.models.expansion import VOID_CHANNELS

    folder = location / TRANSFORMER if (location / TRANSFORMER).is_dir() else location
    return dict(read_json(folder / "config.json")) | {"in_channels": VOID_CHANNELS}


def _architecture(config: dict[str, Any], network: type[CogVideoXTransformer3DModel]) -> dict[str, Any]:
    """Constructor arguments in a saved configuration. The base model's has keys that diffusers' class does not know."""
    from void.models.expansion import VOID_CHANNELS

    known = inspect.signature(network).parameters
    return {key: value for key, value in config.items() if key in known} | {"in_channels": VOID_CHANNELS}
