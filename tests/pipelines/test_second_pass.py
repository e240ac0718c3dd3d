"""`void infer` with a second pass: what drives its noise, what it writes, keeps, makes again and refuses."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pipelines.user_clips import user_frames, write_clip
from toy import TOY_FRAMES, toy_pair, write_toy_data

from void.conditioning import rgb_video
from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json
from void.models.build import build_scheduler, build_transformer, build_vae
from void.noise.files import read_made_from, read_noise
from void.noise.maker import NoiseMaker
from void.noise.morphing import Morphing, Obstacle
from void.pipelines import second_pass
from void.pipelines.clips import mirrored
from void.pipelines.infer import infer
from void.pipelines.predictions import INDEX, read_predictions
from void.pipelines.second_pass import SecondPass, noise_seed
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask
from void.shapes import latent_frames
from void.video import probe, read_video, write_video

SIDE = 32
SMALL = (
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "infer.checkpoint=none",
    "infer.pass2.checkpoint=none",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
    "noise.canvas=8",
    f"data.height={SIDE}",
    "data.width=48",
)

Compose = Callable[..., VoidConfig]


@pytest.fixture
def compose(toy_config: Compose, tmp_path: Path) -> Compose:
    """Two held-out pairs, an untrained model, one denoising step."""
    data = write_toy_data(tmp_path / "data", train=1, val=2)
    return lambda *overrides: toy_config(*SMALL, f"data.root={data}", *overrides)


def files(folder: str | Path) -> dict[str, int]:
    root = Path(folder)
    return {str(file.relative_to(root)): file.stat().st_mtime_ns for file in root.rglob("[!.]*") if file.is_file()}


def contents(folder: str | Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(folder).glob("*.mp4")}


def test_both_passes_write_their_folders(compose: Compose) -> None:
    config = compose("stage=both")
    infer(config)
    first, second = read_predictions(Path(config.infer.root)), read_predictions(Path(config.infer.pass2.root))
    assert {clip.stage for clip in first.clips} == {"pass1"} and {clip.morphing for clip in first.clips} == {None}
    assert {clip.stage for clip in second.clips} == {"pass2"}
    assert "noise" not in first.settings and second.settings["noise"]["video"] == "pass1"
    names = [f"toy-{number}" for number in (1, 2)]
    assert set(files(config.infer.pass2.root)) == {
        INDEX,
        *(f"{name}.mp4" for name in names),
        *(f"noise/{name}.safetensors" for name in names),
        *(f"morphing/{name}.json" for name in names),
    }
    for clip in second.clips:
        score = read_json(Path(config.infer.pass2.root) / "morphing" / f"{clip.id}.json")
        assert (clip.morphing, clip.unmeasured) == (score["score"], score["obstacle"])
        assert (clip.morphing is None) == (clip.unmeasured is not None)
    assert contents(config.infer.root) != contents(config.infer.pass2.root)


def test_the_noise_is_that_of_the_first_result(compose: Compose) -> None:
    config = compose("stage=both")
    infer(config)
    maker = NoiseMaker(config.noise, config.recipe, torch.device("cpu"))
    for name in ("toy-1", "toy-2"):
        frames_THWC, _ = read_video(Path(config.infer.root) / f"{name}.mp4")
        file = Path(config.infer.pass2.root) / "noise" / f"{name}.safetensors"
        assert torch.equal(read_noise(file), maker.from_clip(frames_THWC, noise_seed(config, name)))
        about = read_made_from(file)
        assert (about["clip"], about["clip_seed"], about["frames"]) == (name, noise_seed(config, name), TOY_FRAMES)


def test_the_passes_one_by_one_are_the_same_as_both(compose: Compose, tmp_path: Path) -> None:
    together, apart = compose("stage=both"), f"infer.root={tmp_path}/apart"
    infer(together)
    infer(compose(apart))
    infer(compose("stage=pass2", apart))
    assert contents(tmp_path / "apart") == contents(together.infer.root)
    assert contents(tmp_path / "apart-pass2") == contents(together.infer.pass2.root)


def test_a_rerun_touches_nothing_and_loads_no_network(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose("stage=both")
    infer(config)
    before = [files(config.infer.root), files(config.infer.pass2.root)]
    monkeypatch.setattr("void.pipelines.sampler.Sampler.__init__", None)
    monkeypatch.setattr("void.noise.maker.NoiseMaker.__init__", None)
    infer(config)
    infer(compose("stage=pass2"))
    assert [files(config.infer.root), files(config.infer.pass2.root)] == before


@pytest.mark.parametrize(
    "override",
    [
        "infer.seed=7",
        "noise.canvas=4",
        "noise.flow_downscale=1",
        "noise.inference_video=input",
        "noise.inference_video=target",
        "recipe.noise_warp=released",
        "infer.pass2.steps=2",
        "infer.pass2.guidance_scale=2",
    ],
)
def test_other_settings_make_the_second_pass_again(compose: Compose, override: str) -> None:
    config = compose("stage=both")
    infer(config)
    first, second = files(config.infer.root), files(config.infer.pass2.root)
    infer(compose("stage=pass2", override))
    assert files(config.infer.root) == first
    again = files(config.infer.pass2.root)
    assert all(again[name] != second[name] for name in again if name.endswith(".mp4"))
    assert again["morphing/toy-1.json"] == second["morphing/toy-1.json"], "the first result is the same"


def test_another_first_result_makes_the_second_pass_again(compose: Compose) -> None:
    config = compose("stage=both")
    infer(config)
    second = files(config.infer.pass2.root)
    infer(compose("stage=both", "infer.steps=2", "infer.pass2.steps=1"))
    again = files(config.infer.pass2.root)
    assert again.keys() == second.keys()
    assert all(again[name] != second[name] for name in second)


def test_a_lost_noise_file_is_made_again(compose: Compose) -> None:
    config = compose("stage=both")
    infer(config)
    before, clips = files(config.infer.pass2.root), contents(config.infer.pass2.root)
    (Path(config.infer.pass2.root) / "noise" / "toy-1.safetensors").unlink()
    infer(config)
    after = files(config.infer.pass2.root)
    assert after.keys() == before.keys() and after["toy-2.mp4"] == before["toy-2.mp4"]
    assert contents(config.infer.pass2.root) == clips


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first clip stands, the second morphs."""
    found = {"toy-1": 0.2, "toy-2": 0.8}
    monkeypatch.setattr(SecondPass, "score_one", lambda self, source, first: Morphing(found[source.id], 0.1, 0.1))


@pytest.mark.usefixtures("scores")
def test_auto_runs_the_second_pass_where_the_first_morphs(compose: Compose) -> None:
    config = compose("stage=auto", "infer.pass2.morphing_threshold=0.5")
    infer(config)
    root = Path(config.infer.pass2.root)
    entries = [(clip.id, clip.stage, clip.morphing) for clip in read_predictions(root).clips]
    assert entries == [("toy-1", "pass1", 0.2), ("toy-2", "pass2", 0.8)]
    kept, sampled = contents(root)["toy-1.mp4"], contents(root)["toy-2.mp4"]
    first = contents(config.infer.root)
    assert kept == first["toy-1.mp4"] and sampled != first["toy-2.mp4"]
    before = files(root)
    infer(config)
    assert files(root) == before
    infer(compose("stage=both"))
    assert contents(root)["toy-2.mp4"] == sampled and contents(root)["toy-1.mp4"] != kept
    assert [clip.stage for clip in read_predictions(root).clips] == ["pass2", "pass2"]


@pytest.mark.parametrize(
    ("obstacle", "stage", "decided"),
    [(Obstacle.no_tracks, "pass2", "second pass"), (Obstacle.small_region, "pass1", "the first pass's result stays")],
)
def test_what_cannot_be_measured_is_said_and_decided(
    compose: Compose,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    obstacle: Obstacle,
    stage: str,
    decided: str,
) -> None:
    monkeypatch.setattr("void.noise.morphing.morphing", lambda *arguments: Morphing(None, obstacle=obstacle))
    config = compose("stage=auto", "infer.limit=1")
    with caplog.at_level(logging.INFO):
        infer(config)
    assert f"toy-1: morphing could not be measured, because {second_pass.OBSTACLES[obstacle]}: {decided}" in caplog.text
    root = Path(config.infer.pass2.root)
    (clip,) = read_predictions(root).clips
    assert (clip.stage, clip.morphing, clip.unmeasured) == (stage, None, obstacle.value)
    score = read_json(root / "morphing" / "toy-1.json")
    assert (score["score"], score["obstacle"]) == (None, obstacle.value)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        infer(config)
    assert f"could not be measured, because {second_pass.OBSTACLES[obstacle]}" in caplog.text


@pytest.mark.usefixtures("scores")
@pytest.mark.parametrize(("threshold", "stages"), [(0.0, ["pass2"] * 2), (0.9, ["pass1"] * 2)])
def test_the_threshold_decides(compose: Compose, threshold: float, stages: list[str]) -> None:
    config = compose("stage=auto", f"infer.pass2.morphing_threshold={threshold}")
    infer(config)
    assert [clip.stage for clip in read_predictions(Path(config.infer.pass2.root)).clips] == stages


@pytest.mark.parametrize(("frames", "size"), [(7, (32, 48)), (29, (32, 48)), (9, (50, 90))])
def test_a_users_clip_of_any_length(compose: Compose, tmp_path: Path, frames: int, size: tuple[int, int]) -> None:
    """Padding repeats the noise of the frames that it repeats; long clips go window by window."""
    folder = write_clip(tmp_path / "clip", frames, *size, fps=25)
    config = compose("stage=both", f"infer.input={folder}")
    infer(config)
    root = Path(config.infer.pass2.root)
    written = probe(root / "clip.mp4")
    assert (written.frames, written.height, written.width, written.fps) == (frames, *size, 25)
    assert probe(root / "strips" / "clip.mp4").frames == frames
    noise_TChw = read_noise(root / "noise" / "clip.safetensors")
    padded = frames + (5 - frames) % 8
    assert len(noise_TChw) == latent_frames(padded)
    shown = mirrored(frames, padded)[::4]
    for one, frame in enumerate(shown):
        for other, again in enumerate(shown):
            assert torch.equal(noise_TChw[one], noise_TChw[other]) == (frame == again)


def test_padding_as_released_follows_the_mirrored_clip(compose: Compose, tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip", 9, fps=25)
    first = compose(f"infer.input={folder}")
    infer(first)
    noises = []
    for padding in ("noise", "clip"):
        infer(compose("stage=pass2", f"infer.input={folder}", f"recipe.noise_padding={padding}"))
        noises.append(read_noise(Path(first.infer.pass2.root) / "noise" / "clip.safetensors"))
    # Of 13 frames 9 are true: latents 0 to 2 take frames 0, 4 and 8, latent 3 repeats frame 5.
    assert torch.equal(noises[0][:3], noises[1][:3]) and not torch.equal(noises[0][3], noises[1][3])


def test_results_of_other_programs_serve_as_a_first_pass(compose: Compose, tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip", 9, fps=25)
    foreign = tmp_path / "foreign"
    # The released code's: of the model's size, longer than the clip by its padding.
    write_video(foreign / "clip.mp4", user_frames(85, SIDE, 48), 12)
    overrides = (f"infer.input={folder}", f"infer.pass2.first_pass={foreign}")
    config = compose("stage=pass2", *overrides)
    infer(config)
    (clip,) = read_predictions(Path(config.infer.pass2.root)).clips
    assert (clip.stage, clip.frames) == ("pass2", 9)
    assert len(read_noise(Path(config.infer.pass2.root) / "noise" / "clip.safetensors")) == latent_frames(13)


def test_what_does_not_fit_is_refused(compose: Compose, tmp_path: Path) -> None:
    config = compose("stage=pass2")
    with pytest.raises(InputError, match=r"the first pass's result .*toy-1\.mp4 does not exist") as caught:
        infer(config)
    assert "void infer stage=pass1" in caught.value.remedy
    write_video(Path(config.infer.root) / "toy-1.mp4", toy_pair(0, frames=13).rgb_full_THWC, 12)
    write_video(Path(config.infer.root) / "toy-2.mp4", toy_pair(0).rgb_full_THWC, 12)
    with pytest.raises(InputError, match=r"toy-1\.mp4 has 13 frames of 48x32, this configuration has 5 frames"):
        infer(config)
    # The other pair was sampled.
    assert [clip.id for clip in read_predictions(Path(config.infer.pass2.root)).clips] == ["toy-2"]
    folder, elsewhere = write_clip(tmp_path / "clip", 9), f"infer.pass2.root={tmp_path}/clips"
    write_video(tmp_path / "short" / "clip.mp4", user_frames(5, 32, 48), 12)
    with pytest.raises(InputError, match=r"clip\.mp4 has 5 frames of 48x32; .* is sampled at 9 frames"):
        infer(compose("stage=pass2", f"infer.input={folder}", f"infer.pass2.first_pass={tmp_path}/short", elsewhere))
    write_video(tmp_path / "wide" / "clip.mp4", user_frames(9, 32, 96), 12)
    with pytest.raises(InputError, match=r"clip\.mp4 has 9 frames of 96x32: neither the shape"):
        infer(compose("stage=pass2", f"infer.input={folder}", f"infer.pass2.first_pass={tmp_path}/wide", elsewhere))
    with pytest.raises(InputError, match=r"noise\.inference_video=target: a user's clip has no counterfactual"):
        infer(compose("stage=pass2", f"infer.input={folder}", "noise.inference_video=target"))
    for other in ("infer.root", "infer.pass2.first_pass"):
        with pytest.raises(InputError, match=rf"{other.replace('.', '[.]')} and infer\.pass2\.root are both"):
            infer(compose("stage=both", f"infer.pass2.root={tmp_path}/one", f"{other}={tmp_path}/one"))
    with pytest.raises(InputError, match=r"noise\.flow=simulator"):
        infer(compose("stage=pass2", "noise.flow=simulator"))
    with pytest.raises(InputError, match=r"noise\.canvas must be at least 1, got 0"):
        infer(compose("stage=both", "noise.canvas=0"))
    with pytest.raises(InputError, match=r"infer\.pass2\.steps must be at least 1, got 0"):
        infer(compose("stage=both", "infer.pass2.steps=0"))


def test_a_changed_first_result_is_refused(compose: Compose) -> None:
    config = compose()
    infer(config)
    file = Path(config.infer.root) / "toy-1.mp4"
    shutil.copyfile(file.with_name("toy-2.mp4"), file)
    with pytest.raises(InputError, match=r"toy-1\.mp4 has changed since it was sampled"):
        infer(compose("stage=pass2"))


def test_a_missing_checkpoint_of_either_pass_is_found_before_any_work(compose: Compose) -> None:
    config = compose("stage=both", "infer.pass2.checkpoint=nowhere")
    with pytest.raises(InputError, match=r"infer\.pass2\.checkpoint=nowhere does not exist") as caught:
        infer(config)
    assert "void train stage=pass2" in caught.value.remedy
    assert not list(Path(config.infer.root).glob("*.mp4"))


def test_the_folder_of_a_training_run_stands_for_its_newest_checkpoint(compose: Compose, tmp_path: Path) -> None:
    config = compose("stage=both", f"infer.pass2.checkpoint={tmp_path}/second")
    for step in (1, 2):
        folder = tmp_path / "second" / "checkpoints" / f"step-{step:06d}"
        build_transformer(config.model).save_pretrained(folder / "transformer")
        (folder / "trainer.json").write_text(f'{{"step": {step}}}')
    infer(config)
    assert read_predictions(Path(config.infer.pass2.root)).checkpoint["step"] == 2


@pytest.fixture(scope="module")
def clip() -> dict[str, object]:
    video = user_frames(13, SIDE, 48)
    primary = np.zeros(video.shape[:3], bool)
    primary[:, 8:16, 8:16] = True
    return {"video": video, "quadmask": Quadmask(primary, np.zeros_like(primary))}


@pytest.fixture
def pipeline(compose: Compose) -> VoidPipeline:
    model = compose().model
    pipe = VoidPipeline(build_transformer(model).eval(), build_vae(model), build_scheduler(model))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_the_pipeline_takes_a_first_pass_as_tensor_array_or_file(
    compose: Compose, pipeline: VoidPipeline, clip: dict[str, object], tmp_path: Path
) -> None:
    config = compose()
    maker = NoiseMaker(config.noise, config.recipe, torch.device("cpu"))
    write_video(tmp_path / "first.mp4", toy_pair(0, 9).rgb_full_THWC, 12, crf=0)
    first_THWC, _ = read_video(tmp_path / "first.mp4")
    text = torch.zeros(1, config.model.max_text_tokens, config.model.transformer["text_embed_dim"])

    def sample(**options: object) -> torch.Tensor:
        generator = torch.Generator().manual_seed(3)
        return pipeline(
            **clip, prompt_embeds=text, num_inference_steps=1, generator=generator, output_type="latent", **options
        ).frames

    results = [
        sample(first_pass=first, noise=maker) for first in (first_THWC, rgb_video(first_THWC), tmp_path / "first.mp4")
    ]
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])
    seed = int(torch.randint(2**63 - 1, (), generator=torch.Generator().manual_seed(3)))
    noise_TChw = maker.from_clip(first_THWC, seed, order=mirrored(9, 13))
    assert torch.equal(results[0], sample(latents=noise_TChw[None]))
    assert not torch.equal(results[0], sample())
    for options, message in (
        ({"first_pass": first_THWC, "latents": noise_TChw[None]}, "excludes latents"),
        ({"first_pass": user_frames(21, SIDE, 48)}, "has 21 frames, the clip 13"),
        ({"first_pass": user_frames(13, SIDE, 96)}, "another aspect ratio"),
        ({"first_pass": first_THWC.astype(np.float32)}, "of float32"),
        ({"first_pass": torch.zeros(1, 4, 13, SIDE, 48)}, "is a tensor"),
        ({"first_pass": tmp_path / "missing.mp4"}, "does not exist"),
    ):
        with pytest.raises(InputError, match=message):
            sample(**options)


def test_exchanged_checkpoints_are_warned_of(
    compose: Compose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = compose("stage=both", f"infer.pass2.checkpoint={tmp_path}/first")
    folder = tmp_path / "first" / "checkpoints" / "step-000001"
    build_transformer(config.model).save_pretrained(folder / "transformer")
    (folder / "trainer.json").write_text('{"step": 1, "settings": {"stage.name": "pass1"}}')
    infer(config)
    assert "was trained with stage=pass1, but samples pass2: are the two exchanged?" in caplog.text


def test_the_latest_checkpoint_is_the_first_passs(compose: Compose) -> None:
    with pytest.raises(InputError, match=r"infer\.pass2\.checkpoint=latest") as caught:
        infer(compose("stage=both", "infer.pass2.checkpoint=latest"))
    assert "train-pass2" in caught.value.remedy


def test_all_splits_are_sampled_together(compose: Compose) -> None:
    config = compose("infer.split=all")
    infer(config)
    assert [clip.id for clip in read_predictions(Path(config.infer.root)).clips] == ["toy-0", "toy-1", "toy-2"]
