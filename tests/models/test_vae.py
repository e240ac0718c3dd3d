"""The VAE against the released code's recorded tensors, and its rule of 4T - 3 frames."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from diffusers import AutoencoderKLCogVideoX
from golden_models import model_config, tensors

from void.models.build import build_vae
from void.models.vae import VoidVAE, decode_latents, encode_moments


@pytest.fixture(scope="module")
def vae() -> VoidVAE:
    return build_vae(model_config())


def test_posterior_matches(vae: VoidVAE) -> None:
    golden = tensors("vae_roundtrip")
    mean_BTCHW, logvar_BTCHW = encode_moments(vae, golden["video"])
    torch.testing.assert_close(mean_BTCHW.transpose(1, 2), golden["posterior_mean"], atol=1e-5, rtol=0)
    torch.testing.assert_close(logvar_BTCHW.transpose(1, 2), golden["posterior_logvar"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("latents", [1, 4, 6])
def test_decode_matches(vae: VoidVAE, latents: int) -> None:
    golden = tensors("vae_roundtrip")
    scaled_BTCHW = golden["posterior_mean"].transpose(1, 2)[:, :latents] * vae.config.scaling_factor
    video_BCTHW = decode_latents(vae, scaled_BTCHW)
    assert video_BCTHW.shape == (1, 3, 4 * latents - 3, 48, 64)
    torch.testing.assert_close(video_BCTHW[..., 1::4, ::4], golden[f"decode_{latents}"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("latents", [1, 2, 3, 4, 5, 6, 8])
def test_every_latent_count_decodes_to_4t_minus_3(vae: VoidVAE, latents: int) -> None:
    assert decode_latents(vae, torch.randn(2, latents, 16, 2, 2)).shape == (2, 3, 4 * latents - 3, 16, 16)


def test_diffusers_own_decode_is_why_ours_exists(vae: VoidVAE) -> None:
    plain = AutoencoderKLCogVideoX.from_config(vae.config)
    assert plain.decode(torch.randn(1, 16, 6, 2, 2)).sample.shape[2] == 24


def test_longer_clips_begin_with_the_same_frames(vae: VoidVAE) -> None:
    latents_BTCHW = torch.randn(1, 7, 16, 2, 2)
    whole, part = decode_latents(vae, latents_BTCHW), decode_latents(vae, latents_BTCHW[:, :5])
    torch.testing.assert_close(whole[:, :, :17], part, atol=1e-5, rtol=0)


def test_saved_and_loaded_by_diffusers(vae: VoidVAE, tmp_path) -> None:
    vae.save_pretrained(tmp_path)
    loaded = VoidVAE.from_pretrained(tmp_path)
    assert loaded.config.scaling_factor == 0.7 and loaded.config.block_out_channels == vae.config.block_out_channels
    latents_BTCHW = torch.randn(1, 2, 16, 2, 2)
    assert torch.equal(decode_latents(loaded, latents_BTCHW), decode_latents(vae, latents_BTCHW))


def test_bfloat16_weights_still_give_float32_results() -> None:
    vae = build_vae(dataclasses.replace(model_config(), dtype="bfloat16"))
    mean_BTCHW, _ = encode_moments(vae, torch.zeros(1, 3, 5, 16, 16))
    assert mean_BTCHW.dtype == torch.float32 and decode_latents(vae, mean_BTCHW).dtype == torch.float32
