"""The documented commands run to their end, in the order of their pages, each with the results of those before it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from documented import DOCS, ROOT, SMALL, lines_with, python_blocks, run_small, run_void
from lora_files import kohya, random_updates, save
from pipelines.user_clips import write_clip

from void.composition import compose_config
from void.models.build import build_transformer
from void.pairs import read_manifest, validate
from void.pipelines.clip_folders import read_clip_folder
from void.pipelines.void_pipeline import VoidPipeline
from void.video import probe, read_mask, read_video

README = ROOT / "README.md"
OBJECTS_ALONE = ("scene.families.human.share=0",)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the README's commands have run; `runs/demo` is the demo's. To be added to, not changed."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in lines_with(README, "experiment=demo")[:6]:
            run_small(line, patch, *(OBJECTS_ALONE if " generate " in line else ()))
    return folder


@pytest.fixture
def place(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The finished folder as the working directory."""
    monkeypatch.chdir(finished)
    monkeypatch.setenv("HOME", str(finished))
    return finished


def results(root: Path) -> dict[Path, int]:
    """Times of the files that the commands published; each run has a new log."""
    return {path: path.stat().st_mtime_ns for path in root.rglob("*.*") if path.is_file() and "logs" not in path.parts}


def looks_like(result: Path, source: Path) -> None:
    """A result has the clip's length, size and rate, and is a picture with some variation."""
    found, expected = probe(result), probe(source)
    assert (found.frames, found.height, found.width, found.fps) == (
        expected.frames,
        expected.height,
        expected.width,
        expected.fps,
    )
    assert read_video(result)[0].std() > 1


def test_the_readme_leads_to_a_report(place: Path) -> None:
    assert validate(Path("runs/demo/pairs")) == []
    held_out = [row for row in read_manifest(Path("runs/demo/pairs")) if row.split == "val"]
    assert held_out
    for row in held_out:
        for results_of in ("infer", "infer-pass2"):
            looks_like(
                Path("runs/demo", results_of, f"{row.id}.mp4"), Path("runs/demo/pairs", row.path, "rgb_full.mp4")
            )
    assert json.loads(Path("runs/demo/eval/metrics.json").read_text())
    assert "<video" in Path("runs/demo/eval/report.html").read_text()


def test_commands_of_training_continue_what_the_readme_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = results(Path("runs/demo"))
    lines = [line for name in ("cache", "train") for line in lines_with(DOCS / "training.md", f"void {name} ")]
    assert len(lines) == 4
    for line in lines:
        run_small(line, monkeypatch)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_own_clip_goes_from_its_mask_through_every_command(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = DOCS / "inference.md"
    source = write_clip(Path("my-clips/vase"), 7, 240, 320) / "input_video.mp4"
    Path("my-clips/vase/quadmask_0.mp4").unlink()
    exec(python_blocks(page)[0], {})
    quadmask, _ = read_mask(read_clip_folder(Path("my-clips/vase")).mask)
    assert quadmask.shape == (7, 240, 320) and quadmask.primary_THW.any() and quadmask.affected_THW.any()
    before, _ = read_video(source)
    for line in lines_with(page, "infer.input=my-clips"):
        if "first_pass=elsewhere" in line:
            Path("elsewhere").mkdir()
            shutil.copy("runs/my-clips/vase.mp4", "elsewhere/vase.mp4")
        run_small(line, monkeypatch)
        if "feather" in line:
            lossless, _ = read_video(next(Path("runs").rglob("vase.mkv")))
            assert np.array_equal(lossless[:, :60, 200:], before[:, :60, 200:])
            assert not np.array_equal(lossless[:, 100:200, 50:150], before[:, 100:200, 50:150])
        else:
            looks_like(Path("runs/my-clips-pass2/vase.mp4"), source)


def test_weights_leave_and_come_back(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = DOCS / "weights.md"
    for line in lines_with(page, "void export experiment=demo"):
        run_small(line, monkeypatch)
    models = Path("models/void-model")
    models.mkdir(parents=True)
    # In place of the released 5 B weights; the demo's pass 2 is not exported by the page.
    for stage in ("pass1", "pass2"):
        shutil.copy("runs/demo/export/void_pass1.safetensors", models / f"void_{stage}.safetensors")
    source = write_clip(Path("own/wall"), 7, 48, 64) / "input_video.mp4"
    lines = [*lines_with(page, "infer.checkpoint=models"), *lines_with(README, "infer.checkpoint=models")]
    for number, line in enumerate(lines):
        # Noise for 72 frames of 480 x 720 takes minutes.
        more = ("data.frames=13", "recipe.noise_geometry=model", "infer.window=13", "infer.overlap=8")
        run_small(line.replace("my-clips", "own"), monkeypatch, *more, f"infer.root=runs/released-{number}")
        assert probe(Path(f"runs/released-{number}/wall.mp4")).frames >= probe(source).frames
    transformer = build_transformer(compose_config(list(SMALL)).model)
    save(Path("loras"), kohya(random_updates(transformer)), "my-style.safetensors")
    (export_lora,) = lines_with(page, "export.lora=")
    run_small(export_lora, monkeypatch)
    exported = Path("runs/default/export/my-style_comfyui.safetensors")
    assert exported.is_file()
    (back,) = lines_with(page, "export.checkpoint=models")
    run_small(back, monkeypatch)
    assert Path("runs/default/export/void_pass1_comfyui.safetensors").is_file()
    clips = {}
    for name, lora in (("with", f"infer.lora={exported}"), ("without", "infer.lora=null")):
        checkpoint = "infer.checkpoint=runs/default/export/void_pass1_comfyui.safetensors"
        run_small(f"void infer infer.input=own infer.root=runs/{name} {checkpoint} {lora}", monkeypatch)
        clips[name], _ = read_video(Path("runs", name, "wall.mp4"))
    assert not np.array_equal(clips["with"], clips["without"])


def test_python_takes_what_was_exported(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (export,) = lines_with(DOCS / "weights.md", "export.layout=diffusers")
    run_small(export, monkeypatch)
    Path("my-model").symlink_to(Path("runs/demo/export/void_pass1").resolve())
    write_clip(Path("clip"), 5, 32, 48)
    first, second = python_blocks(DOCS / "pipeline.md")
    exec(first.replace('"cuda"', '"cpu"'), {})
    looks_like(Path("result.mp4"), Path("clip/input_video.mp4"))
    # The result of the first pass is what the noise of the second one moves with.
    shutil.copy("result.mp4", "pass1.mp4")
    names: dict[str, Any] = {}
    exec(python_blocks(DOCS / "noise.md")[0], names)
    pipeline = VoidPipeline.from_pretrained("my-model")
    clip = {"video": names["frames_THWC"], "quadmask": np.full((5, 32, 48), 255, np.uint8), "num_inference_steps": 2}
    (warped,) = pipeline("a wall", **clip, latents=names["latents_BTCHW"]).frames
    (plain,) = pipeline("a wall", **clip, generator=torch.Generator().manual_seed(0)).frames
    assert warped.shape == plain.shape == (5, 32, 48, 3) and not np.array_equal(warped, plain)
    exec(second.replace("height=96, width=128", "height=32, width=48"), {})
    assert probe(Path("result.mp4")).frames == 5


@pytest.mark.parametrize("line", lines_with(README, "void plan"))
def test_commands_that_only_ask(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They run as they are typed: nothing is loaded, and nothing is left behind but what they are told to write."""
    monkeypatch.chdir(tmp_path)
    run_void(line, monkeypatch)
    assert [path.name for path in tmp_path.iterdir()] == (["plan.json"] if "plan.json" in line else [])
