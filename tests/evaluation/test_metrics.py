"""PSNR and SSIM against values worked out by hand and by a second implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from void.evaluation.metrics import psnr, score_clip, ssim_map
from void.evaluation.scores import MeanScore, Score, mean_scores
from void.quadmask import Quadmask


def halves(frames: int = 2, height: int = 16, width: int = 16) -> Quadmask:
    """Left quarter removed, second quarter affected (and a strip of overlap), right half kept."""
    primary = np.zeros((frames, height, width), bool)
    affected = np.zeros_like(primary)
    primary[:, :, :4] = True
    affected[:, :, 3:8] = True
    return Quadmask(primary, affected)


def grey(value: int, frames: int = 2, height: int = 16, width: int = 16) -> NDArray[np.uint8]:
    return np.full((frames, height, width, 3), value, np.uint8)


def reference_ssim(x_HW: NDArray[np.float64], y_HW: NDArray[np.float64]) -> NDArray[np.float64]:
    """SSIM of one channel from its definition: an explicit weighted sum over the 11 x 11 window of every pixel."""
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    x_padded, y_padded = np.pad(x_HW, 5, mode="reflect"), np.pad(y_HW, 5, mode="reflect")
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = np.empty_like(x_HW)
    for row, column in np.ndindex(*x_HW.shape):
        x, y = x_padded[row : row + 11, column : column + 11], y_padded[row : row + 11, column : column + 11]
        mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
        variance_x, variance_y = (weights * (x - mean_x) ** 2).sum(), (weights * (y - mean_y) ** 2).sum()
        covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
        values[row, column] = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
            (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
        )
    return values


@pytest.mark.parametrize(("error", "decibels"), [(255**2, 0.0), (1.0, 48.1308), (25.0, 34.1514)])
def test_psnr_of_known_errors(error: float, decibels: float) -> None:
    assert psnr(error) == pytest.approx(decibels, abs=1e-4)


def test_psnr_of_no_error_is_no_number() -> None:
    assert psnr(0.0) is None


def test_regions_are_scored_by_themselves() -> None:
    truth = grey(100)
    predicted = truth.copy()
    predicted[:, :, :4] += 10
    predicted[:, :, 4:8, 0] += 3
    scores = score_clip(predicted, truth, halves())
    assert scores["removed"].psnr == pytest.approx(10 * math.log10(255**2 / 100))
    assert scores["affected"].psnr == pytest.approx(10 * math.log10(255**2 / (9 / 3)))
    assert scores["kept"].exact
    assert scores["frame"].psnr == pytest.approx(10 * math.log10(255**2 / (100 / 4 + 3 / 4)))
    assert {name: score.pixels for name, score in scores.items()} == {
        "frame": 512,
        "removed": 128,
        "affected": 128,
        "kept": 256,
    }


def test_differences_do_not_wrap_around() -> None:
    scores = score_clip(grey(250), grey(10), halves())
    assert scores["frame"].psnr == pytest.approx(20 * math.log10(255 / 240))


def test_a_region_without_pixels_is_absent() -> None:
    empty = Quadmask(np.zeros((2, 16, 16), bool), np.zeros((2, 16, 16), bool))
    assert set(score_clip(grey(1), grey(2), empty)) == {"frame", "kept"}


def test_ssim_of_two_flat_greys() -> None:
    c1 = (0.01 * 255) ** 2
    expected = (2 * 80 * 120 + c1) / (80**2 + 120**2 + c1)
    assert score_clip(grey(80), grey(120), halves())["removed"].ssim == pytest.approx(expected, abs=1e-4)


def test_ssim_map_follows_the_definition() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (2, 16, 18, 3), dtype=np.uint8)
    noise = rng.integers(-60, 61, truth.shape)
    predicted = np.clip(truth.astype(int) + noise, 0, 255).astype(np.uint8)
    expected = np.stack(
        [
            np.mean(
                [reference_ssim(x[..., channel].astype(float), y[..., channel].astype(float)) for channel in range(3)],
                axis=0,
            )
            for x, y in zip(predicted, truth, strict=True)
        ]
    )
    found = ssim_map(predicted, truth)
    assert found.shape == (2, 16, 18)
    np.testing.assert_allclose(found, expected, atol=5e-4)
    assert not np.allclose(found[0], found[1], atol=0.01)


def test_ssim_does_not_depend_on_how_frames_are_grouped() -> None:
    rng = np.random.default_rng(1)
    truth, predicted = rng.integers(0, 256, (2, 11, 16, 16, 3), dtype=np.uint8)
    single = np.concatenate([ssim_map(predicted[i : i + 1], truth[i : i + 1]) for i in range(11)])
    # Variances are differences of squares up to 255^2, so of 11 x 11 terms they are off by about 0.1, of some thousand.
    np.testing.assert_allclose(ssim_map(predicted, truth), single, atol=2e-4)


def test_a_perfect_clip_is_exact_everywhere() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    scores = score_clip(truth, truth.copy(), halves())
    assert all(score.exact and score.psnr is None for score in scores.values())
    assert [score.ssim for score in scores.values()] == pytest.approx([1.0] * 4, abs=1e-4)


def test_means_leave_out_absent_regions_and_exact_clips() -> None:
    clips = [
        {"frame": Score(20.0, 0.5, 10), "removed": Score(10.0, 0.25, 4)},
        {"frame": Score(30.0, 0.75, 10), "removed": Score(None, 1.0, 4)},
        {"frame": Score(None, 1.0, 10)},
    ]
    assert mean_scores(clips) == {
        "frame": MeanScore(psnr=25.0, ssim=0.75, clips=3, exact=1),
        "removed": MeanScore(psnr=10.0, ssim=0.625, clips=2, exact=1),
    }


def test_the_mean_of_exact_clips_alone_has_no_psnr() -> None:
    assert mean_scores([{"frame": Score(None, 1.0, 3)}])["frame"] == MeanScore(None, 1.0, clips=1, exact=1)
