"""What a network's weights are, without building it: files are known by checksums, random weights by their seed."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from void.files import sha256_file
from void.models.config import FILELESS_TOKENIZER, ModelConfig
from void.models.weights import resolve, safetensors_files
from void.recipe import MaskExpansion


def weights_identity(model: ModelConfig, location: str | None) -> dict[str, Any]:
    """Identity of the weights that a `*_weights` key names, as JSON.

    Raises:
        InputError: the file is missing.
    """
    if location is None:
        # torch's version is part of what a seed gives.
        return {"init_seed": model.init_seed, "torch": version("torch").split("+")[0]}
    return {"sha256": checksums(safetensors_files(resolve(location, model)))}


def expansion_identity(path: Path, rule: MaskExpansion) -> dict[str, str]:
    """What the rule adds to the identity of a transformer's weights: nothing, unless they have 33 input channels.

    Raises:
        InputError: as `needs_expansion`.
    """
    from void.models.loading import needs_expansion

    return {"mask_expansion": rule.value} if needs_expansion(path) else {}


def tokenizer_identity(model: ModelConfig) -> Any:
    """Identity of the tokenizer, as JSON.

    Raises:
        InputError: its folder is missing.
    """
    if model.tokenizer == FILELESS_TOKENIZER:
        return FILELESS_TOKENIZER
    folder = resolve(model.tokenizer, model)
    return checksums(sorted(path for path in folder.iterdir() if path.is_file()))


def checksums(files: list[Path]) -> dict[str, str]:
    """SHA-256 of each file, by name."""
    return {file.name: sha256_file(file) for file in files}
