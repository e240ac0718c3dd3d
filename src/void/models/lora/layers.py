"""The linear layers of a CogVideoX transformer, from its constructor arguments alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LayerShapes = Mapping[str, tuple[int, int]]

# Defaults of diffusers' CogVideoXTransformer3DModel, for configurations that leave them out.
DEFAULTS = {
    "num_attention_heads": 30,
    "attention_head_dim": 64,
    "in_channels": 16,
    "out_channels": 16,
    "time_embed_dim": 512,
    "text_embed_dim": 4096,
    "num_layers": 30,
    "patch_size": 2,
    "patch_size_t": 1,
}


def linear_layers(arguments: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Name and weight shape `(out, in)` of every linear layer.

    Args:
        arguments: Constructor arguments of diffusers' CogVideoXTransformer3DModel, or its saved config.json.
    """
    size = {name: int(arguments.get(name) or default) for name, default in DEFAULTS.items()}
    width = size["num_attention_heads"] * size["attention_head_dim"]
    patch = size["patch_size"] ** 2 * size["patch_size_t"]
    time = size["time_embed_dim"]
    block = {
        "norm1.linear": (6 * width, time),
        "attn1.to_q": (width, width),
        "attn1.to_k": (width, width),
        "attn1.to_v": (width, width),
        "attn1.to_out.0": (width, width),
        "norm2.linear": (6 * width, time),
        "ff.net.0.proj": (4 * width, width),
        "ff.net.2": (width, 4 * width),
    }
    layers = {
        "patch_embed.proj": (width, size["in_channels"] * patch),
        "patch_embed.text_proj": (width, size["text_embed_dim"]),
        "time_embedding.linear_1": (time, width),
        "time_embedding.linear_2": (time, time),
        "norm_out.linear": (2 * width, time),
        "proj_out": (size["out_channels"] * patch, width),
    }
    for number in range(size["num_layers"]):
        layers |= {f"transformer_blocks.{number}.{name}": shape for name, shape in block.items()}
    return layers
