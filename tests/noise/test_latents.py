"""Warped noise at the size of latents, and its degradation."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from void.errors import InputError
from void.noise.config import NoiseConfig
from void.noise.degradation import degrade
from void.noise.latents import channels_at_once, latent_frames_at, warped_latents
from void.recipe import Degradation, NoiseWarp
from void.video import write_video

FRAMES, HEIGHT, WIDTH = 13, 64, 96
LATENTS = 4
PAGE = Path(__file__).parents[2] / "docs" / "noise.md"
CONFIG = NoiseConfig(canvas=16)


def moving(dx: float, dy: float = 0.0) -> Tensor:
    """A flow of half the clip's size, in its own pixels."""
    return torch.tensor([dx, dy]).view(1, 2, 1, 1).repeat(FRAMES - 1, 1, HEIGHT // 2, WIDTH // 2)


def latents(flow_T2HW: Tensor, config: NoiseConfig = CONFIG, seed: int = 0, channels: int = 16) -> Tensor:
    return warped_latents(flow_T2HW, latent_frames_at(FRAMES), HEIGHT, WIDTH, config, seed, channels=channels)


@pytest.mark.parametrize("flow_T2HW", [moving(0.7, -0.4), 2 * torch.randn(12, 2, 32, 48)], ids=["shift", "random"])
def test_latents_are_white_and_of_unit_variance(flow_T2HW: Tensor) -> None:
    noise_TChw = latents(flow_T2HW, channels=64)
    assert noise_TChw.shape == (LATENTS, 64, HEIGHT // 8, WIDTH // 8)
    for noise_Chw in noise_TChw:
        count = noise_Chw.numel()
        assert abs(noise_Chw.mean()) < 4 / math.sqrt(count)
        assert abs(noise_Chw.std() - 1) < 0.04
        for lag in (noise_Chw[..., 1:] * noise_Chw[..., :-1], noise_Chw[:, 1:] * noise_Chw[:, :-1]):
            assert abs(lag.mean()) < 4 / math.sqrt(lag.numel())


def linear(xx: float = 0, xy: float = 0, yx: float = 0, yy: float = 0) -> Tensor:
    """A flow, in pixels of half the clip, that is a linear function of position from the middle."""
    y, x = torch.meshgrid(torch.arange(64) - 32.0, torch.arange(80) - 40.0, indexing="ij")
    return torch.stack([xx * x + xy * y, yx * x + yy * y])


def turbulent() -> Tensor:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(80.0), indexing="ij")
    return torch.stack([torch.sin(y / 5) * torch.cos(x / 7), torch.cos(x / 6)])


def occluding() -> Tensor:
    """The right half moves left over the other."""
    flow_2HW = torch.zeros(2, 64, 80)
    flow_2HW[0, :, 40:] = -1.3
    return flow_2HW


@pytest.mark.parametrize(
    "flow_2HW",
    [
        linear(xx=0.01, yy=0.01),
        linear(xx=-0.01, yy=-0.01),
        linear(xy=-0.03, yx=0.03),
        linear(xy=0.04),
        turbulent(),
        occluding(),
        torch.tensor([0.37, -0.21]).view(2, 1, 1).expand(2, 64, 80),
    ],
    ids=["zoom in", "zoom out", "rotation", "shear", "turbulence", "occlusion", "shift"],
)
def test_after_many_steps_latents_are_still_white_and_of_unit_variance(flow_2HW: Tensor) -> None:
    frames, channels = 29, 64
    noise_TChw = warped_latents(
        flow_2HW.expand(frames - 1, -1, -1, -1), latent_frames_at(frames), 128, 160, CONFIG, 3, channels=channels
    )
    assert noise_TChw.shape == (8, channels, 16, 20)
    for noise_Chw in noise_TChw:
        assert abs(noise_Chw.std() - 1) < 0.02
        for lag in (noise_Chw[..., 1:] * noise_Chw[..., :-1], noise_Chw[:, 1:] * noise_Chw[:, :-1]):
            assert abs(lag.mean()) < 4 / math.sqrt(lag.numel())


def test_the_released_warp_does_not_depend_on_memory_either() -> None:
    flow_T2HW, small = moving(0.7, 0.2), dataclasses.replace(CONFIG, memory_gib=1e-6)
    both = [
        warped_latents(flow_T2HW, [0, 4], HEIGHT, WIDTH, config, 0, warp=NoiseWarp.released)
        for config in (CONFIG, small)
    ]
    torch.testing.assert_close(both[0], both[1], rtol=0, atol=0)


def test_a_frame_after_the_last_flow_is_refused() -> None:
    with pytest.raises(InputError, match=r"17 frames need \(16, 2, H, W\)"):
        warped_latents(moving(0), [0, 16], HEIGHT, WIDTH, CONFIG, 0)


def test_a_static_clip_has_the_same_noise_in_all_frames() -> None:
    noise_TChw = latents(moving(0))
    for later_Chw in noise_TChw[1:]:
        torch.testing.assert_close(later_Chw, noise_TChw[0], rtol=0, atol=0)


def test_noise_moves_as_the_clip_does() -> None:
    # Half a pixel a frame on a grid of half the size: 4 pixels of the clip every four frames, half a latent pixel.
    noise_TChw = latents(moving(0.5), channels=64)
    first, third = noise_TChw[0], noise_TChw[2]
    moved = (third[..., 1:] * first[..., :-1]).mean()
    assert moved == pytest.approx(1, abs=0.08)
    assert abs((third * first).mean()) < 0.08


def test_memory_and_company_change_nothing_and_the_seed_everything() -> None:
    flow_T2HW = moving(0.7, 0.2)
    whole = latents(flow_T2HW)
    small = dataclasses.replace(CONFIG, memory_gib=1e-6)
    assert channels_at_once(128 * 192, 16, small.memory_gib) == 1
    torch.testing.assert_close(latents(flow_T2HW, small), whole, rtol=0, atol=0)
    torch.testing.assert_close(latents(flow_T2HW), whole, rtol=0, atol=0)
    assert abs((latents(flow_T2HW, seed=1) * whole).mean()) < 4 / math.sqrt(whole.numel())


def test_noise_is_read_at_any_frames_in_any_order() -> None:
    flow_T2HW = moving(0.7, 0.2)
    whole_TChw = latents(flow_T2HW)
    mirrored_TChw = warped_latents(flow_T2HW, [0, 4, 8, 12, 8, 4], HEIGHT, WIDTH, CONFIG, 0)
    torch.testing.assert_close(mirrored_TChw, whole_TChw[[0, 1, 2, 3, 2, 1]], rtol=0, atol=0)


def test_a_single_frame_has_noise_and_needs_no_flow() -> None:
    noise_TChw = warped_latents(torch.zeros(0, 2, 8, 8), [0, 0], HEIGHT, WIDTH, CONFIG, 0)
    torch.testing.assert_close(noise_TChw[0], noise_TChw[1], rtol=0, atol=0)
    assert abs(noise_TChw[0].std() - 1) < 4 / math.sqrt(2 * noise_TChw[0].numel())


def test_a_flow_that_is_not_finite_is_refused() -> None:
    flow_T2HW = moving(0)
    flow_T2HW[3, 1, 2, 2] = float("nan")
    with pytest.raises(InputError, match="between frames 3 and 4"):
        latents(flow_T2HW)


def test_a_full_size_canvas_fits_into_the_default_budget() -> None:
    assert channels_at_once(1536 * 2688, 16, NoiseConfig().memory_gib) == 16


def test_a_flow_of_another_clip_is_refused() -> None:
    with pytest.raises(InputError, match="13 frames need"):
        latents(moving(0)[:5])


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.3, 0.5, 1.0])
def test_degraded_noise_keeps_unit_variance(gamma: float) -> None:
    generator = torch.Generator().manual_seed(0)
    noise, fresh = torch.randn(2, 1, 200_000, generator=generator)
    found = degrade(noise, fresh, torch.tensor([gamma]))
    assert abs(found.std() - 1) < 0.01
    expected = (1 - gamma) / math.hypot(1 - gamma, gamma)
    assert torch.corrcoef(torch.cat([found, noise]))[0, 1] == pytest.approx(expected, abs=0.01)


def test_the_ends_of_degradation_are_exact() -> None:
    noise, fresh = torch.randn(2, 3, 16)
    torch.testing.assert_close(degrade(noise, fresh, torch.zeros(3)), noise, rtol=0, atol=0)
    torch.testing.assert_close(degrade(noise, fresh, torch.ones(3)), fresh, rtol=0, atol=0)


@pytest.mark.parametrize(("gamma", "std"), [(0.1, 1.104), (0.2, 1.213), (0.3, 1.313)])
def test_the_released_formula_inflates_the_noise(gamma: float, std: float) -> None:
    generator = torch.Generator().manual_seed(0)
    noise, fresh = torch.randn(2, 1, 200_000, generator=generator)
    found = degrade(noise, fresh, torch.tensor([gamma]), Degradation.released)
    assert found.std() == pytest.approx(std, abs=0.01)


def test_the_example_of_the_docs_makes_latents_for_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    frames = [np.stack([rows * 2, columns + 3 * index, rows + columns], axis=-1) % 256 for index in range(FRAMES)]
    write_video(tmp_path / "pass1.mp4", np.stack(frames).astype(np.uint8), 12)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["latents_BTCHW"].shape == (1, LATENTS, 16, HEIGHT // 8, WIDTH // 8)
    assert abs(names["latents_BTCHW"].std() - 1) < 0.05
