"""The warp on a CUDA device: other random numbers than on the CPU, the same statistics."""

from __future__ import annotations

import math

import pytest
import torch

from void.noise.config import NoiseConfig
from void.noise.latents import latent_frames_at, warped_latents
from void.noise.warp import NoiseCanvas

pytestmark = pytest.mark.gpu

FRAMES, HEIGHT, WIDTH = 13, 128, 160


def flow(kind: str) -> torch.Tensor:
    """A flow of the clip's size."""
    y, x = torch.meshgrid(torch.arange(HEIGHT) - HEIGHT / 2, torch.arange(WIDTH) - WIDTH / 2, indexing="ij")
    moved = torch.stack([0.02 * x - 0.03 * y, 0.03 * x + 0.02 * y])
    return (moved if kind == "swirl" else torch.full_like(moved, 0.7)).expand(FRAMES - 1, -1, -1, -1)


@pytest.mark.parametrize("kind", ["swirl", "shift"])
def test_noise_is_white_and_does_not_depend_on_memory(kind: str) -> None:
    reads, config = latent_frames_at(FRAMES), NoiseConfig(canvas=16)
    whole, parts = (
        warped_latents(flow(kind), reads, HEIGHT, WIDTH, settings, 5, channels=32, device="cuda")
        for settings in (config, NoiseConfig(canvas=16, memory_gib=1e-6))
    )
    assert whole.device.type == "cpu"
    torch.testing.assert_close(whole, parts, rtol=0, atol=1e-5)
    for noise_Chw in whole:
        assert abs(noise_Chw.std() - 1) < 4 / math.sqrt(2 * noise_Chw.numel())
        for lag in (noise_Chw[..., 1:] * noise_Chw[..., :-1], noise_Chw[:, 1:] * noise_Chw[:, :-1]):
            assert abs(lag.mean()) < 4 / math.sqrt(lag.numel())


def test_noise_moves_as_it_does_on_the_cpu() -> None:
    """Correlation of each step with the one before, pixel by pixel, agrees with the CPU's."""
    found = []
    for device in ("cpu", "cuda"):
        canvas = NoiseCanvas(HEIGHT, WIDTH, range(16), 0, device=device)
        before = canvas.read().clone()
        canvas.step(flow("swirl")[0].to(device))
        found.append(float((canvas.read() * before).mean()))
    assert abs(found[0] - found[1]) < 8 / math.sqrt(16 * HEIGHT * WIDTH)
