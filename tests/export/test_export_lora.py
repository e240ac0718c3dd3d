"""`void export` of a LoRA: each layout is read back by the program whose layout it is, or spelled out by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from golden_models import model_config
from lora_files import COMFYUI, Update, kohya, merged, random_updates, save
from peft import PeftModel
from rounding import Arithmetic, assert_same
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from void.config import VoidConfig
from void.errors import InputError
from void.export.export import export
from void.files import read_json
from void.ledger import LEDGER
from void.models.build import build_scheduler, build_transformer, build_vae
from void.models.lora import linear_layers, open_lora, read_matrices
from void.pipelines.void_pipeline import VoidPipeline
from void.recipe import MaskExpansion

Compose = Callable[..., VoidConfig]
FLOAT = "export.dtype=float32"


@pytest.fixture
def golden_config(toy_config: Compose) -> Compose:
    """Configurations whose model has the architecture of the golden transformer."""

    def compose(*overrides: str) -> VoidConfig:
        config = toy_config(*overrides)
        config.model.transformer = model_config().transformer
        return config

    return compose


@pytest.fixture(scope="module")
def transformer() -> nn.Module:
    return build_transformer(model_config()).eval()


@pytest.fixture(scope="module")
def updates(transformer: nn.Module) -> dict[str, Update]:
    return random_updates(transformer)


@pytest.fixture
def source(updates: dict[str, Update], tmp_path: Path) -> Path:
    return save(tmp_path / "loras", kohya(updates, underscores=1), "my-style.v2.safetensors")


def assert_merged(found: nn.Module, transformer: nn.Module, updates: dict[str, Update]) -> None:
    """Every weight equals base + update, to the rounding of its few terms."""
    expected = merged(transformer, updates).state_dict()
    weights = found.state_dict()
    assert weights.keys() == expected.keys()
    for name, tensor in expected.items():
        assert_same(weights[name], tensor, Arithmetic(depth=4, terms=5))


def test_kohya_and_comfyui_keep_matrices_and_alphas(
    golden_config: Compose, source: Path, updates: dict[str, Update]
) -> None:
    for layout, suffixes in (("kohya", ("lora_down", "lora_up")), ("comfyui", ("lora_A", "lora_B"))):
        config = golden_config(f"export.lora={source}", f"export.lora_layout={layout}", FLOAT)
        file = export(config)
        assert file == Path(config.root) / "export" / f"my-style.v2_{layout}.safetensors"
        tensors = load_file(file)
        assert len(tensors) == 3 * len(updates)
        for layer, update in updates.items():
            name = f"lora_unet__{layer.replace('.', '_')}" if layout == "kohya" else f"diffusion_model.{COMFYUI[layer]}"
            assert torch.equal(tensors[f"{name}.{suffixes[0]}.weight"], update.down)
            assert torch.equal(tensors[f"{name}.{suffixes[1]}.weight"], update.up)
            assert float(tensors[f"{name}.alpha"]) == update.alpha


def test_peft_loads_its_folder(
    golden_config: Compose, source: Path, transformer: nn.Module, updates: dict[str, Update]
) -> None:
    folder = export(golden_config(f"export.lora={source}", "export.lora_layout=peft", FLOAT))
    assert folder.name == "my-style.v2_peft"
    config = read_json(folder / "adapter_config.json")
    assert (config["r"], config["lora_alpha"]) == (4, 8)
    assert config["rank_pattern"] == {"^transformer_blocks.1.ff.net.0.proj": 2, "^time_embedding.linear_1": 3}
    model = PeftModel.from_pretrained(copy.deepcopy(transformer), str(folder))
    assert_merged(model.merge_and_unload(), transformer, updates)


def test_diffusers_loads_its_file(
    golden_config: Compose, source: Path, transformer: nn.Module, updates: dict[str, Update]
) -> None:
    file = export(golden_config(f"export.lora={source}", FLOAT))
    assert file.name == "my-style.v2_diffusers.safetensors"
    model = model_config()
    pipeline = VoidPipeline(copy.deepcopy(transformer), build_vae(model), build_scheduler(model))
    pipeline.load_lora_weights(file.parent, weight_name=file.name)
    pipeline.fuse_lora(components=["transformer"])
    pipeline.unload_lora_weights()
    assert_merged(pipeline.transformer, transformer, updates)
    with safe_open(file, "pt") as content:
        stated = json.loads(content.metadata()["lora_adapter_metadata"])
    # Versions of diffusers that read no alpha take it for the rank.
    assert stated["transformer.lora_alpha"] == stated["transformer.r"]
    assert stated["transformer.alpha_pattern"] == stated["transformer.rank_pattern"]


@pytest.mark.parametrize("layout", ["kohya", "peft", "diffusers", "comfyui"])
def test_each_layout_leads_back(
    layout: str, golden_config: Compose, source: Path, updates: dict[str, Update], tmp_path: Path
) -> None:
    first = export(golden_config(f"export.lora={source}", f"export.lora_layout={layout}", FLOAT))
    again = golden_config(f"export.lora={first}", "export.lora_layout=kohya", FLOAT, f"export.to={tmp_path / 'again'}")
    lora = open_lora(export(again), linear_layers(again.model.transformer))
    for layer, down, up in read_matrices(lora, MaskExpansion.mean):
        assert_same(layer.scale * up @ down, updates[layer.name].delta, Arithmetic(depth=4, terms=4))


def test_numbers_are_bfloat16_unless_said_otherwise_and_alphas_stay_exact(
    golden_config: Compose, source: Path, updates: dict[str, Update]
) -> None:
    tensors = load_file(export(golden_config(f"export.lora={source}", "export.lora_layout=kohya")))
    for layer, update in updates.items():
        name = f"lora_unet__{layer.replace('.', '_')}"
        assert torch.equal(tensors[f"{name}.lora_down.weight"], update.down.bfloat16())
        assert tensors[f"{name}.alpha"].dtype == torch.float32


def test_a_33_channel_lora_is_exported_for_48(golden_config: Compose, transformer: nn.Module, tmp_path: Path) -> None:
    width = transformer.patch_embed.proj.out_features
    narrow = {"patch_embed.proj": Update(torch.ones(2, 33 * 8), torch.ones(width, 2), 2.0)}
    source = save(tmp_path / "loras", kohya(narrow))
    config = golden_config(f"export.lora={source}", "export.lora_layout=kohya", "recipe.mask_expansion=mean")
    down = load_file(export(config))["lora_unet__patch_embed_proj.lora_down.weight"]
    assert down.shape == (2, 48 * 8)
    assert down[0, ::8].tolist() == [1.0] * 16 + [1 / 16] * 16 + [1.0] * 16


@pytest.mark.parametrize("layout", ["kohya", "peft"])
def test_a_second_run_does_nothing_and_a_changed_lora_replaces(
    layout: str, golden_config: Compose, source: Path, updates: dict[str, Update]
) -> None:
    config = golden_config(f"export.lora={source}", f"export.lora_layout={layout}")
    path = export(config)
    before = path.stat().st_mtime_ns
    assert export(config) == path and path.stat().st_mtime_ns == before
    save(source.parent, kohya({"proj_out": updates["proj_out"]}), source.name)
    assert export(config) == path
    weights = path / "adapter_model.safetensors" if path.is_dir() else path
    assert len(load_file(weights)) == (2 if layout == "peft" else 3)
    assert {item.name for item in path.parent.iterdir()} - {LEDGER} == {path.name}


@pytest.mark.parametrize("layout", ["kohya", "peft"])
def test_what_export_did_not_write_is_left_alone(layout: str, golden_config: Compose, source: Path) -> None:
    config = golden_config(f"export.lora={source}", f"export.lora_layout={layout}")
    folder = Path(config.export.to)
    mine = folder / "my-style.v2_peft" / "notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    other = save(folder, {"mine": torch.zeros(1)}, "my-style.v2_kohya.safetensors")
    with pytest.raises(InputError, match="void export did not write it"):
        export(config)
    assert mine.read_text() == "mine" and load_file(other).keys() == {"mine"}


def test_a_lora_of_another_model_is_refused_before_anything_is_written(toy_config: Compose, source: Path) -> None:
    config = toy_config(f"export.lora={source}")
    with pytest.raises(InputError, match=r"export.lora=.*this transformer"):
        export(config)
    assert not Path(config.export.to).exists()
