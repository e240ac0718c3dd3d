"""`void export`: what is written reads back as what was exported."""

from __future__ import annotations

import re
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from void.cli import commands
from void.config import VoidConfig
from void.errors import InputError
from void.export.export import export
from void.files import read_json, write_json
from void.ledger import LEDGER
from void.models.build import build_transformer, fingerprint
from void.models.checkpoints import load_transformer
from void.models.comfyui import to_comfyui
from void.models.config import INFERENCE_SIGMA
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask

Compose = Callable[..., VoidConfig]


@pytest.fixture
def checkpoint(toy_config: Compose, tmp_path: Path) -> Path:
    """A checkpoint of `void train`, 400 steps old."""
    folder = tmp_path / "run" / "train" / "checkpoints" / "step-000400"
    build_transformer(toy_config("model.init_seed=5").model).save_pretrained(folder / "transformer")
    write_json(folder / "trainer.json", {"step": 400})
    return folder


def stamp(path: Path) -> int:
    return path.stat().st_mtime_ns


def clip() -> dict[str, object]:
    video = np.random.default_rng(0).integers(0, 256, (5, 32, 48, 3), np.uint8)
    primary = np.zeros((5, 32, 48), bool)
    primary[:, 8:16, 8:20] = True
    return {"video": video, "quadmask": Quadmask(primary, np.zeros_like(primary)), "num_inference_steps": 2}


def test_the_released_layout_is_one_file_with_the_released_names(toy_config: Compose, checkpoint: Path) -> None:
    config = toy_config("export.dtype=float32")
    file = export(config)
    assert file == Path(config.root) / "export" / "void_pass1.safetensors"
    transformer = load_transformer(checkpoint)
    assert load_file(file).keys() == transformer.state_dict().keys()
    assert fingerprint(load_transformer(file, config.model)) == fingerprint(transformer)


def test_numbers_are_bfloat16_unless_said_otherwise(toy_config: Compose, checkpoint: Path) -> None:
    exported, trained = load_file(export(toy_config())), load_transformer(checkpoint).state_dict()
    assert [name for name, tensor in trained.items() if not torch.equal(exported[name], tensor.bfloat16())] == []


def test_the_names_of_comfyui_lead_back(toy_config: Compose, checkpoint: Path) -> None:
    config = toy_config("export.layout=comfyui", "export.dtype=float32")
    file = export(config)
    assert file.name == "void_pass1_comfyui.safetensors"
    transformer = load_transformer(checkpoint)
    assert load_file(file).keys() == {to_comfyui(name) for name in transformer.state_dict()}
    assert fingerprint(load_transformer(file, config.model)) == fingerprint(transformer)


def test_an_export_can_be_exported_again(toy_config: Compose, checkpoint: Path, tmp_path: Path) -> None:
    first = export(toy_config("export.layout=comfyui"))
    second = export(toy_config(f"export.checkpoint={first}", f"export.to={tmp_path / 'again'}"))
    renamed = {to_comfyui(name): tensor for name, tensor in load_file(second).items()}
    original = load_file(first)
    assert renamed.keys() == original.keys()
    assert all(torch.equal(renamed[name], tensor) for name, tensor in original.items())


def test_the_diffusers_folder_is_a_pipeline_with_the_same_result(toy_config: Compose, checkpoint: Path) -> None:
    config = toy_config("export.layout=diffusers", "export.dtype=float32", "model.conditioning_noise=true")
    folder = export(config)
    loaded = VoidPipeline.from_pretrained(folder)
    assert fingerprint(loaded.transformer) == fingerprint(load_transformer(checkpoint))
    assert loaded.config.mask_levels == "quad" and loaded.config.conditioning_sigma == INFERENCE_SIGMA
    expected = VoidPipeline(
        load_transformer(checkpoint),
        loaded.vae,
        loaded.scheduler,
        loaded.tokenizer,
        loaded.text_encoder,
        conditioning_sigma=INFERENCE_SIGMA,
    )
    results = []
    for pipeline in (loaded, expected):
        pipeline.set_progress_bar_config(disable=True)
        generator = torch.Generator().manual_seed(1)
        results.append(pipeline("a floor", **clip(), generator=generator, output_type="latent").frames)
    assert torch.equal(*results)


def test_the_folder_takes_the_released_levels_of_its_stage(toy_config: Compose, checkpoint: Path) -> None:
    config = toy_config("export.layout=diffusers", "recipe.mask_levels=released", "export.text_encoder=false")
    folder = export(config)
    loaded = VoidPipeline.from_pretrained(folder)
    assert loaded.config.mask_levels == "trimask" and loaded.config.conditioning_sigma == 0
    assert loaded.text_encoder is None and not (folder / "text_encoder").exists()
    assert "prompt_embeds=" in (folder / "README.md").read_text()


def test_the_model_card_tells_where_it_comes_from(toy_config: Compose, checkpoint: Path) -> None:
    config = toy_config("export.layout=diffusers", "model.hub_repository=alibaba-pai/CogVideoX-Fun-V1.5-5b-InP")
    folder = export(config)
    card = (folder / "README.md").read_text()
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["license"] == "apache-2.0" and header["library_name"] == "diffusers"
    assert header["base_model"] == "alibaba-pai/CogVideoX-Fun-V1.5-5b-InP"
    made_from = read_json(folder / "export.json")["made_from"]
    assert made_from["checkpoint"]["step"] == 400 and made_from["checkpoint"]["sha256"] in card
    for fact in ("400 steps", "mask_levels=quad", "mask_expansion=mean", "unusual camera angles", "bfloat16"):
        assert fact in card


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_code_on_the_model_card_runs(
    dtype: str, toy_config: Compose, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where diffusers copies pipeline.py to, in order to import it.
    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = export(toy_config("export.layout=diffusers", f"export.dtype={dtype}"))
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(folder.parent)
    example = clip()
    names = {"clip": example["video"], "quadmask": example["quadmask"]}
    exec(code.replace("video=clip,", "video=clip, num_inference_steps=1,"), names)
    assert names["result"].shape == (5, 32, 48, 3)
    assert isinstance(names["pipeline"], VoidPipeline)


@pytest.mark.parametrize("text_encoder", ["true", "false"])
def test_diffusers_finds_the_class_of_an_exported_folder(
    text_encoder: str, toy_config: Compose, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = export(
        toy_config("export.layout=diffusers", "export.dtype=float32", f"export.text_encoder={text_encoder}")
    )
    loaded = DiffusionPipeline.from_pretrained(folder, custom_pipeline="pipeline", trust_remote_code=True)
    assert type(loaded) is VoidPipeline and (loaded.text_encoder is not None) == (text_encoder == "true")
    direct = VoidPipeline.from_pretrained(folder)
    embeds = torch.ones(1, loaded.transformer.config.max_text_seq_length, loaded.transformer.config.text_embed_dim)
    results = []
    for pipeline in (loaded, direct):
        pipeline.set_progress_bar_config(disable=True)
        generator = torch.Generator().manual_seed(1)
        results.append(pipeline(prompt_embeds=embeds, **clip(), generator=generator, output_type="latent").frames)
    assert torch.equal(*results)


@pytest.mark.parametrize("layout", ["released", "comfyui", "diffusers"])
def test_a_second_run_does_nothing_and_a_new_checkpoint_replaces(
    layout: str, toy_config: Compose, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(f"export.layout={layout}", "export.text_encoder=false")
    path = export(config)
    before = stamp(path)
    with monkeypatch.context() as patch:
        patch.setattr("void.pipelines.weights.load", lambda *_: pytest.fail("nothing is to be loaded"))
        assert export(config) == path
    assert stamp(path) == before
    build_transformer(toy_config("model.init_seed=6").model).save_pretrained(checkpoint / "transformer")
    assert export(config) == path
    assert stamp(path) != before
    assert {item.name for item in path.parent.iterdir()} - {LEDGER} == {path.name}


@pytest.mark.parametrize("layout", ["released", "comfyui", "diffusers"])
def test_what_export_did_not_write_is_left_alone(
    layout: str, toy_config: Compose, checkpoint: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run" / "export"
    (folder / "void_pass1").mkdir(parents=True)
    (folder / "void_pass1" / "notes.txt").write_text("mine")
    for name in ("void_pass1", "void_pass1_comfyui"):
        save_file({"mine": torch.zeros(1)}, folder / f"{name}.safetensors")
    with pytest.raises(InputError, match="void export did not write it"):
        export(toy_config(f"export.layout={layout}"))
    assert (folder / "void_pass1" / "notes.txt").read_text() == "mine"
    assert load_file(folder / "void_pass1.safetensors").keys() == {"mine"}


@pytest.mark.parametrize("layout", ["released", "diffusers"])
def test_a_disk_that_takes_no_more_is_named_and_nothing_is_left(
    layout: str, toy_config: Compose, checkpoint: Path
) -> None:
    config = toy_config(f"export.layout={layout}")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))
    try:
        with pytest.raises(InputError, match=r"export/void_pass1\S* cannot be written") as error:
            export(config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert "export.to" in error.value.remedy
    assert list((Path(config.root) / "export").iterdir()) == []


@pytest.mark.parametrize("layout", ["released", "diffusers"])
def test_exported_weights_can_be_read_by_whom_the_umask_allows(
    layout: str, toy_config: Compose, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").touch()
    path = export(toy_config(f"export.layout={layout}", "export.text_encoder=false"))
    files = [path] if path.is_file() else list(path.rglob("*.safetensors"))
    assert {file.stat().st_mode for file in files} == {(tmp_path / "other").stat().st_mode}


def test_the_command_is_installed() -> None:
    assert commands()["export"].groups[0] == "export"
