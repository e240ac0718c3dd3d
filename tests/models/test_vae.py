"""The VAE's rule of 4T - 3 frames and its tiles; tests/parity compares it with the released code."""

from __future__ import annotations

import dataclasses
import functools

import pytest
import torch
from diffusers import AutoencoderKLCogVideoX
from golden_models import model_config
from rounding import ELEMENTWISE, GOLDEN_VAE, Arithmetic, assert_same
from torch.nn import functional as F

from void.composition import compose_config
from void.errors import InputError
from void.models.build import build_vae
from void.models.tiling import map_tiles, spread
from void.models.vae import VoidVAE, decode_latents, encode_moments


@pytest.fixture(scope="module")
def vae() -> VoidVAE:
    return build_vae(model_config())


@pytest.mark.parametrize("latents", [1, 2, 3, 4, 5, 6, 8])
def test_every_latent_count_decodes_to_4t_minus_3(vae: VoidVAE, latents: int) -> None:
    assert decode_latents(vae, torch.randn(2, latents, 16, 2, 2)).shape == (2, 3, 4 * latents - 3, 16, 16)


def test_diffusers_own_decode_is_why_ours_exists(vae: VoidVAE) -> None:
    plain = AutoencoderKLCogVideoX.from_config(vae.config)
    assert plain.decode(torch.randn(1, 16, 6, 2, 2)).sample.shape[2] == 24


def test_longer_clips_begin_with_the_same_frames(vae: VoidVAE) -> None:
    latents_BTCHW = torch.randn(1, 7, 16, 2, 2)
    whole, part = decode_latents(vae, latents_BTCHW), decode_latents(vae, latents_BTCHW[:, :5])
    assert_same(whole[:, :, :17], part, GOLDEN_VAE)


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


def moving_squares(frames: int, height: int, width: int) -> torch.Tensor:
    """A smooth background and two squares that move: `(1, 3, T, H, W)` in [-1, 1]."""
    y = torch.linspace(-1, 1, height)[:, None]
    x = torch.linspace(-1, 1, width)
    video_CTHW = torch.stack([torch.sin(3 * x + y), y * x, torch.cos(2 * y - x)])[:, None].repeat(1, frames, 1, 1) * 0.7
    for t in range(frames):
        video_CTHW[:, t, 40:72, 20 + 4 * t : 52 + 4 * t] = torch.tensor([0.9, -0.6, -0.2])[:, None, None]
        video_CTHW[:, t, 60 + t : 84 + t, 100:124] = torch.tensor([-0.8, 0.1, 0.7])[:, None, None]
    return video_CTHW[None]


def psnr(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Decibels, for values in [-1, 1]."""
    return -10 * torch.log10((ours - theirs).square().mean() / 4).item()


def test_tiles_are_near_the_untiled_clip() -> None:
    """On the shipped VAE. Group norms see tiles, so there is no equality; the tiled clip is as near to the original."""
    vae = build_vae(compose_config(["model=tiny"]).model)
    video_BCTHW = moving_squares(5, 128, 176)
    # Two clips: a 3-D convolution on one alone takes a much slower path on CPUs.
    video_BCTHW = torch.cat([video_BCTHW, video_BCTHW.flip(2)])
    mean_BTCHW, _ = encode_moments(vae, video_BCTHW)
    whole_BCTHW = decode_latents(vae, mean_BTCHW * 0.7)
    vae.enable_tiling(96, 112)
    tiled_mean_BTCHW, _ = encode_moments(vae, video_BCTHW)
    tiled_BCTHW = decode_latents(vae, mean_BTCHW * 0.7)
    assert psnr(tiled_BCTHW, whole_BCTHW) > 32
    assert tiled_mean_BTCHW.shape == mean_BTCHW.shape and not torch.equal(tiled_mean_BTCHW, mean_BTCHW)
    again_BCTHW = decode_latents(vae, tiled_mean_BTCHW * 0.7)
    assert psnr(again_BCTHW, video_BCTHW) > psnr(whole_BCTHW, video_BCTHW) - 1
    vae.disable_tiling()
    assert torch.equal(decode_latents(vae, mean_BTCHW * 0.7), whole_BCTHW)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (72, 80), (96, 200), (128, 64)])
def test_tiled_sizes_need_not_fit_the_tiles(height: int, width: int) -> None:
    vae = build_vae(model_config())
    vae.enable_tiling(32, 48)
    mean_BTCHW, logvar_BTCHW = encode_moments(vae, torch.rand(1, 3, 13, height, width))
    assert mean_BTCHW.shape == logvar_BTCHW.shape == (1, 4, 16, height // 8, width // 8)
    assert decode_latents(vae, mean_BTCHW).shape == (1, 3, 13, height, width)


def test_a_clip_of_one_tile_is_not_tiled(vae: VoidVAE) -> None:
    latents_BTCHW = torch.randn(1, 4, 16, 8, 8)
    whole_BCTHW = decode_latents(vae, latents_BTCHW)
    tiled = build_vae(model_config())
    # Half of the configured 48 x 64 would be 24 x 32 pixels.
    tiled.enable_tiling()
    assert (tiled.tile_sample_min_height, tiled.tile_sample_min_width) == (64, 64)
    assert torch.equal(decode_latents(tiled, latents_BTCHW), whole_BCTHW)


@pytest.mark.parametrize(
    ("sample_height", "sample_width", "tile"), [(480, 720, (240, 360)), (96, 128, (64, 64)), (500, 300, (248, 144))]
)
def test_default_tiles_fit_any_configured_size(sample_height: int, sample_width: int, tile: tuple[int, int]) -> None:
    model = model_config()
    sizes = {"sample_height": sample_height, "sample_width": sample_width}
    vae = build_vae(dataclasses.replace(model, vae={**model.vae, **sizes}), meta=True)
    vae.enable_tiling()
    assert (vae.tile_sample_min_height, vae.tile_sample_min_width) == tile
    assert (vae.tile_latent_min_height, vae.tile_latent_min_width) == (tile[0] // 8, tile[1] // 8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tile_sample_min_height": 20}, "tile_sample_min_height = 20"),
        ({"tile_sample_min_width": 8}, "tile_sample_min_width = 8"),
        ({"tile_overlap_factor_height": 0.0}, "tile_overlap_factor_height = 0.0"),
        ({"tile_overlap_factor_width": 0.9}, "tile_overlap_factor_width = 0.9"),
    ],
)
def test_bad_tiles(vae: VoidVAE, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        vae.enable_tiling(**arguments)


@pytest.mark.parametrize(("height", "width"), [(12, 12), (13, 29), (6, 40)])
def test_tiles_join_seamlessly_where_the_function_is_local(height: int, width: int) -> None:
    """A function that looks at no neighbour gives the same through tiles, in both directions of scale."""
    blends = {"blend_rows": VoidVAE.blend_v, "blend_columns": VoidVAE.blend_h}
    blends = {name: functools.partial(blend, None) for name, blend in blends.items()}
    rows, columns = spread(height, 6, 1), spread(width, 8, 2)
    latents_BCTHW = torch.randn(1, 2, 3, height, width)

    def enlarge(tile_BCTHW: torch.Tensor) -> torch.Tensor:
        return F.interpolate(tile_BCTHW, scale_factor=(1, 8, 8))

    up = map_tiles(enlarge, latents_BCTHW, rows, columns, scale_in=1, scale_out=8, **blends)
    assert_same(up, enlarge(latents_BCTHW), ELEMENTWISE)
    down = map_tiles(lambda tile: F.avg_pool3d(tile, (1, 8, 8)), up, rows, columns, scale_in=8, scale_out=1, **blends)
    assert_same(down, latents_BCTHW, Arithmetic(ELEMENTWISE.depth, terms=64))


def test_tiles_are_whole_and_spread_evenly() -> None:
    assert spread(60, 30, 5).starts == (0, 15, 30)
    assert spread(55, 30, 5).starts == (0, 25)
    assert spread(30, 30, 5).starts == (0,)
    for length in range(8, 200):
        tiles = spread(length, 8, 3)
        assert tiles.starts[-1] + tiles.size == length and min(tiles.overlaps, default=3) >= 3
