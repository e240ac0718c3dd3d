"""Tensors as one safetensors file: the transformer, or a LoRA."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from diffusers import CogVideoXTransformer3DModel
from safetensors.torch import save_file
from torch import Tensor

from void.files import whole_file
from void.models.weights import read_metadata

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
    write_tensors(path, {rename(name): tensor for name, tensor in transformer.state_dict().items()}, {KEY: key})


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Args:
        path: Path of the file.
        tensors: Tensors by name.
        metadata: Further entries of the header.
    """
    with whole_file(path) as partial:
        # safetensors makes files that only their owner can read, whatever the umask says.
        partial.touch()
        mode = partial.stat().st_mode
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, partial, metadata={"format": "pt", **metadata})
        partial.chmod(mode)


def file_key(path: Path) -> str | None:
    """The key that `write_single_file` kept; None in a file of another program."""
    return read_metadata(path).get(KEY)
