"""Training of the tiny VAE: clips, crops, normalised latents, and a resumed run that equals an unbroken one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from golden_models import model_config
from rich.console import Console
from rounding import GOLDEN_VAE, Arithmetic, assert_same
from safetensors.torch import load_file

from void.composition import compose_config
from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json
from void.models.build import build_vae
from void.models.vae import decode_latents, encode_moments
from void.models.vae_training import batches
from void.models.vae_training.batches import Crops, heldout
from void.models.vae_training.clips import mask_clip, rgb_clip
from void.models.vae_training.config import VaeTrainingConfig
from void.models.vae_training.initial import tame
from void.models.vae_training.loop import learning_rate_factor, train_vae
from void.models.vae_training.muon import Muon, orthogonal
from void.models.vae_training.normalise import divide_latents, latent_statistics

CPU = torch.device("cpu")
QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def small_heldout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "HELDOUT_SHAPE", (13, 32, 32))


def config(root: Path, *overrides: str) -> VoidConfig:
    """Three steps of a VAE of 8-channel layers on tiny crops."""
    small = ["model.vae.block_out_channels=[8,8,8,8]", "model.vae.norm_num_groups=4", "vae_training.bf16=false"]
    size = [
        "vae_training.frames=5",
        "vae_training.crop=16",
        "vae_training.batch_size=2",
        "vae_training.heldout_clips=1",
    ]
    return compose_config([f"root={root}", *small, *size, "vae_training.steps=3", *overrides])


def test_clips_are_pure_functions_of_their_generator() -> None:
    first, again, other = (rgb_clip(np.random.default_rng(seed), 5, 32, 48) for seed in (1, 1, 2))
    assert first.shape == (5, 32, 48, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    masks = [mask_clip(np.random.default_rng(seed), 5, 96, 128).pack() for seed in range(20)]
    assert all(mask.shape == (5, 96, 128) for mask in masks)
    assert {0, 63, 127, 255} == set(np.unique(np.stack(masks)).tolist())


def test_clips_move() -> None:
    clips = [rgb_clip(np.random.default_rng(seed), 9, 48, 48).astype(float) for seed in range(30)]
    moved = [np.abs(clip[-1] - clip[0]).mean() for clip in clips]
    assert np.median(moved) > 1


def test_batches_depend_on_seed_and_step_and_hold_both_kinds() -> None:
    cfg = VaeTrainingConfig(root="", steps=1, batch_size=16, frames=5, crop=16, masks_share=0.5)
    crops = Crops(cfg, 3, "train")
    batch_BCTHW = crops.batch(7)
    assert batch_BCTHW.shape == (16, 3, 5, 16, 16) and batch_BCTHW.dtype == torch.float32
    assert torch.equal(batch_BCTHW, Crops(cfg, 3, "train").batch(7))
    assert not torch.equal(batch_BCTHW, crops.batch(8)) and not torch.equal(
        batch_BCTHW, Crops(cfg, 4, "train").batch(7)
    )
    levels = torch.tensor([0, 63, 127, 255]) / 255
    is_mask = [bool(torch.isin(clip, levels).all()) for clip in batch_BCTHW]
    assert 2 <= sum(is_mask) <= 14
    assert batch_BCTHW.min() >= -1 and batch_BCTHW.max() <= 1


def test_crops_come_from_pairs_of_the_training_split(toy_data) -> None:
    cfg = VaeTrainingConfig(root="", steps=1, frames=5, crop=16, pairs=str(toy_data), pairs_share=1.0, masks_share=0.0)
    crops = Crops(cfg, 0, "train")
    assert crops.batch(0).shape == (4, 3, 5, 16, 16)
    kinds = heldout(cfg, 0, "val")
    assert set(kinds) == {"procedural", "mask", "rendered", "rendered_mask"}
    assert kinds["rendered_mask"].min() >= 0
    with pytest.raises(InputError, match="smaller than a crop"):
        Crops(VaeTrainingConfig(root="", steps=1, frames=9, crop=16, pairs=str(toy_data)), 0, "train")


@pytest.mark.parametrize(("key", "value"), [("crop", 20), ("crop", 0), ("frames", 8)])
def test_illegal_crops_are_refused(key: str, value: int) -> None:
    with pytest.raises(InputError, match=str(value)):
        Crops(VaeTrainingConfig(root="", steps=1, **{key: value}), 0, "train")


def test_dividing_latents_keeps_reconstructions() -> None:
    vae = build_vae(model_config())
    video_BCTHW = torch.rand(2, 3, 13, 32, 32) * 2 - 1
    mean_before, logvar_before = encode_moments(vae, video_BCTHW)
    decoded_before = decode_latents(vae, mean_before)
    divisor_C = torch.linspace(0.2, 4, 16)
    divide_latents(vae, divisor_C)
    mean_BTCHW, logvar_BTCHW = encode_moments(vae, video_BCTHW)
    per_channel = divisor_C.view(1, 1, -1, 1, 1)
    assert_same(mean_BTCHW * per_channel, mean_before, GOLDEN_VAE)
    assert_same(logvar_BTCHW + 2 * per_channel.log(), logvar_before, GOLDEN_VAE)
    both_ways = Arithmetic(2 * GOLDEN_VAE.depth, GOLDEN_VAE.terms)
    assert_same(decode_latents(vae, mean_BTCHW), decoded_before, both_ways)
    divide_latents(vae, latent_statistics(vae, video_BCTHW)[1])
    assert_same(latent_statistics(vae, video_BCTHW)[1], torch.ones(16), GOLDEN_VAE)


def test_tamed_weights_keep_decoder_features_and_quiet_the_posterior() -> None:
    vae = build_vae(model_config())
    tame(vae)
    _, logvar_BTCHW = encode_moments(vae, torch.rand(1, 3, 5, 16, 16))
    assert (logvar_BTCHW == -6).all()
    norm = vae.decoder.norm_out
    first, second = torch.randn(2, 1, norm.norm_layer.num_channels, 1, 8, 8)
    latents = torch.randn(1, 16, 1, 2, 2)
    change = norm(first, latents)[0] - norm(second, latents)[0]
    assert_same(change, norm.norm_layer(first) - norm.norm_layer(second), Arithmetic(depth=4, terms=2 * 8 * 8))


def test_learning_rate_warms_up_stays_and_decays() -> None:
    cfg = VaeTrainingConfig(root="", steps=100, warmup_steps=10, decay_steps=20)
    rates = [learning_rate_factor(cfg, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and rates[9:81] == [1.0] * 72
    assert rates[90] == pytest.approx(0.5) and 0 < rates[99] < 0.01
    constant = VaeTrainingConfig(root="", steps=9, warmup_steps=0)
    assert [learning_rate_factor(constant, step) for step in (0, 8)] == [1.0, 1.0]


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (1, 5)])
def test_muon_updates_have_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * torch.logspace(-1, 1, shape[1])
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.5 and values.max() < 1.3


def test_muon_descends_along_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.zeros(2, 1, 2))
    optimizer = Muon([weight], lr=0.1)
    weight.grad = torch.tensor([[[3.0, 0.0]], [[0.0, 0.5]]])
    optimizer.step()
    change = weight.detach().flatten(1)
    assert (change.diagonal() < -0.05).all() and (change.diagonal() > -0.15).all()
    torch.testing.assert_close(change - torch.diag(change.diagonal()), torch.zeros(2, 2))


def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    whole = train_vae(config(tmp_path / "whole"), CPU, QUIET)
    train_vae(config(tmp_path / "parts", "vae_training.steps=1"), CPU, QUIET)
    parts = train_vae(config(tmp_path / "parts"), CPU, QUIET)
    first, second = load_file(whole), load_file(parts)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(tensor.dtype == torch.float16 for tensor in first.values())

    measured = read_json(whole.parent / "vae.json")["measured"]
    assert measured["step"] == 3 and set(measured["psnr_db"]) == {"procedural", "mask"}
    np.testing.assert_allclose(measured["scaled_latent_std"], 1, atol=5e-3)
    assert (whole.parent / "heldout.png").is_file()

    written = whole.stat().st_mtime_ns
    train_vae(config(tmp_path / "whole"), CPU, QUIET)
    assert whole.stat().st_mtime_ns == written
    with pytest.raises(InputError, match="other settings"):
        train_vae(config(tmp_path / "whole", "seed=1"), CPU, QUIET)


def test_exported_weights_can_be_a_start_and_a_model(tmp_path: Path) -> None:
    weights = train_vae(config(tmp_path / "first", "vae_training.steps=1"), CPU, QUIET)
    cfg = config(tmp_path / "second", f"vae_training.init_from={weights}", f"model.vae_weights={weights}")
    vae = build_vae(cfg.model)
    exported = load_file(weights)
    assert all(torch.equal(tensor, exported[name].float()) for name, tensor in vae.state_dict().items())
    train_vae(cfg, CPU, QUIET)
