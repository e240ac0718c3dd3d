"""peft's adapter configuration, as far as the strength of a LoRA depends on it.

A layer adds `scale * up @ down` to its weight, with scale = alpha / rank, or alpha / sqrt(rank) with use_rslora.
peft keeps alpha in adapter_config.json, diffusers in the file's header.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

from void.errors import InputError
from void.files import read_json

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
DIFFUSERS_METADATA = "lora_adapter_metadata"
DIFFUSERS_PREFIX = "transformer."
PLAIN_INITS = (True, False, None, "gaussian", "eva", "orthogonal")
"""Ways to draw the first matrices that leave the base weights as they are; pissa, olora and others change them."""
OTHER_METHODS = ("use_dora", "lora_bias", "use_qalora", "megatron_config", "layer_replication")
"""Keys of peft's configuration that, where they are set, make the adapter something else than plain LoRA."""


@dataclass(frozen=True)
class AdapterConfig:
    """Ranks and alphas of an adapter.

    Args:
        where: File that holds the configuration, for messages.
        rank: Rank of the layers that no pattern names.
        alpha: Alpha of the layers that no pattern names.
        rank_pattern: Ranks of the layers whose name ends with a key, which is a regular expression.
        alpha_pattern: Alphas of such layers.
        use_rslora: True where the scale is alpha over the square root of the rank.
    """

    where: str
    rank: int
    alpha: float
    rank_pattern: Mapping[str, int] = field(default_factory=dict)
    alpha_pattern: Mapping[str, float] = field(default_factory=dict)
    use_rslora: bool = False

    def alpha_of(self, layer: str, rank: int) -> float:
        """The alpha that gives a layer its scale as alpha / rank.

        Args:
            layer: Name of the layer in the transformer.
            rank: Rank of the layer's matrices.

        Raises:
            InputError: The configuration gives the layer another rank.
        """
        stated = _matching(self.rank_pattern, layer, self.rank)
        if stated != rank:
            raise InputError(
                f"{self.where} gives {layer} rank {stated}, but its matrices have rank {rank}",
                "use the configuration that was saved with these weights",
            )
        alpha = float(_matching(self.alpha_pattern, layer, self.alpha))
        return alpha * math.sqrt(rank) if self.use_rslora else alpha


def find_config(file: Path, metadata: Mapping[str, str], *, of_peft: bool) -> AdapterConfig | None:
    """The configuration that belongs to a LoRA file: in its header, or in adapter_config.json next to it.

    Args:
        file: The safetensors file.
        metadata: Free-text entries of its header.
        of_peft: True where its keys have peft's prefix.

    Raises:
        InputError: The configuration cannot be read, or describes something else than plain LoRA.
    """
    if DIFFUSERS_METADATA in metadata:
        where = f"{file} ({DIFFUSERS_METADATA})"
        try:
            values = json.loads(metadata[DIFFUSERS_METADATA])
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where} is not JSON ({error})", "save the LoRA again") from error
        if not isinstance(values, dict):
            raise InputError(f"{where} is not a JSON object", "save the LoRA again")
        mine = {
            key.removeprefix(DIFFUSERS_PREFIX): value
            for key, value in values.items()
            if key.startswith(DIFFUSERS_PREFIX)
        }
        return _parse(mine, where) if mine else None
    path = config_file(file)
    return _parse(read_json(path), str(path)) if path is not None and of_peft else None


def config_file(file: Path) -> Path | None:
    """The adapter_config.json next to a LoRA file; None where there is none."""
    path = file.with_name(ADAPTER_CONFIG)
    return path if path.is_file() else None


def peft_arguments(ranks: Mapping[str, int], alphas: Mapping[str, float]) -> dict[str, Any]:
    """Arguments of peft's LoraConfig for adapted layers whose ranks and alphas may differ, as JSON.

    Args:
        ranks: Rank of each layer, by name.
        alphas: Alpha of each layer, by name.
    """
    rank, rank_pattern = _usual(ranks)
    alpha, alpha_pattern = _usual(
        {name: int(value) if value == int(value) else value for name, value in alphas.items()}
    )
    return {
        "r": rank,
        "lora_alpha": alpha,
        "rank_pattern": rank_pattern,
        "alpha_pattern": alpha_pattern,
        "target_modules": list(ranks),
    }


def _usual(values: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The value of most layers, and those of the others by a pattern that peft matches with this layer alone."""
    ((most, _),) = Counter(values.values()).most_common(1)
    return most, {f"^{name}": value for name, value in values.items() if value != most}


def _parse(values: Any, where: str) -> AdapterConfig:
    if not isinstance(values, dict):
        raise InputError(f"{where} is not a JSON object", "save the adapter again")
    kind = values.get("peft_type", "LORA")
    used = [name for name in OTHER_METHODS if values.get(name)]
    if kind != "LORA" or used:
        shown = f"peft_type={kind}" if kind != "LORA" else f"{used[0]}={values[used[0]]}"
        remedy = "merge the adapter into its model with peft, or train a plain LoRA"
        raise InputError(f"{where}: {shown} is not plain LoRA", remedy)
    start = values.get("init_lora_weights", True)
    if start not in PLAIN_INITS:
        raise InputError(
            f"{where}: init_lora_weights={start} changes the weights that the LoRA is added to",
            "save it with peft's path_initial_model_for_weight_conversion, which makes a plain LoRA of it",
        )
    rank, alpha = values.get("r"), values.get("lora_alpha")
    rank_pattern, alpha_pattern = values.get("rank_pattern") or {}, values.get("alpha_pattern") or {}
    for name, pattern in (("rank_pattern", rank_pattern), ("alpha_pattern", alpha_pattern)):
        if not isinstance(pattern, dict):
            raise InputError(f"{where}: {name} is {pattern!r}, not a JSON object", "save the adapter again")
    for name, found in (
        ("r", [rank]),
        ("lora_alpha", [alpha]),
        ("rank_pattern", list(rank_pattern.values())),
        ("alpha_pattern", list(alpha_pattern.values())),
    ):
        wrong = [value for value in found if not _is_finite(value)]
        if wrong:
            raise InputError(f"{where}: {name} is {wrong[0]!r}, not a number", "save the adapter again")
    for pattern in (*rank_pattern, *alpha_pattern):
        try:
            re.compile(pattern)
        except re.error as error:
            raise InputError(f"{where}: {pattern!r} is no pattern ({error})", "save the adapter again") from error
    assert isinstance(rank, int | float) and isinstance(alpha, int | float)
    return AdapterConfig(where, int(rank), float(alpha), rank_pattern, alpha_pattern, bool(values.get("use_rslora")))


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _matching(pattern: Mapping[str, Any], layer: str, otherwise: Any) -> Any:
    """The value of the first pattern that a layer's name ends with, as peft's `get_pattern_key` decides it."""
    return next((value for key, value in pattern.items() if re.match(rf"(.*\.)?({key})$", layer)), otherwise)
