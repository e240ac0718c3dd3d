"""The names that LoRA trainers give the matrices of a layer.

A key is a prefix, the layer's name (diffusers' or ComfyUI's, with dots or with underscores for dots) and a suffix:

  lora_unet__transformer_blocks_0_attn1_to_q.lora_down.weight          VideoX-Fun; kohya with one underscore
  base_model.model.transformer_blocks.0.attn1.to_q.lora_A.weight       peft
  transformer.transformer_blocks.0.attn1.to_q.lora_A.weight            diffusers
  diffusion_model.blocks.0.q.lora_A.weight                             ComfyUI

An underscored name is looked up among the underscored names of the layers that exist, so it is never split by guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from void.models.comfyui import to_comfyui

DOTTED_PREFIXES = (
    "base_model.model.",
    "model.diffusion_model.",
    "diffusion_model.",
    "transformer.",
    "pipe.dit.",
    "unet.",
    "model.",
    "module.",
)
UNDERSCORED_PREFIXES = ("lora_unet_", "lora_transformer_", "lycoris_")
DOWN = (
    r"\.lora_down\.weight|\.lora_A(?:\.\w+)?\.weight|\.lora_A|[._]lora\.down\.weight|\.lora_linear_layer\.down\.weight"
)
UP = DOWN.replace("down", "up").replace("lora_A", "lora_B")
KEY = re.compile(rf"(?P<layer>.+?)(?:(?P<down>{DOWN})|(?P<up>{UP})|(?P<alpha>\.alpha))")
TEXT_ENCODER = re.compile(
    r"lora_te\d*_|te\d?[_.]|(base_model\.model\.)?text_encoders?(_\d)?\.|lora_clip|clip_[lg]\.|t5xxl\."
)
OTHER_METHODS = {
    "dora_scale": "DoRA",
    "lora_magnitude_vector": "DoRA",
    "hada_": "LoHa",
    "lokr_": "LoKr",
    "oft_": "OFT",
    "lora_mid": "LoCon",
    "lora_B.bias": "LoRA with biases",
    "lora_up.bias": "LoRA with biases",
    ".diff": "differences of whole weights",
}
"""Parts of a key that mark another kind of adapter, and its name."""


class Part(StrEnum):
    """The tensors of an adapted layer."""

    down = "down"
    up = "up"
    alpha = "alpha"


def split_key(key: str) -> tuple[str, Part] | None:
    """The layer, as the file names it, and the part of it that a key holds; None for any other key."""
    match = KEY.fullmatch(key)
    if match is None:
        return None
    return match["layer"], next(part for part in Part if match[part.value] is not None)


def is_lora_matrix(key: str) -> bool:
    """True for a key that holds one of the two matrices of a LoRA layer."""
    split = split_key(key)
    return split is not None and split[1] is not Part.alpha


def is_of_text_encoder(key: str) -> bool:
    """True for a key that adapts a text encoder."""
    return TEXT_ENCODER.match(key) is not None


def other_method(key: str) -> str | None:
    """The name of the kind of adapter that is not plain LoRA and to which a key belongs; None if there is none."""
    return next((method for mark, method in OTHER_METHODS.items() if mark in key), None)


class LayerNames:
    """Finds a layer of the transformer by the name that a LoRA file gives it.

    Args:
        layers: Names of the transformer's linear layers, as diffusers has them.
    """

    def __init__(self, layers: Iterable[str]) -> None:
        self._dotted: dict[str, str] = {}
        self._underscored: dict[str, set[str]] = {}
        for layer in layers:
            for name in (layer, to_comfyui(f"{layer}.weight").removesuffix(".weight")):
                self._dotted[name] = layer
                self._underscored.setdefault(name.replace(".", "_"), set()).add(layer)

    def find(self, name: str) -> str | None:
        """The layer's name in diffusers; None where no layer, or more than one, has this name."""
        for prefix in UNDERSCORED_PREFIXES:
            if name.startswith(prefix):
                candidates = self._underscored.get(name.removeprefix(prefix).removeprefix("_"), set())
                return next(iter(candidates)) if len(candidates) == 1 else None
        return next((self._dotted[rest] for rest in _without_prefixes(name) if rest in self._dotted), None)


def _without_prefixes(name: str) -> Iterator[str]:
    yield name
    for prefix in DOTTED_PREFIXES:
        if name.startswith(prefix):
            yield from _without_prefixes(name.removeprefix(prefix))
