"""Writes tensors as safetensors files: whole or not at all, whatever memory the tensors share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from void.files import Earlier, whole_file


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
    *,
    dtype: torch.dtype | None = None,
    earlier: Earlier | None = None,
) -> None:
    """Write tensors, whole or not at all.

    safetensors refuses tensors that share memory: one tensor under two names, or views of one tensor. Here each name
    gets bytes of its own.

    Args:
        path: Target, `*.safetensors`.
        tensors: Tensors by name, on any device and in any layout.
        metadata: Header of the file. Several keys are written in an order that changes from run to run.
        dtype: Number format on disk; None keeps each tensor's own.
        earlier: As for `void.files.check_replaceable`.

    Raises:
        InputError: another program's file has that name, or the disk is full.
    """
    used: set[int] = set()
    stored = {}
    for name, tensor in tensors.items():
        copied = tensor.detach().to("cpu", dtype or tensor.dtype).contiguous()
        # A view keeps the whole storage alive, and so does a tensor that another name has already.
        whole = copied.untyped_storage().nbytes() == copied.numel() * copied.element_size()
        if not whole or copied.untyped_storage().data_ptr() in used:
            copied = copied.clone()
        used.add(copied.untyped_storage().data_ptr())
        stored[name] = copied
    with whole_file(path, earlier=earlier) as partial:
        # safetensors makes files that only their owner can read, whatever the umask says.
        partial.touch()
        mode = partial.stat().st_mode
        save_file(stored, partial, metadata=dict(metadata) if metadata else None)
        partial.chmod(mode)
