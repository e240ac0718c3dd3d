"""ComfyUI's names of the transformer's tensors."""

from __future__ import annotations

from golden_models import settings

from void.models.comfyui import from_comfyui, to_comfyui

NAMES = list(settings("state_dict_5b")["transformer"])
# The layers of ComfyUI's module tree, written down once more from its side.
OUTSIDE = [
    "patch_embed.proj",
    "patch_embed.text_proj",
    "time_embedding_linear_1",
    "time_embedding_linear_2",
    "norm_final",
    "norm_out.linear",
    "norm_out.norm",
    "proj_out",
]
NORMS = ["norm1.linear", "norm1.norm", "norm2.linear", "norm2.norm"]
IN_BLOCK = ["q", "k", "v", "norm_q", "norm_k", "attn_out", "ff_proj", "ff_out", *NORMS]


def test_the_real_names_become_those_of_comfyui_one_to_one() -> None:
    layers = OUTSIDE + [f"blocks.{number}.{layer}" for number in range(42) for layer in IN_BLOCK]
    expected = {f"{layer}.{parameter}" for layer in layers for parameter in ("weight", "bias")}
    assert len(expected) == 1024
    assert {to_comfyui(name) for name in NAMES} == expected


def test_the_inverse_gives_every_name_back() -> None:
    assert [from_comfyui(to_comfyui(name)) for name in NAMES] == NAMES


def test_layers_go_where_they_belong() -> None:
    pairs = {
        "transformer_blocks.7.attn1.to_q.weight": "blocks.7.q.weight",
        "transformer_blocks.41.attn1.to_out.0.bias": "blocks.41.attn_out.bias",
        "transformer_blocks.0.attn1.norm_k.weight": "blocks.0.norm_k.weight",
        "transformer_blocks.10.ff.net.0.proj.weight": "blocks.10.ff_proj.weight",
        "transformer_blocks.10.ff.net.2.weight": "blocks.10.ff_out.weight",
        "transformer_blocks.3.norm2.linear.bias": "blocks.3.norm2.linear.bias",
        "time_embedding.linear_2.bias": "time_embedding_linear_2.bias",
    }
    assert {name: to_comfyui(name) for name in pairs} == pairs
