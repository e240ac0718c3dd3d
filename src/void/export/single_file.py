"""Tensors as one safetensors file: the transformer, or a LoRA."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from void.models.weights import read_metadata

if TYPE_CHECKING:
    from diffusers import CogVideoXTransformer3DModel
    from torch import Tensor

KEY = "void_export"


def write_single_file(
    path: Path, transformer: CogVideoXTransformer3DModel, key: str, rename: Callable[[str], str]
) -> None:
    """Write the transformer's tensors as they are, whole or not at all.

    Args:
        path: of the file.
        transformer: gives the tensors.
        key: of the content, kept in the header.
        rename: gives a tensor's name in the file from diffusers' name.
    """
    write_keyed(path, {rename(name): tensor for name, tensor in transformer.state_dict().items()}, {KEY: key})


def write_keyed(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file of PyTorch's kind, whole or not at all.

    Args:
        path: Path of the file. An export of an earlier version is replaced.
        tensors: Tensors by name.
        metadata: Further entries of the header.
    """
    # Imported here because torch takes seconds to load, and an export that is there is known by its header.
    from void.tensor_files import write_tensors

    write_tensors(path, tensors, {"format": "pt", **metadata}, earlier=lambda file: file_key(file) is not None)


def file_key(path: Path) -> str | None:
    """The key that `write_single_file` kept; None in a file of another program."""
    return read_metadata(path).get(KEY)
