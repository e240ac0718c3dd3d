"""The statistics of warped noise: it must stay white and normal under every flow, and move with it.

Bounds are four standard errors of the estimate, unless a line says otherwise; seeds are fixed.
"""

from __future__ import annotations

import math

import pytest
import torch
from rounding import Arithmetic, assert_same
from scipy import stats
from torch import Tensor

from void.noise.warp import NoiseCanvas

HEIGHT, WIDTH, CHANNELS = 128, 160, 8
COUNT = HEIGHT * WIDTH


def grid() -> tuple[Tensor, Tensor]:
    """x and y of every pixel, from the centre."""
    y, x = torch.meshgrid(torch.arange(HEIGHT) - HEIGHT / 2, torch.arange(WIDTH) - WIDTH / 2, indexing="ij")
    return x, y


def linear(xx: float = 0, xy: float = 0, yx: float = 0, yy: float = 0) -> Tensor:
    """The flow `(2, H, W)` that is a linear function of position."""
    x, y = grid()
    return torch.stack([xx * x + xy * y, yx * x + yy * y])


def shift(dx: float, dy: float) -> Tensor:
    return torch.tensor([dx, dy]).view(2, 1, 1).expand(2, HEIGHT, WIDTH).contiguous()


def turbulent() -> Tensor:
    x, y = grid()
    return torch.stack([6 * torch.sin(y / 9) * torch.cos(x / 13), 6 * torch.cos(x / 11)])


def occluding() -> Tensor:
    """The right half moves left over the other: one edge covers, the border uncovers."""
    return shift(-9.3, 0) * (grid()[0] > 0)


def random() -> Tensor:
    return 5 * torch.randn(2, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))


FLOWS = {
    "zero": shift(0, 0),
    "shift": shift(2.3, -1.6),
    "zoom in": linear(xx=0.03, yy=0.03),
    "zoom out": linear(xx=-0.03, yy=-0.03),
    "rotation": linear(xy=-0.05, yx=0.05),
    "shear": linear(xy=0.08),
    "turbulence": turbulent(),
    "occlusion": occluding(),
    "random": random(),
}


def canvas(seed: int = 0, channels: range = range(CHANNELS), **options: bool) -> NoiseCanvas:
    return NoiseCanvas(HEIGHT, WIDTH, channels, seed, **options)


def correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


@pytest.mark.parametrize("name", FLOWS)
def test_noise_stays_white_and_normal(name: str) -> None:
    noise = canvas()
    for _ in range(8):
        noise.step(FLOWS[name])
    q_CHW = noise.read()
    values = q_CHW.numel()
    assert abs(q_CHW.mean()) < 4 / math.sqrt(values)
    assert abs(q_CHW.var() - 1) < 4 * math.sqrt(2 / values)
    assert abs(stats.skew(q_CHW.flatten())) < 4 * math.sqrt(6 / values)
    assert abs(stats.kurtosis(q_CHW.flatten())) < 4 * math.sqrt(24 / values)
    assert stats.kstest(q_CHW.flatten()[::7].numpy(), "norm").pvalue > 1e-3
    for rows, columns in ((0, 1), (1, 0), (1, 1), (0, 2)):
        lag = q_CHW[:, rows:, columns:] * q_CHW[:, : HEIGHT - rows, : WIDTH - columns]
        assert abs(lag.mean()) < 4 / math.sqrt(values), (rows, columns)
    between = torch.corrcoef(q_CHW.flatten(1)) - torch.eye(CHANNELS)
    assert between.abs().max() < 4.5 / math.sqrt(COUNT)
    assert noise.density_N.min() > 0
    # The normalisation's floor and power shift the mean by this much at most.
    assert abs(noise.density_N.mean() - 1) < 1e-3


@pytest.mark.parametrize("name", ["shift", "zoom in", "turbulence", "random"])
def test_the_spectrum_is_flat(name: str) -> None:
    noise = canvas()
    for _ in range(8):
        noise.step(FLOWS[name])
    power_HW = torch.fft.fft2(noise.read()).abs().square().mean(0) / COUNT
    y, x = torch.meshgrid(torch.fft.fftfreq(HEIGHT), torch.fft.fftfreq(WIDTH), indexing="ij")
    ring = ((x.square() + y.square()).sqrt() * 16).long().clamp(max=8)
    for number in range(9):
        inside = power_HW[ring == number]
        # Each bin's power is exponential with mean 1, and so has standard deviation 1; half of the bins mirror others.
        assert abs(inside.mean() - 1) < 4.5 / math.sqrt(inside.numel() / 2 * CHANNELS), number


def test_without_motion_nothing_changes() -> None:
    noise = canvas()
    before = noise.read().clone()
    noise.step(FLOWS["zero"])
    torch.testing.assert_close(noise.read(), before, rtol=0, atol=0)


def test_a_whole_shift_moves_the_inside_exactly_and_what_enters_is_new() -> None:
    noise = canvas()
    before = noise.read().clone()
    noise.step(shift(5, 3))
    after = noise.read()
    torch.testing.assert_close(after[:, 3:, 5:], before[:, :-3, :-5], rtol=0, atol=0)
    strip = after[:, :, :5]
    for past in (before[:, :, :5], before[:, :, -5:]):
        assert abs(correlation(strip, past)) < 4 / math.sqrt(strip.numel())


@pytest.mark.parametrize(("dx", "dy"), [(0.25, 0.0), (0.5, 0.0), (0.75, 0.5)])
def test_pooled_noise_correlates_as_overlapping_boxes_do(dx: float, dy: float) -> None:
    size = 8
    noise = NoiseCanvas(40 * size, 40 * size, range(CHANNELS), 3)

    def pooled() -> Tensor:
        return torch.nn.functional.avg_pool2d(noise.read(), size) * size

    before = pooled()
    noise.step(torch.tensor([dx * size, dy * size]).view(2, 1, 1).expand(2, 40 * size, 40 * size).contiguous())
    after = pooled()
    assert abs(after.std() - 1) < 0.02
    for columns, along_x in ((0, 1 - dx), (1, dx)):
        for rows, along_y in ((0, 1 - dy), (1, dy)):
            found = correlation(after[:, 1:, 1:], before[:, 1 - rows : 40 - rows, 1 - columns : 40 - columns])
            assert abs(found - along_x * along_y) < 4 / math.sqrt(CHANNELS * 39 * 39)


SAMPLES = 4000
SIDE, MIDDLE = 12, 6


def step_flow(amount: float) -> Tensor:
    """A small flow that moves everything right of the middle by `amount` in x, everything below it by `amount` in y."""
    beyond = (torch.arange(SIDE) >= MIDDLE) * amount
    return torch.stack([beyond.expand(SIDE, SIDE), beyond.view(SIDE, 1).expand(SIDE, SIDE)])


def test_copies_of_a_pixel_are_independent_and_add_up_to_it() -> None:
    noise = NoiseCanvas(SIDE, SIDE, range(SAMPLES), 0)
    source_C = noise.read()[:, MIDDLE - 1, MIDDLE - 1].clone()
    noise.step(step_flow(1))
    copies_4C = noise.read()[:, MIDDLE - 1 : MIDDLE + 1, MIDDLE - 1 : MIDDLE + 1].flatten(1).T
    assert_same(copies_4C.sum(0) / 2, source_C, Arithmetic(depth=8, terms=4))
    found = torch.corrcoef(torch.cat([copies_4C, source_C[None]]))
    expected = torch.eye(5)
    expected[4, :4] = expected[:4, 4] = 0.5
    assert (found - expected).abs().max() < 4 / math.sqrt(SAMPLES)


def test_pixels_that_meet_share_alike_and_their_density_adds_up() -> None:
    noise = NoiseCanvas(SIDE, SIDE, range(SAMPLES), 0)
    before_CHW = noise.read().clone()
    noise.step(step_flow(-1))
    merged_C = noise.read()[:, MIDDLE - 1, MIDDLE - 1]
    sources_C4 = before_CHW[:, MIDDLE - 1 : MIDDLE + 1, MIDDLE - 1 : MIDDLE + 1].flatten(1)
    assert_same(merged_C, sources_C4.sum(1) / 2, Arithmetic(depth=8, terms=4))
    density_HW = noise.density_N.view(SIDE, SIDE)
    assert density_HW[MIDDLE - 1, MIDDLE - 1] / density_HW[0, 0] == pytest.approx(4, rel=1e-3)


def test_zooming_in_and_out_keeps_more_of_the_noise_than_a_nearest_warp() -> None:
    noise = canvas()
    before = noise.read().clone()
    steps = [linear(xx=0.04, yy=0.04)] * 4 + [linear(xx=-0.04, yy=-0.04)] * 4
    nearest = before
    x, y = grid()
    for flow_2HW in steps:
        noise.step(flow_2HW)
        at = torch.stack([(x - flow_2HW[0]) / (WIDTH / 2), (y - flow_2HW[1]) / (HEIGHT / 2)], dim=-1)
        nearest = torch.nn.functional.grid_sample(nearest[None], at[None], mode="nearest", align_corners=False)[0]
    inside = (slice(None), slice(24, -24), slice(32, -32))
    assert correlation(noise.read()[inside], before[inside]) > correlation(nearest[inside], before[inside])


@pytest.mark.parametrize(("carry", "moved"), [(True, 4), (False, 0)])
def test_motion_below_a_pixel_adds_up(carry: bool, moved: int) -> None:
    noise = canvas(carry_offsets=carry)
    before = noise.read().clone()
    for _ in range(10):
        noise.step(shift(0.4, 0))
    after = noise.read()
    found = [correlation(after[:, :, columns:], before[:, :, : WIDTH - columns]) for columns in range(8)]
    assert max(range(8), key=found.__getitem__) == moved
    assert found[moved] > 0.9


def test_the_seed_decides_and_channels_do_not_depend_on_their_company() -> None:
    def moved(seed: int, channels: range) -> Tensor:
        noise = canvas(seed, channels)
        for _ in range(3):
            noise.step(FLOWS["turbulence"])
        return noise.read()

    whole = moved(5, range(CHANNELS))
    torch.testing.assert_close(moved(5, range(CHANNELS)), whole, rtol=0, atol=0)
    torch.testing.assert_close(torch.cat([moved(5, range(3)), moved(5, range(3, CHANNELS))]), whole, rtol=0, atol=0)
    assert abs(correlation(moved(6, range(CHANNELS)), whole)) < 4 / math.sqrt(whole.numel())
