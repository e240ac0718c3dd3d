"""The transformer as one safetensors file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from diffusers import CogVideoXTransformer3DModel

from void.models.weights import read_metadata
from void.tensor_files import write_tensors

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
    tensors = {rename(name): tensor for name, tensor in transformer.state_dict().items()}
    write_tensors(path, tensors, {"format": "pt", KEY: key}, earlier=lambda file: file_key(file) is not None)


def file_key(path: Path) -> str | None:
    """The key that `write_single_file` kept; None in a file of another program."""
    return read_metadata(path).get(KEY)
