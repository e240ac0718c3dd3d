"""A LoRA in the layouts of other programs.

  kohya       lora_unet__transformer_blocks_0_attn1_to_q.lora_down.weight, .lora_up.weight, .alpha
  comfyui     diffusion_model.blocks.0.q.lora_A.weight, .lora_B.weight, .alpha
  diffusers   transformer.transformer_blocks.0.attn1.to_q.lora_A.weight, .lora_B.weight
  peft        base_model.model.transformer_blocks.0.attn1.to_q.lora_A.weight, .lora_B.weight; adapter_config.json

diffusers' files have no alpha for each layer, and its older versions none at all, so there the scale is multiplied into
the second matrix. The other layouts keep both matrices as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.export.config import LoraLayout
from void.export.pipeline_folder import RECORD
from void.export.single_file import KEY, write_keyed
from void.files import whole_folder, write_json
from void.models.comfyui import to_comfyui
from void.models.lora import Lora, peft_arguments, read_matrices
from void.models.lora.read import PEFT_PREFIX
from void.models.lora.scales import ADAPTER_CONFIG, ADAPTER_WEIGHTS, DIFFUSERS_METADATA, DIFFUSERS_PREFIX
from void.recipe import FloatType, MaskExpansion

if TYPE_CHECKING:
    import torch
    from torch import Tensor

KIND = "exported LoRA"
"""Name of a folder for peft in its ledger."""


def write_lora_file(
    path: Path, lora: Lora, expansion: MaskExpansion, dtype: FloatType, layout: LoraLayout, key: str
) -> None:
    """Write a LoRA as one file, whole or not at all.

    Args:
        path: Path of the file.
        lora: The checked LoRA.
        expansion: Rule by which a patch embedding of 33 input channels gets 48.
        dtype: Type of the numbers.
        layout: Layout of the file: kohya, diffusers or comfyui.
        key: Key of the content, kept in the header.

    Raises:
        InputError: The LoRA holds values that are not finite.
    """
    # Imported here because torch takes seconds to load, and an export that is there is known by its header.
    import torch

    tensors: dict[str, Tensor] = {}
    for layer, down, up in read_matrices(lora, expansion):
        if layout is LoraLayout.diffusers:
            name, suffixes = f"{DIFFUSERS_PREFIX}{layer.name}", ("lora_A", "lora_B")
            up = layer.scale * up
        elif layout is LoraLayout.comfyui:
            comfyui = to_comfyui(f"{layer.name}.weight").removesuffix(".weight")
            name, suffixes = f"diffusion_model.{comfyui}", ("lora_A", "lora_B")
        else:
            name, suffixes = f"lora_unet__{layer.name.replace('.', '_')}", ("lora_down", "lora_up")
        tensors |= {f"{name}.{suffix}.weight": matrix for suffix, matrix in zip(suffixes, (down, up), strict=True)}
        if layout is not LoraLayout.diffusers:
            tensors[f"{name}.alpha"] = torch.tensor(layer.alpha)
    metadata = {KEY: key}
    if layout is LoraLayout.diffusers:
        ranks = {layer.name: layer.rank for layer in lora.layers}
        stated = {f"{DIFFUSERS_PREFIX}{name}": value for name, value in peft_arguments(ranks, ranks).items()}
        metadata[DIFFUSERS_METADATA] = json.dumps(stated, indent=2, sort_keys=True)
    write_keyed(path, _as_type(tensors, dtype), metadata)


def write_lora_folder(
    path: Path, lora: Lora, expansion: MaskExpansion, dtype: FloatType, record: Mapping[str, Any]
) -> None:
    """Write a LoRA as a folder for peft, whole or not at all.

    Args:
        path: Path of the folder.
        lora: The checked LoRA.
        expansion: Rule by which a patch embedding of 33 input channels gets 48.
        dtype: Type of the numbers.
        record: What the folder is made from, with its key.

    Raises:
        InputError: The LoRA holds values that are not finite.
    """
    tensors: dict[str, Tensor] = {}
    for layer, down, up in read_matrices(lora, expansion):
        name = f"{PEFT_PREFIX}{layer.name}"
        tensors |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    ranks = {layer.name: layer.rank for layer in lora.layers}
    values = {"peft_type": "LORA"} | peft_arguments(ranks, {layer.name: layer.alpha for layer in lora.layers})
    with whole_folder(path, KIND) as partial:
        write_keyed(partial / ADAPTER_WEIGHTS, _as_type(tensors, dtype), {})
        write_json(partial / ADAPTER_CONFIG, values)
        write_json(partial / RECORD, dict(record))


def _as_type(tensors: Mapping[str, Tensor], dtype: FloatType) -> dict[str, Tensor]:
    """Matrices in the wanted type; alphas stay float32."""
    import torch

    to: torch.dtype = getattr(torch, dtype.value)
    return {name: tensor.to(to) if tensor.ndim else tensor for name, tensor in tensors.items()}
