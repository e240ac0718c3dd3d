"""The shard file: safetensors with seven tensors a pair; its header says which pairs it holds and which were set aside.

    <pair id>/target_mean, target_logvar, mask_mean, mask_logvar    (T_lat, 16, h, w)
    <pair id>/input_mean, input_logvar                              (V, T_lat, 16, h, w)
    <pair id>/text                                                  (L, D)

Shape legend: V noise variants of the input clip (1 without conditioning noise), T_lat latent frames, h latent rows,
w latent columns, L text tokens, D text width.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from void.cache.config import CacheType
from void.errors import InputError
from void.tensor_files import write_tensors


@dataclass(frozen=True, eq=False)
class CachedPair:
    """Posteriors of the VAE without the scaling factor, and the caption's embedding.

    Of target and mask `(T_lat, 16, h, w)`, of the input clip `(V, T_lat, 16, h, w)`; text `(L, D)`.
    """

    target_mean: Tensor
    target_logvar: Tensor
    input_mean: Tensor
    input_logvar: Tensor
    mask_mean: Tensor
    mask_logvar: Tensor
    text: Tensor


DTYPES = {
    CacheType.float32: torch.float32,
    CacheType.float16: torch.float16,
    CacheType.bfloat16: torch.bfloat16,
}
HEADER = "shard"
REMEDY = "delete it and its folder's index.json, then run void cache again"
TENSORS = tuple(field.name for field in fields(CachedPair))
BY_VARIANT = ("input_mean", "input_logvar")


@dataclass(frozen=True)
class ShardContents:
    """What a shard says of itself: ids held, and the reason of each pair set aside."""

    ids: list[str]
    failures: dict[str, str]


def write_shard(path: Path, pairs: dict[str, CachedPair], failures: dict[str, str], dtype: torch.dtype) -> None:
    """Write a shard, whole or not at all."""
    tensors = {f"{pair_id}/{name}": getattr(pair, name) for pair_id, pair in pairs.items() for name in TENSORS}
    # One key: safetensors writes several in an order that changes from run to run.
    header = {HEADER: json.dumps({"pairs": list(pairs), "failures": failures})}
    write_tensors(path, tensors, header, dtype=dtype, earlier=_is_shard)


def _is_shard(path: Path) -> bool:
    try:
        read_contents(path)
    except InputError:
        return False
    return True


def read_contents(path: Path) -> ShardContents:
    """What a shard holds, from its header alone.

    Raises:
        InputError: the file is not a shard.
    """
    try:
        with safe_open(path, "pt") as shard:
            header = json.loads(shard.metadata()[HEADER])
        return ShardContents(header["pairs"], header["failures"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a readable shard ({error})", REMEDY) from error


def read_pair_tensors(path: Path, pair_id: str, variants: slice) -> CachedPair:
    """One pair of a shard, in float32, with these variants of the input clip.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with safe_open(path, "pt") as shard:
            tensors = {
                name: shard.get_slice(f"{pair_id}/{name}")[variants if name in BY_VARIANT else slice(None)].float()
                for name in TENSORS
            }
        return CachedPair(**tensors)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error})", REMEDY) from error
