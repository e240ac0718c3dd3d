"""The published warp and geometry: their quirks are there, as measured on the released description."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from void.noise.config import NoiseConfig
from void.noise.flow import DisFlow
from void.noise.released import ReleasedGeometry, released_latents
from void.noise.released_canvas import ReleasedCanvas
from void.noise.warp import NoiseCanvas
from void.recipe import NoiseWarp

CHANNELS = 8


def shift(dx: float, height: int = 64, width: int = 80) -> Tensor:
    return torch.tensor([dx, 0.0]).view(2, 1, 1).expand(2, height, width).contiguous()


def zoom(amount: float, height: int = 64, width: int = 80) -> Tensor:
    y, x = torch.meshgrid(torch.arange(height) - height / 2, torch.arange(width) - width / 2, indexing="ij")
    return amount * torch.stack([x, y])


@pytest.mark.parametrize("warp", NoiseWarp)
def test_resized_noise_is_neither_of_unit_variance_nor_white(warp: NoiseWarp) -> None:
    still_THWC = np.zeros((5, 48, 84, 3), np.uint8)
    noise_TChw = released_latents(
        still_THWC,
        (2, 64, 48, 84),
        NoiseConfig(canvas=1),
        DisFlow(),
        0,
        warp=warp,
        geometry=ReleasedGeometry(frames=2),
    )
    assert noise_TChw.shape == (2, 64, 48, 84)
    assert noise_TChw.std() == pytest.approx(0.661, abs=0.01)
    power = noise_TChw.square().mean()
    assert (noise_TChw[..., 1:] * noise_TChw[..., :-1]).mean() / power == pytest.approx(0.20, abs=0.02)
    assert (noise_TChw[..., 1:, :] * noise_TChw[..., :-1, :]).mean() / power == pytest.approx(0.12, abs=0.02)


@pytest.mark.parametrize("flow_2HW", [shift(2.3), zoom(0.04), zoom(-0.04)], ids=["shift", "zoom in", "zoom out"])
def test_the_canvas_keeps_unit_variance_and_its_seed(flow_2HW: Tensor) -> None:
    canvases = [ReleasedCanvas(64, 80, range(CHANNELS), seed) for seed in (0, 0, 1)]
    for canvas in canvases:
        for _ in range(4):
            canvas.step(flow_2HW)
    first, again, other = (canvas.read() for canvas in canvases)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert abs(first.std() - 1) < 4 / (2 * first.numel()) ** 0.5
    assert abs((first * other).mean()) < 4 / first.numel() ** 0.5


def test_strangers_of_equal_value_are_split_as_if_copies_of_one_pixel() -> None:
    canvas = ReleasedCanvas(8, 8, range(4000), 0)
    canvas.noise_CN[0, 30] = canvas.noise_CN[0, 9]
    before_CHW = canvas.read().clone()
    canvas.step(shift(0, 8, 8))
    correlations_N = (canvas.read() * before_CHW).mean(0).flatten()
    strangers = torch.tensor([9, 30])
    torch.testing.assert_close(correlations_N[strangers], torch.full((2,), 0.5**0.5), rtol=0, atol=0.06)
    others = torch.ones(64, dtype=torch.bool)
    others[strangers] = False
    torch.testing.assert_close(canvas.read().flatten(1)[:, others], before_CHW.flatten(1)[:, others])


def test_what_leaves_the_canvas_blocks_what_enters_there() -> None:
    released, indexed = (kind(64, 80, range(CHANNELS), 0) for kind in (ReleasedCanvas, NoiseCanvas))
    found = {}
    for name, canvas in (("released", released), ("indexed", indexed)):
        before_CHW = canvas.read().clone()
        canvas.step(zoom(0.3) * torch.tensor([1.0, 0.0]).view(2, 1, 1))
        # Column 77 leaves to the right; nothing is pushed there, so it is pulled from 11 columns inside.
        found[name] = (canvas.read()[:, 20:44, 77] * before_CHW[:, 20:44, 66]).mean()
    assert abs(found["released"]) < 0.2
    assert found["indexed"] > 0.1 + abs(found["released"])
