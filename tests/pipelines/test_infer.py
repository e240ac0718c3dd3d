"""`void infer` from pairs and a checkpoint to clips: what it writes, skips, makes again, and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from toy import TOY_FRAMES, toy_pair, write_toy_data

from void.config import VoidConfig
from void.data.fit import fit_pair
from void.errors import InputError
from void.files import read_json, sha256_file, write_json
from void.ledger import LEDGER
from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_transformer, build_vae
from void.pairs import read_manifest, read_pair, write_manifest
from void.pipelines import networks
from void.pipelines.infer import infer
from void.pipelines.predictions import INDEX, clip_seed, read_predictions
from void.pipelines.sampler import Sampler
from void.pipelines.void_pipeline import VoidPipeline
from void.recipe import MaskLevels
from void.video import encode_mp4, read_video

STEPS = 2
SIDE = 16


@pytest.fixture
def config(toy_config: Callable[..., VoidConfig], tmp_path: Path) -> VoidConfig:
    """One train and three held-out pairs, an untrained model with a VAE of few channels, two denoising steps."""
    data = write_toy_data(tmp_path / "data", train=1, val=3)
    return toy_config(
        f"data.root={data}",
        f"data.height={SIDE}",
        f"data.width={SIDE}",
        "model.vae.block_out_channels=[4,4,4,4]",
        "model.vae.norm_num_groups=2",
        "model.vae_weights=null",
        "infer.checkpoint=none",
        f"infer.steps={STEPS}",
    )


def clips(config: VoidConfig) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in Path(config.infer.root).glob("*.mp4")}


def times(config: VoidConfig) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in Path(config.infer.root).iterdir()}


def save_checkpoint(config: VoidConfig, step: int, seed: int = 0) -> Path:
    """What training leaves, as far as inference reads it."""
    folder = Path(config.training.root) / "checkpoints" / f"step-{step:06d}"
    config.model.init_seed = seed
    build_transformer(config.model).save_pretrained(folder / "transformer")
    config.model.init_seed = 0
    write_json(folder / "trainer.json", {"step": step})
    return folder


def test_one_clip_a_pair_and_an_index(config: VoidConfig) -> None:
    infer(config)
    root = Path(config.infer.root)
    assert {path.name for path in root.iterdir()} == {INDEX, LEDGER, "toy-1.mp4", "toy-2.mp4", "toy-3.mp4"}
    predictions = read_predictions(root)
    assert [clip.id for clip in predictions.clips] == ["toy-1", "toy-2", "toy-3"]
    for clip in predictions.clips:
        frames_THWC, fps = read_video(root / clip.file)
        assert frames_THWC.shape == (TOY_FRAMES, SIDE, SIDE, 3)
        assert (clip.frames, clip.height, clip.width, clip.fps) == (TOY_FRAMES, SIDE, SIDE, fps)
        assert clip.sha256 == sha256_file(root / clip.file)
        assert clip.caption == toy_pair(int(clip.id[-1])).metadata["caption"]
        assert clip.seed == clip_seed(config.infer.seed, clip.id)
    assert predictions.settings["infer"]["steps"] == STEPS
    assert predictions.checkpoint["step"] is None
    assert len({clip.seed for clip in predictions.clips}) == len({clip.key for clip in predictions.clips}) == 3


def test_the_clip_is_what_the_pipeline_makes_of_the_pair(config: VoidConfig) -> None:
    infer(config)
    pipeline = VoidPipeline(
        build_transformer(config.model).eval(),
        build_vae(config.model),
        build_scheduler(config.model),
        build_tokenizer(config.model),
        build_text_encoder(config.model),
    )
    row = next(row for row in read_manifest(Path(config.data.root)) if row.id == "toy-2")
    pair = fit_pair(read_pair(Path(config.data.root) / row.path), config.data, row.id)
    expected = pipeline(
        row.caption,
        video=pair.rgb_full_THWC,
        quadmask=pair.quadmask,
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(clip_seed(config.infer.seed, "toy-2")),
    ).frames[0]
    assert clips(config)["toy-2"] == encode_mp4(expected, pair.fps, crf=config.infer.crf)


def test_results_do_not_depend_on_order_or_limit(config: VoidConfig) -> None:
    infer(config)
    together = clips(config)
    data = Path(config.data.root)
    write_manifest(data, list(reversed(read_manifest(data))))
    config.infer.root += "-again"
    config.infer.limit = 1
    infer(config)
    assert set(clips(config)) == {"toy-3"}
    config.infer.limit = None
    infer(config)
    assert clips(config) == together
    assert [clip.id for clip in read_predictions(Path(config.infer.root)).clips] == ["toy-3", "toy-2", "toy-1"]


def test_a_rerun_touches_nothing_and_loads_no_network(config: VoidConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    infer(config)
    before = times(config)
    monkeypatch.setattr("void.pipelines.sampler.Sampler.__init__", None)
    infer(config)
    assert times(config) == before


def test_a_smaller_limit_keeps_what_is_done(config: VoidConfig) -> None:
    infer(config)
    before = times(config)
    config.infer.limit = 1
    infer(config)
    assert times(config) == before


@pytest.mark.parametrize(
    "change",
    ["infer.steps", "infer.seed", "infer.crf", "infer.guidance_scale", "recipe.mask_levels", "model.init_seed"],
)
def test_other_settings_make_every_clip_again(config: VoidConfig, change: str) -> None:
    infer(config)
    before = times(config)
    group, name = change.split(".")
    values = {"steps": 1, "seed": 7, "crf": 30, "guidance_scale": 2.0, "mask_levels": MaskLevels.binary, "init_seed": 5}
    setattr(getattr(config, group), name, values[name])
    infer(config)
    after = times(config)
    assert before.keys() == after.keys()
    assert all(after[name] != before[name] for name in before)


def test_only_what_changed_is_made_again(config: VoidConfig) -> None:
    infer(config)
    before = clips(config)
    old_times = times(config)
    root = Path(config.infer.root)
    (root / "toy-1.mp4").unlink()
    (root / "toy-2.mp4").write_bytes(b"damaged")
    # Changed bytes are not the run's own any more: they are not replaced, but once they are gone.
    assert str(root / "toy-2.mp4") in refusal(config).problem
    assert (root / "toy-2.mp4").read_bytes() == b"damaged" and not (root / "toy-1.mp4").exists()
    (root / "toy-2.mp4").unlink()
    infer(config)
    assert clips(config) == before
    assert times(config)["toy-3.mp4"] == old_times["toy-3.mp4"]


def test_a_pair_generated_anew_is_predicted_anew(config: VoidConfig) -> None:
    infer(config)
    before = times(config)
    manifest = Path(config.data.root) / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace("an empty floor, number 2", "another caption"))
    infer(config)
    after = times(config)
    assert after["toy-1.mp4"] == before["toy-1.mp4"]
    assert after["toy-2.mp4"] != before["toy-2.mp4"]
    assert read_predictions(Path(config.infer.root)).clips[1].caption == "another caption"


def test_an_interrupted_run_keeps_what_it_finished(config: VoidConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    predict = Sampler.predict

    def interrupted(self, source, *arguments, **options):
        if source.id == "toy-2":
            raise KeyboardInterrupt
        return predict(self, source, *arguments, **options)

    monkeypatch.setattr(Sampler, "predict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        infer(config)
    assert {path.name for path in Path(config.infer.root).iterdir()} == {INDEX, LEDGER, "toy-1.mp4"}
    first = times(config)["toy-1.mp4"]
    monkeypatch.undo()
    infer(config)
    assert times(config)["toy-1.mp4"] == first
    interrupted_then_finished = clips(config)
    config.infer.root += "-whole"
    infer(config)
    assert clips(config) == interrupted_then_finished


def test_the_newest_checkpoint_is_used_and_recorded(config: VoidConfig) -> None:
    config.infer.checkpoint = "latest"
    save_checkpoint(config, 1, seed=1)
    newest = save_checkpoint(config, 2, seed=2)
    infer(config)
    first = clips(config)
    record = read_json(Path(config.infer.root) / INDEX)["checkpoint"]
    assert (record["path"], record["step"]) == (str(newest), 2)
    config.infer.checkpoint = str(newest)
    before = times(config)
    infer(config)
    assert times(config) == before, "the same weights by another name are the same clips"
    save_checkpoint(config, 3, seed=3)
    config.infer.checkpoint = "latest"
    infer(config)
    assert read_json(Path(config.infer.root) / INDEX)["checkpoint"]["step"] == 3
    assert all(first[name] != data for name, data in clips(config).items())


def test_each_distinct_prompt_is_encoded_once(config: VoidConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    encode = networks.encode_text

    def counted(texts, *rest):
        seen.extend(texts)
        return encode(texts, *rest)

    monkeypatch.setattr(networks, "encode_text", counted)
    manifest = Path(config.data.root) / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace("number 2", "number 3"))
    infer(config)
    assert sorted(seen) == ["", "an empty floor, number 1", "an empty floor, number 3"]


def refusal(config: VoidConfig) -> InputError:
    with pytest.raises(InputError) as caught:
        infer(config)
    return caught.value


def test_no_checkpoint(config: VoidConfig) -> None:
    config.infer.checkpoint = "latest"
    assert "void train" in refusal(config).remedy


def test_a_checkpoint_folder_that_is_none(config: VoidConfig) -> None:
    config.infer.checkpoint = "no/such/step-000001"
    error = refusal(config)
    assert "no/such/step-000001" in error.problem and "latest" in error.remedy


def test_an_unknown_split(config: VoidConfig) -> None:
    config.infer.split = "tset"
    error = refusal(config)
    assert "tset" in error.problem
    assert "val" in error.problem + error.remedy


@pytest.mark.parametrize(
    ("key", "value"), [("infer.limit", 0), ("infer.steps", 0), ("infer.guidance_scale", 0.5), ("data.frames", 6)]
)
def test_impossible_settings(config: VoidConfig, key: str, value: float) -> None:
    group, name = key.split(".")
    setattr(getattr(config, group), name, value)
    assert str(value) in refusal(config).problem
    assert not clips(config)


def test_an_impossible_setting_costs_no_finished_clip(config: VoidConfig) -> None:
    infer(config)
    before = clips(config)
    config.infer.steps = 0
    assert "infer.steps must be at least 1, got 0" in refusal(config).problem
    assert clips(config) == before != {}


def test_a_pair_that_is_too_short(config: VoidConfig) -> None:
    config.data.frames = 13
    error = refusal(config)
    assert "toy-1" in error.problem and "13" in error.problem


def test_a_diverged_checkpoint(config: VoidConfig) -> None:
    folder = save_checkpoint(config, 1)
    file = next((folder / "transformer").glob("*.safetensors"))
    save_file({name: torch.full_like(tensor, float("nan")) for name, tensor in load_file(file).items()}, file)
    config.infer.checkpoint = str(folder)
    error = refusal(config)
    assert "toy-1" in error.problem and "diverged" in error.remedy
    assert not clips(config)


def test_an_index_of_another_schema_is_not_overwritten(config: VoidConfig) -> None:
    write_json(Path(config.infer.root) / INDEX, {"schema": 99, "kind": "void-predictions"})
    assert "99" in refusal(config).problem
    assert read_json(Path(config.infer.root) / INDEX)["schema"] == 99
