"""Configuration of `void export`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omegaconf import MISSING

from void.recipe import FloatType


class Layout(StrEnum):
    """Forms in which a model leaves this project."""

    released = "released"
    diffusers = "diffusers"
    comfyui = "comfyui"


class LoraLayout(StrEnum):
    """Forms in which a LoRA leaves this project: the names of its keys, and the place of alpha."""

    kohya = "kohya"
    peft = "peft"
    diffusers = "diffusers"
    comfyui = "comfyui"


@dataclass
class ExportConfig:
    """What is exported, in which form, and where to."""

    checkpoint: str | None = None
    """As infer.checkpoint: a folder, a safetensors file, `latest` or `none`; null: what `void infer` samples the stage
    with (infer.checkpoint, or with stage=pass2 infer.pass2.checkpoint)."""
    to: str = MISSING
    """Folder that the export is written into; nothing else in it is touched."""
    layout: Layout = Layout.released
    """released: one file of the transformer, names as published; diffusers: the folder of a whole VoidPipeline with a
    model card; comfyui: one file of the transformer, with ComfyUI's own names."""
    dtype: FloatType = FloatType.bfloat16
    """Type of the numbers; the released files are bfloat16."""
    text_encoder: bool = True
    """Whether the diffusers folder also holds tokenizer and text encoder (9.5 GB of the 5 B model in bfloat16)."""
    lora: str | None = None
    """A LoRA to write in another layout, in place of a checkpoint: a safetensors file or its folder, as infer.lora."""
    lora_layout: LoraLayout = LoraLayout.diffusers
    """kohya: one file with VideoX-Fun's names and alphas; peft: a folder with adapter_config.json; diffusers: one file
    for load_lora_weights; comfyui: one file with the names of ComfyUI's own CogVideoX, and alphas."""
