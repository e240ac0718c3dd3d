"""A queue of `void infer`: what is wrong is found before networks are built, and what is broken stops nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pipelines.user_clips import user_mask, write_clip
from safetensors.torch import save_file
from toy import write_toy_data

from void.config import VoidConfig
from void.errors import InputError
from void.ledger import LEDGER
from void.pipelines import clip_masks, networks
from void.pipelines import clips as clip_reading
from void.pipelines.config import Memory
from void.pipelines.infer import infer
from void.pipelines.predictions import INDEX, Prediction, read_predictions
from void.pipelines.sampler import Sampler
from void.pipelines.sources import Source
from void.video import write_mask, write_video

FAST = (
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "infer.checkpoint=none",
    "infer.pass2.checkpoint=none",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
    "noise.canvas=8",
    "data.height=32",
    "data.width=48",
)

Compose = Callable[..., VoidConfig]


@pytest.fixture
def no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any network that is built is one too many."""

    def refused(*arguments: object, **options: object) -> None:
        raise AssertionError("a network was built")

    for name in ("build_text_encoder", "build_vae"):
        monkeypatch.setattr(networks, name, refused)
    monkeypatch.setattr(networks.weights, "load", refused)


def broken_mask(folder: Path) -> None:
    write_mask(folder / "quadmask_0.mp4", user_mask(5, 32, 48), 24)


def broken_video(folder: Path) -> None:
    (folder / "input_video.mp4").write_bytes(b"no video")


def broken_prompt(folder: Path) -> None:
    (folder / "prompt.json").write_text("{}")


def queue(root: Path, *names: str) -> Path:
    for name in names:
        write_clip(root / name)
    return root


@pytest.mark.parametrize("spoil", [broken_mask, broken_video, broken_prompt])
def test_a_broken_folder_does_not_stop_the_others(
    tmp_path: Path, toy_config: Compose, spoil: Callable[[Path], None]
) -> None:
    folder = queue(tmp_path / "in", "a", "b", "c")
    spoil(folder / "b")
    config = toy_config(*FAST, f"infer.input={folder}")
    with pytest.raises(InputError, match=r"1 of 3 could not be sampled:\n  b: ") as caught:
        infer(config)
    assert "run the same command again" in caught.value.remedy
    root = Path(config.infer.root)
    assert [clip.id for clip in read_predictions(root).clips] == ["a", "c"]
    made = {file.name: file.stat().st_mtime_ns for file in root.glob("*.mp4")}
    shutil.rmtree(folder / "b")
    write_clip(folder / "b")
    infer(config)
    assert [clip.id for clip in read_predictions(root).clips] == ["a", "b", "c"]
    assert {name: (root / name).stat().st_mtime_ns for name in made} == made


def test_the_earlier_result_of_a_clip_that_broke_stays(tmp_path: Path, toy_config: Compose) -> None:
    folder = queue(tmp_path / "in", "a", "b")
    config = toy_config(*FAST, f"infer.input={folder}")
    infer(config)
    root = Path(config.infer.root)
    before = (root / "b.mp4").read_bytes()
    broken_video(folder / "b")
    (root / "a.mp4").unlink()
    with pytest.raises(InputError, match=r"1 of 2 could not be sampled"):
        infer(config)
    assert (root / "b.mp4").read_bytes() == before
    assert [clip.id for clip in read_predictions(root).clips] == ["a", "b"]


def test_a_mask_that_only_its_frames_betray_is_a_fault_of_its_clip(tmp_path: Path, toy_config: Compose) -> None:
    folder = queue(tmp_path / "in", "a", "b")
    grey_THWC = np.full((7, 32, 48, 3), 160, np.uint8)
    write_video(folder / "a" / "quadmask_0.mp4", grey_THWC, 24, crf=0)
    config = toy_config(*FAST, f"infer.input={folder}", "stage=both")
    with pytest.raises(InputError, match=r"1 of 2 could not be sampled:\n  a: .*quadmask_0.mp4"):
        infer(config)
    for root in (config.infer.root, config.infer.pass2.root):
        assert [clip.id for clip in read_predictions(Path(root)).clips] == ["b"]


def test_a_second_command_over_a_folder_is_refused_while_one_samples(
    tmp_path: Path, toy_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a', 'b')}")
    predict = Sampler.predict
    refused: list[str] = []

    def interrupted(self: Sampler, source: Source, *arguments: Any, **options: Any) -> Prediction:
        assert source.id not in refused
        refused.append(source.id)
        with pytest.raises(InputError, match=f"another process is writing to {config.infer.root}"):
            infer(config)
        return predict(self, source, *arguments, **options)

    monkeypatch.setattr(Sampler, "predict", interrupted)
    infer(config)
    assert refused == ["a", "b"]
    assert [clip.id for clip in read_predictions(Path(config.infer.root)).clips] == ["a", "b"]
    infer(config)
    assert refused == ["a", "b"]


@pytest.mark.usefixtures("no_networks")
def test_where_nothing_can_be_sampled_no_network_is_built(tmp_path: Path, toy_config: Compose) -> None:
    folder = queue(tmp_path / "in", "a", "b")
    broken_mask(folder / "a")
    broken_prompt(folder / "b")
    config = toy_config(*FAST, f"infer.input={folder}")
    with pytest.raises(InputError) as caught:
        infer(config)
    assert "2 of 2 could not be sampled" in caught.value.problem
    assert "a/quadmask_0.mp4 has 5 frames" in caught.value.problem and "b/prompt.json" in caught.value.problem
    config.infer.input = str(folder / "a")
    with pytest.raises(InputError, match=r"^\S*a/quadmask_0.mp4 has 5 frames"):
        infer(config)
    assert not Path(config.infer.root).exists()


def test_a_broken_pair_does_not_stop_the_others(tmp_path: Path, toy_config: Compose) -> None:
    data = write_toy_data(tmp_path / "data", train=1, val=3)
    (data / "pairs" / "toy-2" / "mask.mp4").unlink()
    config = toy_config(*FAST, f"data.root={data}")
    with pytest.raises(InputError, match=r"1 of 3 could not be sampled:\n  toy-2: .*has no mask\.mp4"):
        infer(config)
    assert [clip.id for clip in read_predictions(Path(config.infer.root)).clips] == ["toy-1", "toy-3"]


@pytest.mark.usefixtures("no_networks")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("attention", "nonsense"),
        ("lora", "foreign.safetensors"),
        ("checkpoint", "foreign.safetensors"),
        ("memory", Memory.model_offload),
    ],
)
def test_what_is_wrong_with_networks_is_found_without_them(
    tmp_path: Path, toy_config: Compose, key: str, value: object
) -> None:
    config = toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a')}")
    if isinstance(value, str) and value.endswith("safetensors"):
        value = str(tmp_path / value)
        name = "transformer.nowhere.lora_A.weight" if key == "lora" else "transformer_blocks.0.nothing"
        save_file({name: torch.zeros(2, 2)}, value)
    setattr(config.infer, key, value)
    with pytest.raises(InputError) as caught:
        infer(config)
    assert str(getattr(value, "value", value)) in caught.value.problem
    assert not Path(config.infer.root).exists()


@pytest.mark.usefixtures("no_networks")
def test_a_device_that_is_not_there_is_found_without_networks(tmp_path: Path, toy_config: Compose) -> None:
    config = toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a')}", "device=cuda:7")
    with pytest.raises(InputError, match="device=cuda:7"):
        infer(config)


@pytest.mark.usefixtures("no_networks")
@pytest.mark.parametrize("name", ["a.mp4", "strips/a.mp4"])
def test_a_file_of_another_program_is_never_replaced(tmp_path: Path, toy_config: Compose, name: str) -> None:
    config = toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a')}")
    foreign = Path(config.infer.root) / name
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"mine")
    with pytest.raises(InputError, match=name) as caught:
        infer(config)
    assert foreign.read_bytes() == b"mine" and "infer.root=PATH" in caught.value.remedy


@pytest.mark.usefixtures("no_networks")
@pytest.mark.parametrize("name", ["strips", "predictions.json/notes"])
def test_what_has_the_name_of_an_own_part_and_is_none_is_found_without_networks(
    tmp_path: Path, toy_config: Compose, name: str
) -> None:
    config = toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a')}")
    foreign = Path(config.infer.root) / name
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"(strips is not a folder|predictions.json is a folder, not a file)"):
        infer(config)
    assert foreign.read_bytes() == b"mine"


@pytest.mark.usefixtures("no_networks")
@pytest.mark.parametrize("name", ["a.mp4", "strips/a.mp4", "noise/a.safetensors", "morphing/a.json"])
def test_the_second_passs_folder_is_looked_at_before_the_first_pass(
    tmp_path: Path, toy_config: Compose, name: str
) -> None:
    config = toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a')}", "stage=both")
    foreign = Path(config.infer.pass2.root) / name
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"mine")
    with pytest.raises(InputError, match=name):
        infer(config)
    assert foreign.read_bytes() == b"mine"


@pytest.mark.usefixtures("no_networks")
def test_the_users_own_clip_is_never_replaced(tmp_path: Path, toy_config: Compose) -> None:
    """A folder that is called as its clip is, and that is the root as well."""
    folder = write_clip(tmp_path / "input_video")
    before = (folder / "input_video.mp4").read_bytes()
    config = toy_config(*FAST, f"infer.input={folder}", f"infer.root={folder}")
    with pytest.raises(InputError, match=r"input_video\.mp4 would be replaced"):
        infer(config)
    assert (folder / "input_video.mp4").read_bytes() == before
    assert {file.name for file in folder.iterdir()} - {LEDGER} == {"input_video.mp4", "quadmask_0.mp4", "prompt.json"}


def test_a_result_that_was_changed_is_not_deleted_as_stale(
    tmp_path: Path, toy_config: Compose, caplog: pytest.LogCaptureFixture
) -> None:
    data = write_toy_data(tmp_path / "data", train=1, val=2)
    config = toy_config(*FAST, f"data.root={data}")
    infer(config)
    changed = Path(config.infer.root) / "toy-2.mp4"
    changed.write_bytes(b"edited")
    config.infer.seed, config.infer.limit = 9, 1
    infer(config)
    assert changed.read_bytes() == b"edited"
    assert f"kept: {changed}" in caplog.text
    assert [clip.id for clip in read_predictions(changed.parent).clips] == ["toy-1"]


def test_a_run_that_is_killed_between_the_index_and_the_names_goes_on(
    tmp_path: Path, toy_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both the old bytes and the new ones are known to be the run's own."""
    config = toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a')}")
    infer(config)
    root = Path(config.infer.root)
    first = (root / "a.mp4").read_bytes()
    config.infer.seed = 9
    replace = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if Path(target) == root / "a.mp4":
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        infer(config)
    monkeypatch.undo()
    assert (root / "a.mp4").read_bytes() == first
    infer(config)
    assert (root / "a.mp4").read_bytes() != first
    assert {path.name for path in root.iterdir()} - {LEDGER} == {INDEX, "a.mp4", "strips"}


def test_a_clip_is_decoded_once_for_both_passes_and_the_score(
    tmp_path: Path, toy_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    iterate = clip_reading.iter_video

    def counted(path: Path, **options: object) -> object:
        decoded.append(Path(path).name)
        return iterate(path, **options)

    for module in (clip_reading, clip_masks):
        monkeypatch.setattr(module, "iter_video", counted)
    infer(toy_config(*FAST, f"infer.input={queue(tmp_path / 'in', 'a')}", "stage=both"))
    assert sorted(decoded) == ["input_video.mp4", "quadmask_0.mp4"]
