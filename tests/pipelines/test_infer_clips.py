"""`void infer` on a user's folder."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pipelines.user_clips import write_clip
from toy import write_toy_data

from void.config import VoidConfig
from void.errors import InputError
from void.evaluation.evaluate import evaluate
from void.pipelines.config import Memory
from void.pipelines.infer import infer
from void.pipelines.predictions import INDEX, clip_seed, read_predictions
from void.pipelines.settings import sampling_settings
from void.quadmask import Quadmask
from void.video import probe, write_mask

SHARED = Path(__file__).parents[2] / "../shared"
FAST = (
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "infer.checkpoint=none",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
    "data.height=32",
    "data.width=48",
)

Compose = Callable[..., VoidConfig]


def files(config: VoidConfig) -> dict[str, int]:
    root = Path(config.infer.root)
    return {str(file.relative_to(root)): file.stat().st_mtime_ns for file in root.rglob("[!.]*") if file.is_file()}


@pytest.mark.parametrize(("frames", "size"), [(3, (32, 48)), (7, (50, 90)), (90, (32, 48)), (205, (32, 48))])
def test_any_length_comes_back_as_it_was(
    tmp_path: Path, toy_config: Compose, frames: int, size: tuple[int, int]
) -> None:
    folder = write_clip(tmp_path / "clip", frames, *size, fps=25)
    config = toy_config(*FAST, f"infer.input={folder}")
    infer(config)
    written = probe(Path(config.infer.root) / "clip.mp4")
    assert (written.frames, written.height, written.width, written.fps) == (frames, *size, 25)
    assert probe(Path(config.infer.root) / "strips" / "clip.mp4").frames == frames


def test_reruns_skip_and_stale_clips_are_made_again(tmp_path: Path, toy_config: Compose) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "in" / name)
    config = toy_config(*FAST, f"infer.input={tmp_path / 'in'}")
    infer(config)
    first = files(config)
    assert set(first) == {INDEX, "a.mp4", "b.mp4", "strips/a.mp4", "strips/b.mp4"}
    infer(config)
    assert files(config) == first
    (tmp_path / "in" / "b" / "prompt.json").write_text('{"bg": "another wall"}')
    infer(config)
    second = files(config)
    assert second["a.mp4"] == first["a.mp4"] and second["b.mp4"] != first["b.mp4"]
    assert [clip.source for clip in read_predictions(Path(config.infer.root)).clips] == ["clip", "clip"]


def test_shards_share_the_clips(tmp_path: Path, toy_config: Compose) -> None:
    for name in ("a", "b", "c"):
        write_clip(tmp_path / "in" / name)
    config = toy_config(*FAST, f"infer.input={tmp_path / 'in'}", "infer.num_shards=2")
    root = Path(config.infer.root)
    infer(config)
    assert [clip.id for clip in read_predictions(root).clips] == ["a", "c"]
    config.infer.shard = 1
    infer(config)
    assert [clip.id for clip in read_predictions(root).clips] == ["a", "b", "c"]
    made = {name: time for name, time in files(config).items() if name.endswith("mp4")}
    config.infer.shard, config.infer.num_shards = 0, 1
    infer(config)
    assert {name: time for name, time in files(config).items() if name.endswith("mp4")} == made
    assert not list(root.glob("predictions-*"))


def test_shards_of_other_settings_replace_an_earlier_run(tmp_path: Path, toy_config: Compose) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "in" / name)
    config = toy_config(*FAST, f"infer.input={tmp_path / 'in'}")
    root = Path(config.infer.root)
    infer(config)
    config.infer.seed, config.infer.num_shards = 7, 2
    for config.infer.shard in (0, 1):
        infer(config)
    assert [(clip.id, clip.seed) for clip in read_predictions(root).clips] == [
        (name, clip_seed(7, name)) for name in ("a", "b")
    ]


def test_shards_share_pairs_too(tmp_path: Path, toy_config: Compose) -> None:
    data = write_toy_data(tmp_path / "data", train=1, val=3)
    config = toy_config(*FAST, f"data.root={data}", "infer.num_shards=2", "infer.shard=1")
    infer(config)
    assert [clip.id for clip in read_predictions(Path(config.infer.root)).clips] == ["toy-2"]


def test_every_clip_may_start_from_one_noise(tmp_path: Path, toy_config: Compose) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "in" / name)
    config = toy_config(*FAST, f"infer.input={tmp_path / 'in'}", "recipe.seed_per_clip=false", "infer.seed=5")
    infer(config)
    assert [clip.seed for clip in read_predictions(Path(config.infer.root)).clips] == [5, 5]
    assert len({(Path(config.infer.root) / f"{name}.mp4").read_bytes() for name in ("a", "b")}) == 1


def test_where_files_are_and_how_memory_is_used_change_no_key(tmp_path: Path, toy_config: Compose) -> None:
    config = toy_config(*FAST, f"infer.input={write_clip(tmp_path / 'a')}")
    before = sampling_settings(config)
    config.model.released_root, config.model.weights_root = "elsewhere", "elsewhere"
    config.infer.windows_per_batch, config.infer.memory = 3, Memory.model_offload
    assert sampling_settings(config) == before
    config.recipe.trim_padding = False
    assert sampling_settings(config) != before


def test_a_users_clips_cannot_be_scored(tmp_path: Path, toy_config: Compose) -> None:
    config = toy_config(*FAST, f"infer.input={write_clip(tmp_path / 'a')}")
    infer(config)
    with pytest.raises(InputError, match="no ground truth"):
        evaluate(config)


def test_a_reversed_mask_is_pointed_out(tmp_path: Path, toy_config: Compose, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_clip(tmp_path / "a", 5, 48, 32)
    everything = np.ones((5, 48, 32), bool)
    everything[:, 20:28, 10:20] = False
    write_mask(folder / "quadmask_0.mp4", Quadmask(everything, np.zeros_like(everything)), 24)
    infer(toy_config(*FAST, f"infer.input={folder}"))
    assert caplog.text.count("it seems reversed") == 1
    assert str(folder / "quadmask_0.mp4") in caplog.text


def test_other_clips_join_the_folder_under_the_same_settings_only(tmp_path: Path, toy_config: Compose) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "in" / name)
    config = toy_config(*FAST, f"infer.input={tmp_path / 'in' / 'a'}")
    infer(config)
    first = files(config)
    config.infer.input = str(tmp_path / "in" / "b")
    infer(config)
    assert files(config)["a.mp4"] == first["a.mp4"]
    assert [clip.id for clip in read_predictions(Path(config.infer.root)).clips] == ["a", "b"]
    before = files(config)
    config.infer.seed = 9
    with pytest.raises(InputError, match=r"another clip, a, of other settings") as caught:
        infer(config)
    assert "infer.root" in caught.value.remedy
    assert files(config) == before


def test_results_of_pairs_are_not_given_up_for_clips(tmp_path: Path, toy_config: Compose) -> None:
    data = write_toy_data(tmp_path / "data", train=1, val=1)
    config = toy_config(*FAST, f"data.root={data}")
    infer(config)
    before = files(config)
    config.infer.input = str(write_clip(tmp_path / "a"))
    with pytest.raises(InputError, match="results of a run over pairs"):
        infer(config)
    assert files(config) == before


@pytest.mark.parametrize(
    "broken",
    [
        {"attention": "nonsense"},
        {"lora": "no/such.safetensors"},
        {"checkpoint": "no/such.safetensors"},
        {"lora_scale": math.nan},
    ],
)
def test_a_run_that_cannot_begin_costs_no_result(
    tmp_path: Path, toy_config: Compose, broken: dict[str, object]
) -> None:
    config = toy_config(*FAST, f"infer.input={write_clip(tmp_path / 'a')}")
    infer(config)
    before = files(config)
    for key, value in broken.items():
        setattr(config.infer, key, value)
    with pytest.raises(InputError, match=rf"infer\.{next(iter(broken))}"):
        infer(config)
    assert files(config) == before


@pytest.mark.parametrize(
    ("key", "value"),
    [("num_shards", 0), ("shard", 1), ("shard", -1), ("window", 22), ("overlap", 12), ("windows_per_batch", 0)],
)
def test_impossible_settings(tmp_path: Path, toy_config: Compose, key: str, value: int) -> None:
    config = toy_config(*FAST, f"infer.input={write_clip(tmp_path / 'a')}")
    setattr(config.infer, key, value)
    with pytest.raises(InputError, match=rf"infer\.{key} .*{value}"):
        infer(config)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_the_released_samples(toy_config: Compose) -> None:
    config = toy_config(*FAST, f"infer.input={SHARED / 'samples'}", "infer.crf=40")
    infer(config)
    for name in ("BigBen", "lime"):
        given = probe(SHARED / "samples" / name / "input_video.mp4")
        assert probe(Path(config.infer.root) / f"{name}.mp4") == given
