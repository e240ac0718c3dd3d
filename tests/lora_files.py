"""A random LoRA of the golden transformer, written with the key names of each trainer, spelled out by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn


@dataclass(frozen=True)
class Update:
    """What a LoRA adds to one layer: `alpha / rank * up @ down`."""

    down: Tensor
    up: Tensor
    alpha: float

    @property
    def delta(self) -> Tensor:
        return self.alpha / len(self.down) * self.up @ self.down


# Layer, its name in ComfyUI, rank, alpha: ranks and scales differ, and 2/3 is no binary fraction.
ADAPTED = (
    ("transformer_blocks.0.attn1.to_q", "blocks.0.q", 4, 8.0),
    ("transformer_blocks.0.attn1.to_out.0", "blocks.0.attn_out", 4, 8.0),
    ("transformer_blocks.1.ff.net.0.proj", "blocks.1.ff_proj", 2, 1.0),
    ("transformer_blocks.1.norm1.linear", "blocks.1.norm1.linear", 4, 8.0),
    ("time_embedding.linear_1", "time_embedding_linear_1", 3, 2.0),
    ("patch_embed.proj", "patch_embed.proj", 4, 8.0),
    ("proj_out", "proj_out", 4, 8.0),
)
COMFYUI = {layer: name for layer, name, _, _ in ADAPTED}


def random_updates(transformer: nn.Module, seed: int = 1) -> dict[str, Update]:
    generator = torch.Generator().manual_seed(seed)
    updates = {}
    for layer, _, rank, alpha in ADAPTED:
        outputs, inputs = transformer.get_submodule(layer).weight.shape
        down = 0.1 * torch.randn(rank, inputs, generator=generator)
        updates[layer] = Update(down, 0.1 * torch.randn(outputs, rank, generator=generator), alpha)
    return updates


def merged(transformer: nn.Module, updates: dict[str, Update], factor: float = 1.0) -> nn.Module:
    """A copy of the transformer with the updates in its weights."""
    result = copy.deepcopy(transformer)
    for layer, update in updates.items():
        result.get_submodule(layer).weight.data += factor * update.delta
    return result


def kohya(updates: dict[str, Update], underscores: int = 2) -> dict[str, Tensor]:
    tensors = {}
    for layer, update in updates.items():
        name = f"lora_unet{'_' * underscores}{layer.replace('.', '_')}"
        tensors[f"{name}.lora_down.weight"], tensors[f"{name}.lora_up.weight"] = update.down, update.up
        tensors[f"{name}.alpha"] = torch.tensor(update.alpha)
    return tensors


def comfyui(updates: dict[str, Update]) -> dict[str, Tensor]:
    tensors = {}
    for layer, update in updates.items():
        name = f"diffusion_model.{COMFYUI[layer]}"
        tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"] = update.down, update.up
        tensors[f"{name}.alpha"] = torch.tensor(update.alpha)
    return tensors


def dotted(
    updates: dict[str, Update], prefix: str, down: str, up: str, *, with_alpha: bool = True
) -> dict[str, Tensor]:
    tensors = {}
    for layer, update in updates.items():
        tensors[f"{prefix}{layer}{down}"], tensors[f"{prefix}{layer}{up}"] = update.down, update.up
        if with_alpha:
            tensors[f"{prefix}{layer}.alpha"] = torch.tensor(update.alpha)
    return tensors


LAYOUTS: dict[str, Callable[[dict[str, Update]], dict[str, Tensor]]] = {
    "VideoX-Fun": kohya,
    "kohya": lambda updates: kohya(updates, underscores=1),
    "OneTrainer": lambda updates: {
        name.replace("lora_unet__", "lora_transformer_"): tensor for name, tensor in kohya(updates).items()
    },
    "ComfyUI": comfyui,
    "ComfyUI, underscores": lambda updates: {
        name.replace(f"diffusion_model.{comfy}", f"lora_unet_{comfy.replace('.', '_')}"): tensor
        for comfy in COMFYUI.values()
        for name, tensor in comfyui(updates).items()
        if name.startswith(f"diffusion_model.{comfy}.")
    },
    "ComfyUI's prefix, diffusers' names": lambda updates: dotted(
        updates, "diffusion_model.", ".lora_A.weight", ".lora_B.weight"
    ),
    "diffusers with alphas": lambda updates: dotted(updates, "transformer.", ".lora_A.weight", ".lora_B.weight"),
    "early diffusers": lambda updates: dotted(updates, "transformer.", ".lora.down.weight", ".lora.up.weight"),
    "early transformers": lambda updates: dotted(
        updates, "", ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"
    ),
    "peft in memory": lambda updates: dotted(
        updates, "base_model.model.", ".lora_A.default.weight", ".lora_B.default.weight"
    ),
}


def save(folder: Path, tensors: dict[str, Tensor], name: str = "lora.safetensors") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / name)
    return folder / name
