"""The names that ComfyUI's own CogVideoX gives the transformer's tensors. No tensor is fused, split or transposed.

Source: the module tree of `comfy/ldm/cogvideo/model.py` (ComfyUI pull requests 13351 and 13403). ComfyUI recognises the
model by `blocks.0.norm1.linear.weight`; it cannot read the released files, which have diffusers' names.
"""

from __future__ import annotations

DIFFUSERS_BLOCKS = "transformer_blocks."
COMFYUI_BLOCKS = "blocks."
# Layers by their path inside a block, and outside the blocks; those not listed keep their name.
IN_BLOCK = {
    "attn1.to_q": "q",
    "attn1.to_k": "k",
    "attn1.to_v": "v",
    "attn1.to_out.0": "attn_out",
    "attn1.norm_q": "norm_q",
    "attn1.norm_k": "norm_k",
    "ff.net.0.proj": "ff_proj",
    "ff.net.2": "ff_out",
}
OUTSIDE = {
    "time_embedding.linear_1": "time_embedding_linear_1",
    "time_embedding.linear_2": "time_embedding_linear_2",
}


def to_comfyui(name: str) -> str:
    """ComfyUI's name of a tensor that diffusers calls `name`."""
    return _renamed(name, DIFFUSERS_BLOCKS, COMFYUI_BLOCKS, IN_BLOCK, OUTSIDE)


def from_comfyui(name: str) -> str:
    """The inverse of `to_comfyui`."""
    return _renamed(name, COMFYUI_BLOCKS, DIFFUSERS_BLOCKS, _inverse(IN_BLOCK), _inverse(OUTSIDE))


def _renamed(name: str, blocks: str, new_blocks: str, in_block: dict[str, str], outside: dict[str, str]) -> str:
    layer, _, parameter = name.rpartition(".")
    if layer.startswith(blocks):
        number, _, inner = layer.removeprefix(blocks).partition(".")
        return f"{new_blocks}{number}.{in_block.get(inner, inner)}.{parameter}"
    return f"{outside.get(layer, layer)}.{parameter}"


def _inverse(names: dict[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}
