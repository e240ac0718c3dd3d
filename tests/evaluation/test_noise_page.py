"""The noise page: what it measures, when it is written, and what it leaves out."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from void_run import IDS, scene, write_predicted, write_second_pass

from void.config import VoidConfig
from void.errors import InputError
from void.evaluation.evaluate import evaluate
from void.evaluation.noise_statistics import autocorrelation, correlations, whiteness
from void.evaluation.noise_view import noise_video
from void.evaluation.results import METRICS, NOISE_PAGE, REPORT
from void.files import read_json
from void.noise.files import write_noise
from void.noise.motion import Motion
from void.pipelines.predictions import noise_file
from void.recipe import Stage

TRUTHS = {name: scene(int(name[-1])).rgb_removed_THWC for name in IDS}


@pytest.fixture
def two_passes(run: VoidConfig) -> VoidConfig:
    run.stage.name = Stage.both
    write_second_pass(run, TRUTHS)
    return run


def white(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def shift(cells: int, latents: int, height: int, width: int) -> Motion:
    """Motion to the right by whole latent pixels from latent frame to latent frame."""
    flow_T2HW = torch.zeros(4 * (latents - 1), 2, 8 * height, 8 * width)
    flow_T2HW[:, 0] = 2.0 * cells
    return Motion(flow_T2HW, np.ones((len(flow_T2HW), 8 * height, 8 * width), bool))


def test_noise_that_moves_with_the_clip_is_followed() -> None:
    first_Chw = white(16, 12, 20)
    noise_TChw = torch.stack([torch.roll(first_Chw, index, dims=-1) for index in range(3)])
    along, in_place = correlations(noise_TChw, shift(1, 3, 12, 20))
    assert along == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)
    assert in_place[0] == pytest.approx(1.0, abs=1e-5)
    assert all(value is not None and abs(value) < 0.08 for value in in_place[1:])


def test_noise_that_stands_still_does_not_move() -> None:
    noise_TChw = white(16, 12, 20).expand(3, 16, 12, 20)
    along, in_place = correlations(noise_TChw, shift(1, 3, 12, 20))
    assert in_place == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)
    assert all(value is not None and abs(value) < 0.08 for value in along[1:])


def test_nothing_left_to_follow_has_no_correlation() -> None:
    along, _ = correlations(white(3, 16, 4, 4), shift(4, 3, 4, 4))
    assert along[0] == pytest.approx(1.0) and along[1:] == [None, None]


def test_white_noise_is_within_its_band() -> None:
    for one in whiteness(white(4, 16, 24, 32)):
        assert abs(one.mean - one.expected) < one.band
        assert one.low <= one.mean <= one.high


def test_blurred_noise_is_far_outside_of_it() -> None:
    smooth_TChw = torch.nn.functional.avg_pool2d(white(4, 16, 26, 34), 3, stride=1)
    _, deviation, beside, below = whiteness(smooth_TChw)
    assert deviation.mean == pytest.approx(1 / 3, abs=0.02)
    assert beside.mean == pytest.approx(2 / 3, abs=0.03) and below.mean == pytest.approx(2 / 3, abs=0.03)
    assert beside.low > 10 * beside.band


def test_the_autocorrelation_has_its_peak_in_the_centre() -> None:
    found = autocorrelation(white(6, 16, 24, 32), 5)
    assert found.shape == (11, 11) and found[5, 5] == pytest.approx(1.0)
    found[5, 5] = 0
    assert np.abs(found).max() < 0.03
    assert autocorrelation(white(1, 16, 6, 8), 20).shape == (5, 5)
    shifted_TChw = white(6, 16, 24, 32)
    twice = autocorrelation(shifted_TChw + torch.roll(shifted_TChw, 3, dims=-1), 5)
    assert twice[5, 8] == pytest.approx(0.5, abs=0.03) and twice[8, 5] == pytest.approx(0.0, abs=0.03)


def test_each_latent_frame_is_shown_with_the_frames_it_covers() -> None:
    noise_TChw = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 16, 2, 2) - 1
    frames_THWC = noise_video(noise_TChw, 9)
    assert frames_THWC.shape == (9, 16, 16, 3)
    values = frames_THWC[:, 0, 0, 0].tolist()
    assert values == [85, *[128] * 4, *[170] * 4]


def test_the_page_is_written_and_linked(two_passes: VoidConfig) -> None:
    evaluate(two_passes)
    root = Path(two_passes.eval.root)
    page = (root / NOISE_PAGE).read_text()
    assert page.count("<video") == len(IDS) * 3 and page.count("<polyline") == len(IDS) * 2
    assert 'href="noise.html"' in (root / REPORT).read_text() and 'href="report.html"' in page
    assert NOISE_PAGE in read_json(root / METRICS)["files"]


def test_the_page_asks_the_network_for_nothing(two_passes: VoidConfig) -> None:
    evaluate(two_passes)
    text = (Path(two_passes.eval.root) / NOISE_PAGE).read_text()
    page = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<link[^>]+stylesheet|<script[^>]+src|fetch\(|<iframe", page)
    addresses = set(re.findall(r'(?:src|href)="([^"]*)"', page))
    assert {address for address in addresses if not address.startswith("data:")} == {"report.html"}


def test_without_noise_there_is_no_page(two_passes: VoidConfig) -> None:
    evaluate(two_passes)
    for name in IDS:
        noise_file(Path(two_passes.infer.pass2.root), name).unlink()
    evaluate(two_passes)
    root = Path(two_passes.eval.root)
    assert not (root / NOISE_PAGE).exists() and NOISE_PAGE not in (root / REPORT).read_text()


@pytest.mark.parametrize("change", ["noise", "page", "nothing"])
def test_a_rerun_sees_changed_noise(two_passes: VoidConfig, change: str) -> None:
    evaluate(two_passes)
    root = Path(two_passes.eval.root)
    before = {path.name: path.read_bytes() for path in root.iterdir()}
    if change == "noise":
        for name in IDS:
            file = noise_file(Path(two_passes.infer.pass2.root), name)
            write_noise(file, white(2, 16, 6, 8, seed=3), {"video": "target"})
    elif change == "page":
        (root / NOISE_PAGE).unlink()
    evaluate(two_passes)
    after = {path.name: path.read_bytes() for path in root.iterdir()}
    assert set(after) == set(before)
    assert (after[NOISE_PAGE] == before[NOISE_PAGE]) == (change != "noise")
    assert (after[METRICS] == before[METRICS]) == (change == "nothing") or change == "page"


def test_noise_of_a_clip_that_is_gone_is_left_out(two_passes: VoidConfig, caplog: pytest.LogCaptureFixture) -> None:
    write_predicted(two_passes, {name: frames[:, ::-1] for name, frames in TRUTHS.items()})
    with caplog.at_level(logging.WARNING):
        evaluate(two_passes)
    assert "not on the noise page" in caplog.text
    assert not (Path(two_passes.eval.root) / NOISE_PAGE).exists()


def test_damaged_noise_is_refused(two_passes: VoidConfig) -> None:
    file = noise_file(Path(two_passes.infer.pass2.root), IDS[0])
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(InputError, match=IDS[0]):
        evaluate(two_passes)
