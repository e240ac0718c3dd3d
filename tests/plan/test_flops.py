"""Closed forms against torch's own counter on the meta device, and against the numbers of the paper's backbone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from void.composition import compose_config
from void.models.build import build_text_encoder, build_transformer, build_vae
from void.models.config import ModelConfig
from void.models.rotary import rotary_tables
from void.plan.flops import text_flops, transformer_flops, vae_decode_flops, vae_encode_flops
from void.shapes import latent_shape

MODELS = ("cogvideox_fun_5b", "tiny")
CLIPS = [("cogvideox_fun_5b", 85, 384, 672), ("cogvideox_fun_5b", 53, 256, 448), ("tiny", 21, 96, 128)]
# 5: the shortest clip; 13: one chunk of the VAE; 29: three.
VIDEOS = [("cogvideox_fun_5b", 13, 384, 672), ("tiny", 5, 32, 48), ("tiny", 13, 96, 128), ("tiny", 29, 64, 96)]


def model_config(name: str) -> ModelConfig:
    return compose_config([f"model={name}"]).model


def counted(run: Callable[[], Any]) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def counted_forward(model: ModelConfig, frames: int, height: int, width: int) -> int:
    transformer = build_transformer(model, meta=True)
    t, _, h, w = latent_shape(frames, height, width)
    latents = torch.empty(1, t, transformer.config.in_channels, h, w, device="meta")
    text = torch.empty(1, model.max_text_tokens, transformer.config.text_embed_dim, device="meta")
    return counted(
        lambda: transformer(
            hidden_states=latents,
            encoder_hidden_states=text,
            timestep=torch.zeros(1, device="meta"),
            image_rotary_emb=rotary_tables(transformer.config, t, h, w, "meta"),
        )
    )


@pytest.mark.parametrize(("name", "frames", "height", "width"), CLIPS)
def test_transformer(name: str, frames: int, height: int, width: int) -> None:
    model = model_config(name)
    t, _, h, w = latent_shape(frames, height, width)
    formula = transformer_flops(model.transformer, t, h, w, model.max_text_tokens)
    assert formula == counted_forward(model, frames, height, width)


@pytest.mark.parametrize(("name", "frames", "height", "width"), VIDEOS)
def test_vae(name: str, frames: int, height: int, width: int) -> None:
    model = model_config(name)
    vae = build_vae(model, meta=True)
    t, channels, h, w = latent_shape(frames, height, width)
    video = torch.empty(1, 3, frames, height, width, dtype=vae.dtype, device="meta")
    latents = torch.empty(1, channels, t, h, w, dtype=vae.dtype, device="meta")
    assert vae_encode_flops(model.vae, frames, height, width) == counted(lambda: vae.encode(video))
    assert vae_decode_flops(model.vae, frames, height, width) == counted(lambda: vae.decode(latents))


@pytest.mark.parametrize("name", MODELS)
def test_text_encoder(name: str) -> None:
    model = model_config(name)
    encoder = build_text_encoder(model, meta=True)
    tokens = torch.zeros(1, model.max_text_tokens, dtype=torch.long, device="meta")
    assert text_flops(model.text_encoder, model.max_text_tokens) == counted(lambda: encoder(tokens))


def test_attention_is_in_the_count() -> None:
    """Without the scores, doubling the frames would double the work."""
    model = model_config("cogvideox_fun_5b")
    short, long = (transformer_flops(model.transformer, t, 48, 84, 0) for t in (22, 44))
    assert long > 2.3 * short


def test_published_numbers_of_the_backbone() -> None:
    model = model_config("cogvideox_fun_5b")
    forward = transformer_flops(model.transformer, 22, 48, 84, 226)
    assert forward / 1e12 == pytest.approx(173.7, abs=0.05)
    # At S tokens: 2 * 12 d^2 * 42 * S + 4 * 42 * S^2 * d, the rest is under a thousandth.
    tokens, dim = 11_314, 3072
    assert forward == pytest.approx(2 * 12 * dim**2 * 42 * tokens + 4 * 42 * tokens**2 * dim, rel=1e-3)
