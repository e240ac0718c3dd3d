"""The cache of warped noise: what it holds, when it is reused, what is refused."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import TOY_FRAMES, TOY_HEIGHT, TOY_WIDTH, toy_pair

from void.cache.command import CACHE
from void.cache.noise import build_noise, open_noise
from void.config import VoidConfig
from void.data.fit import fit_frames
from void.data.randomness import child_seed
from void.errors import InputError
from void.layers import FLOW_FULL, FLOW_REMOVED
from void.noise.files import read_made_from, read_noise, write_noise
from void.noise.maker import NoiseMaker
from void.pairs import RGB_REMOVED, pair_row, read_manifest, write_manifest, write_pair
from void.pipelines.predictions import Prediction, Predictions, pair_fingerprint, write_predictions
from void.shapes import latent_shape
from void.video import read_video, write_video

Compose = Callable[..., VoidConfig]
SHAPE = latent_shape(TOY_FRAMES, TOY_HEIGHT, TOY_WIDTH)


@pytest.fixture
def compose(toy_config: Compose, tmp_path: Path) -> Compose:
    """A run of pass 2 with a cache of its own and a small canvas."""

    def compose_run(*overrides: str) -> VoidConfig:
        return toy_config(f"cache.root={tmp_path}/cache", "stage=pass2", "noise.canvas=8", *overrides)

    return compose_run


@pytest.fixture
def own_data(tmp_path: Path, toy_data: Path) -> Path:
    """A copy of the toy data that a test may damage."""
    return Path(shutil.copytree(toy_data, tmp_path / "data"))


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_pair_has_noise_in_latent_layout_that_says_what_made_it(compose: Compose) -> None:
    cfg = compose()
    built = build_noise(cfg)
    noise = open_noise(cfg)
    assert noise.key == built.key and noise.failures == {}
    for pair_id in ("toy-0", "toy-3"):
        noise_TChw = noise.entry(pair_id)
        assert noise_TChw.shape == SHAPE and noise_TChw.dtype == torch.float32
        # The clip stands still, so one latent frame holds all that is independent: four standard errors.
        assert abs(noise_TChw.std() - 1) < 4 / math.sqrt(2 * noise_TChw[0].numel())
        about = read_made_from(noise.folder / f"{pair_id}.safetensors")
        assert (about["frames"], about["height"], about["width"]) == (TOY_FRAMES, TOY_HEIGHT, TOY_WIDTH)
        assert (about["flow"], about["seed"], about["video"], about["pair"]) == ("dis", cfg.seed, "target", pair_id)
    assert not torch.equal(noise.entry("toy-0"), noise.entry("toy-1"))


def test_noise_follows_the_clip_that_is_asked_for(compose: Compose) -> None:
    still = build_noise(compose()).entry("toy-0")
    moving = build_noise(compose("noise.training_video=input")).entry("toy-0")
    assert torch.equal(still[0], still[1]), "the target stands still"
    assert torch.equal(moving[0], still[0]) and not torch.equal(moving[0], moving[1])


def test_noise_belongs_to_the_frames_and_the_crop_that_training_sees(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "wide"
    pair = toy_pair(0, frames=9, height=64, width=128)
    write_pair(data / "pairs" / "toy-0", pair)
    write_manifest(data, [pair_row(data, data / "pairs" / "toy-0", split="train")])
    cfg = compose(f"data.root={data}", "noise.training_video=input")
    found = build_noise(cfg).entry("toy-0")
    frames_THWC = read_video(data / "pairs" / "toy-0" / "rgb_full.mp4")[0][:TOY_FRAMES]
    maker = NoiseMaker(cfg.noise, cfg.recipe, torch.device("cpu"))
    seed = child_seed(cfg.seed, "training noise", "toy-0")
    expected = maker.from_clip(fit_frames(frames_THWC, TOY_HEIGHT, TOY_WIDTH), seed)
    assert torch.equal(found, expected)
    squeezed = maker.from_clip(np.ascontiguousarray(frames_THWC[:, ::2, ::2][:, :TOY_HEIGHT, :TOY_WIDTH]), seed)
    assert not torch.equal(found, squeezed)


def test_a_rerun_does_nothing_and_an_interrupted_run_continues(compose: Compose) -> None:
    cfg = compose()
    folder = build_noise(cfg).folder
    before = times(folder)
    build_noise(cfg)
    assert times(folder) == before
    whole = read_noise(folder / "toy-2.safetensors")
    (folder / "index.json").unlink()
    (folder / "toy-2.safetensors").unlink()
    with pytest.raises(InputError, match="is unfinished"):
        open_noise(cfg)
    build_noise(cfg)
    assert torch.equal(read_noise(folder / "toy-2.safetensors"), whole)
    assert times(folder)["toy-1.safetensors"] == before["toy-1.safetensors"]


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("seed=5", "seed is 5, was 0"),
        ("data.height=16", "height is 16, was 32"),
        ("noise.canvas=4", "canvas is 4, was 8"),
        ("noise.flow_downscale=1", "flow_downscale is 1, was 2"),
        ("noise.carry_offsets=false", "carry_offsets is False, was True"),
        ("noise.training_video=input", "video is input, was target"),
        ("cache.dtype=float16", "cache_dtype is float16, was float32"),
        ("recipe.noise_warp=released", "warp is released, was indexed"),
    ],
)
def test_noise_of_another_geometry_or_seed_is_not_taken(compose: Compose, override: str, named: str) -> None:
    build_noise(compose())
    with pytest.raises(InputError, match=named) as caught:
        open_noise(compose(override))
    assert "void cache" in caught.value.remedy


def test_noise_of_another_shape_in_its_place_is_an_error(compose: Compose) -> None:
    cfg = compose()
    noise = build_noise(cfg)
    file = noise.folder / "toy-1.safetensors"
    write_noise(file, torch.zeros(2, 16, 4, 8), {})
    with pytest.raises(InputError, match=r"toy-1.safetensors holds noise of shape \(2, 16, 4, 8\)"):
        noise.entry("toy-1")
    file.write_bytes(b"no noise")
    with pytest.raises(InputError, match="is not readable noise"):
        noise.entry("toy-1")


def test_training_that_lacks_noise_says_how_to_make_it(compose: Compose) -> None:
    with pytest.raises(InputError, match="holds no noise") as caught:
        open_noise(compose())
    assert "void cache" in caught.value.remedy


def test_the_command_makes_noise_for_the_second_pass_only(
    compose: Compose, toy_config: Compose, tmp_path: Path
) -> None:
    CACHE.run(toy_config(f"cache.root={tmp_path}/cache"))
    assert not (tmp_path / "cache" / "noise").exists()
    latents = [path for path in (tmp_path / "cache").iterdir() if path.name != "noise"]
    CACHE.run(compose())
    open_noise(compose())
    assert [path for path in (tmp_path / "cache").iterdir() if path.name != "noise"] == latents


def test_a_broken_clip_is_set_aside_within_the_budget(compose: Compose, own_data: Path) -> None:
    (own_data / "pairs" / "toy-1" / RGB_REMOVED).write_bytes(b"no video")
    with pytest.raises(InputError, match=r"1 pairs without noise are more than cache\.max_failures = 0"):
        build_noise(compose(f"data.root={own_data}"))
    noise = build_noise(compose(f"data.root={own_data}", "cache.max_failures=1"))
    assert list(noise.failures) == ["toy-1"] and noise.entry("toy-2").shape == SHAPE


def test_too_short_a_clip_is_named(compose: Compose) -> None:
    with pytest.raises(InputError, match=r"toy-0 has 5 frames, fewer than data.frames = 13"):
        build_noise(compose("data.frames=13"))


def test_noise_can_follow_the_first_pass(compose: Compose, toy_data: Path, tmp_path: Path) -> None:
    cfg = compose("noise.training_video=pass1", f"infer.pass2.first_pass={tmp_path}/first")
    with pytest.raises(InputError, match="there are no predictions"):
        build_noise(cfg)
    clips = []
    for row in read_manifest(toy_data):
        write_video(tmp_path / "first" / f"{row.id}.mp4", toy_pair(7).rgb_full_THWC, 12, crf=0)
        shape = {"frames": TOY_FRAMES, "height": TOY_HEIGHT, "width": TOY_WIDTH, "fps": 12.0, "caption": row.caption}
        clip = Prediction(row.id, f"{row.id}.mp4", "key", row.id, pair_fingerprint(row), 0, **shape)
        clips.append(clip)
    write_predictions(tmp_path / "first", Predictions("run", {"sha256": ""}, {}, {}, tuple(clips[:-1])))
    with pytest.raises(InputError, match=f"no result for pair {clips[-1].id}") as caught:
        build_noise(cfg)
    assert "infer.split=all" in caught.value.remedy
    write_predictions(tmp_path / "first", Predictions("run", {"sha256": ""}, {}, {}, tuple(clips)))
    noise = build_noise(cfg).entry("toy-0")
    assert not torch.equal(noise[0], noise[1]), "the target stands still; the first pass's result does not"


def test_noise_can_follow_simulated_flow(compose: Compose, tmp_path: Path) -> None:
    data, pair = tmp_path / "flowing", toy_pair(0, frames=9, height=64, width=128)
    still = np.zeros((8, 2, 64, 128), np.float32)
    moving = np.full_like(still, 4.0)
    flows = {FLOW_FULL: {"flow": still}, FLOW_REMOVED: {"flow": moving}}
    write_pair(data / "pairs" / "toy-0", replace(pair, layers=flows))
    write_manifest(data, [pair_row(data, data / "pairs" / "toy-0", split="train")])
    overrides = (f"data.root={data}", "noise.flow=simulator")
    target = build_noise(compose(*overrides)).entry("toy-0")
    # 4 pixels a frame at twice the size are 8 in four frames at the model's: one latent pixel down and to the right.
    torch.testing.assert_close(target[1][:, 1:, 1:], target[0][:, :-1, :-1])
    factual = build_noise(compose(*overrides, "noise.training_video=input")).entry("toy-0")
    assert torch.equal(factual[0], factual[1])


def test_simulated_flow_needs_pairs_that_have_it(compose: Compose) -> None:
    with pytest.raises(InputError, match=r"pair toy-0 .* has no flow_removed.npz") as caught:
        build_noise(compose("noise.flow=simulator"))
    assert "scene.flow=true" in caught.value.remedy
    with pytest.raises(InputError, match="contradict"):
        build_noise(compose("noise.flow=simulator", "noise.training_video=pass1"))


@pytest.mark.parametrize(
    "override",
    [
        "noise.canvas=0",
        "noise.flow_downscale=0",
        "noise.memory_gib=0",
        "noise.probability=1.5",
        "noise.degradation=-0.1",
        "noise.raft_weights=missing.safetensors",
    ],
)
def test_values_that_make_no_sense_are_refused(compose: Compose, override: str) -> None:
    with pytest.raises(InputError, match=override.split("=")[0]):
        build_noise(compose(override))
