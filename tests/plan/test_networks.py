"""Sizes against real tensors, and activations on the meta device against the same networks on the CPU."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from void.composition import compose_config
from void.models.build import build_text_encoder, build_transformer, build_vae
from void.models.config import ModelConfig
from void.models.rotary import rotary_tables
from void.plan import networks
from void.plan.live_bytes import count_live_bytes
from void.shapes import latent_shape

FRAMES, HEIGHT, WIDTH = 37, 64, 96


@pytest.fixture(scope="module")
def tiny() -> ModelConfig:
    return compose_config(["model=tiny"]).model


@pytest.fixture(scope="module")
def full_size() -> ModelConfig:
    return compose_config(["model=cogvideox_fun_5b"]).model


def held_gib(module: torch.nn.Module) -> float:
    return sum(tensor.nbytes for tensor in module.state_dict().values()) / 2**30


def test_sizes_are_those_of_the_real_networks(tiny: ModelConfig) -> None:
    assert networks.network_size(build_vae(tiny, meta=True)).gib == held_gib(build_vae(tiny))
    assert networks.network_size(build_text_encoder(tiny, meta=True)).gib == pytest.approx(
        sum(weight.nbytes for weight in build_text_encoder(tiny).parameters()) / 2**30
    )
    transformer = build_transformer(tiny)
    size = networks.transformer_size(tiny)
    assert size.gib == held_gib(transformer)
    assert size.gib == pytest.approx(size.outside_blocks_gib + 4 * size.block_gib)
    transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32)
    assert size.fp8_gib == held_gib(transformer)
    assert size.fp8_block_gib == held_gib(transformer.transformer_blocks[0])


def test_parameters_of_the_full_size_networks(full_size: ModelConfig) -> None:
    transformer = networks.transformer_size(full_size)
    assert transformer.parameters == 5_571_462_784
    assert transformer.gib == 2 * 5_571_462_784 / 2**30
    # One matrix of the feed-forward layer, with the longer of its biases.
    assert transformer.largest_layer_gib == 2 * (3072 * 12288 + 12288) / 2**30
    assert networks.network_size(build_vae(full_size, meta=True)).parameters == 215_583_907
    assert networks.network_size(build_text_encoder(full_size, meta=True)).parameters == 4_762_310_656


def test_the_transformer_needs_on_the_meta_device_what_it_needs_on_the_cpu(tiny: ModelConfig) -> None:
    t, _, h, w = latent_shape(FRAMES, HEIGHT, WIDTH)
    transformer = build_transformer(tiny).eval()
    latents = torch.zeros(2, t, 48, h, w)
    text = torch.zeros(2, tiny.max_text_tokens, 64)
    tables = rotary_tables(transformer.config, t, h, w, "cpu")
    with torch.no_grad(), count_live_bytes() as live:
        transformer(latents, text, torch.zeros(2), image_rotary_emb=tables, return_dict=False)
    # All four blocks here, one block there: the peak is the same.
    assert networks.transformer_activations(tiny, 2, (t, h, w)) == pytest.approx(live.peak / 2**30, rel=0.01)


def test_a_long_clip_needs_what_a_short_one_and_its_finished_frames_do(
    tiny: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FRAMES > networks.STEADY_FRAMES
    quick = networks.vae_activations(tiny, FRAMES, HEIGHT, WIDTH, tiled=False)
    monkeypatch.setattr(networks, "STEADY_FRAMES", FRAMES)
    whole = networks.vae_activations(tiny, FRAMES, HEIGHT, WIDTH, tiled=False)
    assert quick.encode == pytest.approx(whole.encode, rel=0.03)
    assert quick.decode == pytest.approx(whole.decode, rel=0.03)
    shorter = networks.vae_activations(tiny, 5, HEIGHT, WIDTH, tiled=False)
    assert shorter.decode < 0.8 * whole.decode


def test_tiles_need_less(full_size: ModelConfig) -> None:
    whole, tiled = (networks.vae_activations(full_size, 5, 384, 672, tiled=tiled) for tiled in (False, True))
    assert tiled.encode < 0.6 * whole.encode
    assert tiled.decode < 0.6 * whole.decode


def test_training_keeps_every_block_unless_it_is_computed_again(full_size: ModelConfig) -> None:
    shape = (22, 48, 84)
    kept = networks.training_activations(full_size, 1, shape, torch.bfloat16)
    tokens = 11_314
    assert kept.block_inputs == 42 * tokens * 3072 * 2 / 2**30
    # The widest of what a block keeps are the feed-forward layer's hidden values, before and after the activation.
    assert 2 * tokens * 12288 * 2 / 2**30 < kept.saved_by_block < 2.0
    doubled = networks.training_activations(full_size, 2, shape, torch.bfloat16)
    for field in dataclasses.fields(kept):
        assert getattr(doubled, field.name) == pytest.approx(2 * getattr(kept, field.name), rel=0.02)
