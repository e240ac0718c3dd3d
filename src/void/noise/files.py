"""One clip's noise on disk: safetensors with the tensor `noise` `(T_lat, 16, h, w)`; its header says what made it.

Shape legend: T latent frames, C latent channels, h latent rows, w latent columns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from void.errors import InputError
from void.tensor_files import write_tensors

TENSOR = "noise"
HEADER = "made_from"
REMEDY = "delete it and run the same command again"


def write_noise(path: Path, noise_TChw: Tensor, made_from: dict[str, Any], dtype: torch.dtype = torch.float32) -> None:
    """Write noise, whole or not at all.

    Args:
        path: target, `*.safetensors`.
        noise_TChw: in latent layout.
        made_from: flow, seed, geometry: all that the noise depends on, as JSON.
        dtype: on disk.
    """
    header = {HEADER: json.dumps(made_from, sort_keys=True)}
    write_tensors(path, {TENSOR: noise_TChw}, header, dtype=dtype)


def read_noise(path: Path, shape: tuple[int, int, int, int] | None = None) -> Tensor:
    """The noise `(T, C, h, w)`, float32.

    Args:
        path: the file.
        shape: that it must have.

    Raises:
        InputError: the file is missing or damaged, or its noise has another shape.
    """
    try:
        with safe_open(path, "pt") as file:
            noise_TChw: Tensor = file.get_tensor(TENSOR).float()
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not readable noise ({error})", REMEDY) from error
    if shape is not None and noise_TChw.shape != shape:
        raise InputError(
            f"{path} holds noise of shape {tuple(noise_TChw.shape)}; the clip's latents have {shape}",
            f"it was made for another data.frames, data.height or data.width: {REMEDY}",
        )
    return noise_TChw


def read_made_from(path: Path) -> dict[str, Any]:
    """What the noise was made from.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            made_from: dict[str, Any] = json.loads(file.metadata()[HEADER])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not readable noise ({error})", REMEDY) from error
    return made_from
