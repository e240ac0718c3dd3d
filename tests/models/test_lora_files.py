"""Names, strengths and shapes of LoRA files; nothing is built but networks without weights, to compare with."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lora_files
import pytest
import torch
from golden_models import model_config
from lora_files import LAYOUTS, Update, save
from peft import LoraConfig
from torch import nn

from void.composition import compose_config
from void.config import VoidConfig
from void.errors import InputError
from void.files import write_json
from void.models.build import build_transformer
from void.models.lora import linear_layers, lora_identity, open_lora, read_matrices
from void.models.lora.names import LayerNames, split_key
from void.pipelines import weights
from void.pipelines.lora import check_lora
from void.recipe import MaskExpansion

GOLDEN_MODEL = model_config()
SHAPES = linear_layers(GOLDEN_MODEL.transformer)
LAYER = "transformer_blocks.0.attn1.to_q"


@pytest.fixture(scope="module")
def updates() -> dict[str, Update]:
    return lora_files.random_updates(build_transformer(GOLDEN_MODEL))


@pytest.mark.parametrize("name", ["golden", "tiny", "cogvideox_fun_5b"])
def test_the_linear_layers_are_those_of_the_network(name: str) -> None:
    model = GOLDEN_MODEL if name == "golden" else compose_config([f"model={name}"]).model
    network = build_transformer(model, meta=True)
    expected = {
        name: tuple(layer.weight.shape) for name, layer in network.named_modules() if isinstance(layer, nn.Linear)
    }
    assert linear_layers(model.transformer) == expected == linear_layers(network.config)


def test_every_layer_of_the_large_model_is_found_under_every_name() -> None:
    layers = linear_layers(compose_config(["model=cogvideox_fun_5b"]).model.transformer)
    names = LayerNames(layers)
    assert len(layers) == 342
    for layer in layers:
        underscored = layer.replace(".", "_")
        spellings = [f"lora_unet__{underscored}", f"lora_unet_{underscored}", f"base_model.model.{layer}"]
        spellings += [
            layer,
            f"transformer.{layer}",
            f"diffusion_model.{layer}",
            f"base_model.model.transformer.{layer}",
        ]
        assert {names.find(spelling) for spelling in spellings} == {layer}
    assert names.find("diffusion_model.blocks.41.attn_out") == "transformer_blocks.41.attn1.to_out.0"
    assert names.find("lora_unet_blocks_41_attn_out") == "transformer_blocks.41.attn1.to_out.0"
    assert names.find("lora_unet__transformer_blocks_42_attn1_to_q") is None


def test_an_underscored_name_of_two_layers_is_none() -> None:
    names = LayerNames(["a.b_c", "a_b.c", "a.b.d"])
    assert names.find("lora_unet_a_b_c") is None
    assert names.find("lora_unet_a_b_d") == "a.b.d"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layers_and_scales_of_each_layout(layout: str, updates: dict[str, Update], tmp_path: Path) -> None:
    lora = open_lora(save(tmp_path, LAYOUTS[layout](updates)), SHAPES)
    assert {layer.name: layer.scale for layer in lora.layers} == {
        name: update.alpha / len(update.down) for name, update in updates.items()
    }
    for layer, down, up in read_matrices(lora, MaskExpansion.mean):
        assert torch.equal(down, updates[layer.name].down) and torch.equal(up, updates[layer.name].up)
    assert lora.notes == ()


def test_without_alpha_the_scale_is_one(updates: dict[str, Update], tmp_path: Path) -> None:
    file = save(
        tmp_path, lora_files.dotted(updates, "transformer.", ".lora_A.weight", ".lora_B.weight", with_alpha=False)
    )
    assert {layer.scale for layer in open_lora(file, SHAPES).layers} == {1.0}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_types_of_numbers(dtype: torch.dtype, updates: dict[str, Update], tmp_path: Path) -> None:
    file = save(tmp_path, {name: tensor.to(dtype) for name, tensor in lora_files.kohya(updates).items()})
    for layer, down, up in read_matrices(open_lora(file, SHAPES), MaskExpansion.mean):
        assert down.dtype == up.dtype == torch.float32
        assert torch.equal(down, updates[layer.name].down.to(dtype).float())


def test_an_alpha_may_be_an_integer_and_a_vector_of_one(updates: dict[str, Update], tmp_path: Path) -> None:
    tensors = lora_files.kohya(updates)
    for number, name in enumerate(name for name in tensors if name.endswith(".alpha")):
        tensors[name] = tensors[name].long() if number % 2 else tensors[name].reshape(1)
    scales = {layer.name: layer.scale for layer in open_lora(save(tmp_path, tensors), SHAPES).layers}
    assert scales == {name: update.alpha / len(update.down) for name, update in updates.items()}


def peft_folder(folder: Path, updates: dict[str, Update], **changes: object) -> Path:
    tensors = lora_files.dotted(updates, "base_model.model.", ".lora_A.weight", ".lora_B.weight", with_alpha=False)
    save(folder, tensors, "adapter_model.safetensors")
    config = LoraConfig(r=4, lora_alpha=8, target_modules=list(updates)).to_dict()
    ranks = {"ff.net.0.proj": 2, "linear_1": 3}
    write_json(
        folder / "adapter_config.json",
        config | {"target_modules": sorted(updates), "peft_type": "LORA", "rank_pattern": ranks} | changes,
    )
    return folder


@pytest.mark.parametrize(
    ("changes", "layer", "scale"),
    [
        ({}, LAYER, 2),
        ({}, "time_embedding.linear_1", 8 / 3),
        ({"lora_alpha": 3}, LAYER, 3 / 4),
        ({"alpha_pattern": {"to_q": 1}}, LAYER, 1 / 4),
        ({"alpha_pattern": {"to_q": 1}}, "proj_out", 2),
        ({"alpha_pattern": {r"transformer_blocks\.\d+\.attn1\..*": 6}}, LAYER, 6 / 4),
        ({"use_rslora": True}, LAYER, 8 / 2),
        ({"use_rslora": True}, "time_embedding.linear_1", 8 / math.sqrt(3)),
    ],
)
def test_scales_of_a_peft_folder(
    changes: dict[str, object], layer: str, scale: float, updates: dict[str, Update], tmp_path: Path
) -> None:
    lora = open_lora(peft_folder(tmp_path, updates, **changes), SHAPES)
    assert {one.name: one.scale for one in lora.layers}[layer] == pytest.approx(scale)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_dora": True}, r"adapter_config.json: use_dora=True is not plain LoRA"),
        ({"peft_type": "LOHA"}, "peft_type=LOHA is not plain LoRA"),
        ({"lora_bias": True}, "lora_bias=True"),
        ({"init_lora_weights": "pissa_niter_4"}, "pissa_niter_4 changes the weights"),
        ({"r": 16}, "gives .* rank 16, but its matrices have rank 4"),
        ({"lora_alpha": "eight"}, "lora_alpha is 'eight', not a number"),
        ({"alpha_pattern": {"to_q": None}}, "alpha_pattern is None"),
        ({"rank_pattern": {"(": 4}}, r"'\(' is no pattern"),
        ({"rank_pattern": ["to_q"]}, r"rank_pattern is \['to_q'\], not a JSON object"),
        ({"r": None}, "r is None, not a number"),
    ],
)
def test_peft_folders_that_are_no_plain_lora(
    changes: dict[str, object], message: str, updates: dict[str, Update], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        open_lora(peft_folder(tmp_path, updates, **changes), SHAPES)


def test_a_peft_file_without_its_configuration_has_a_note(updates: dict[str, Update], tmp_path: Path) -> None:
    folder = peft_folder(tmp_path, updates)
    (folder / "adapter_config.json").unlink()
    lora = open_lora(folder, SHAPES)
    assert {layer.scale for layer in lora.layers} == {1.0}
    assert "adapter_config.json" in lora.notes[0]


def test_a_configuration_next_to_a_file_of_another_trainer_is_not_its_own(
    updates: dict[str, Update], tmp_path: Path
) -> None:
    file = save(peft_folder(tmp_path, updates, lora_alpha=100), lora_files.kohya(updates))
    assert {layer.name: layer.scale for layer in open_lora(file, SHAPES).layers}[LAYER] == 2


def test_text_encoder_keys_are_passed_over_and_named(updates: dict[str, Update], tmp_path: Path) -> None:
    text = {f"lora_te1_encoder_block_{i}_q.lora_down.weight": torch.zeros(4, 8) for i in range(5)}
    lora = open_lora(save(tmp_path, lora_files.kohya(updates) | text), SHAPES)
    assert {layer.name for layer in lora.layers} == set(updates)
    assert "5 keys adapt a text encoder and are not used (lora_te1_encoder_block_0_q" in lora.notes[0]
    with pytest.raises(InputError, match="adapts a text encoder only"):
        open_lora(save(tmp_path / "text", text), SHAPES)


KOHYA = "lora_unet__transformer_blocks_0_attn1_to_q"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({f"{KOHYA}.lora_down.weight": torch.zeros(4, 48)}, r"is \(4, 48\), this transformer needs \(rank, 32\)"),
        ({f"{KOHYA}.lora_down.weight": torch.zeros(4, 32, 1, 1)}, r"is \(4, 32, 1, 1\), this transformer needs"),
        ({f"{KOHYA}.lora_up.weight": torch.zeros(48, 4)}, r"is \(48, 4\), this transformer needs \(32, rank\)"),
        ({f"{KOHYA}.lora_up.weight": torch.zeros(32, 5)}, "the ranks differ"),
        ({f"{KOHYA}.lora_up.weight": None}, "lora_down.weight is there without the up matrix"),
        (
            {f"{KOHYA}.lora_up.weight": None, f"{KOHYA}.lora_down.weight": None},
            "alpha is there without the down matrix",
        ),
        ({f"{KOHYA}.alpha": torch.zeros(2)}, r"alpha is \[0.0, 0.0\], not one number"),
        ({f"{KOHYA}.alpha": torch.tensor(math.nan)}, "alpha is nan, not one number"),
        ({f"{KOHYA}.lora_up.weight": torch.zeros(32, 4, dtype=torch.int8)}, "is of type I8"),
        ({f"{KOHYA}.dora_scale": torch.zeros(32)}, "dora_scale belongs to DoRA"),
        ({f"{KOHYA}.hada_w1_a": torch.zeros(32, 4)}, "belongs to LoHa"),
        ({f"{KOHYA}.diff_b": torch.zeros(32)}, "diff_b belongs to differences of whole weights"),
        ({f"{KOHYA}.weight": torch.zeros(32, 32)}, "is not a key of a LoRA layer"),
        (
            {"transformer.transformer_blocks.0.attn1.to_q.lora_A.weight": torch.zeros(4, 32)},
            "are of one layer, transformer_blocks.0.attn1.to_q",
        ),
        (
            {"lora_unet__single_blocks_0_q.lora_up.weight": torch.zeros(32, 4)},
            r"no linear layer lora_unet__single_blocks_0_q \(1 of 22 keys are of layers that it lacks\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    tensors: dict[str, torch.Tensor | None], message: str, updates: dict[str, Update], tmp_path: Path
) -> None:
    content = lora_files.kohya(updates) | tensors
    file = save(tmp_path, {name: tensor for name, tensor in content.items() if tensor is not None})
    with pytest.raises(InputError, match=message) as error:
        open_lora(file, SHAPES, "export.lora")
    assert str(error.value).startswith(f"export.lora={file}: ")


def test_matrices_that_are_not_finite(updates: dict[str, Update], tmp_path: Path) -> None:
    tensors = lora_files.kohya(updates)
    tensors[f"{KOHYA}.lora_up.weight"] = tensors[f"{KOHYA}.lora_up.weight"].clone()
    tensors[f"{KOHYA}.lora_up.weight"][3, 1] = math.inf
    lora = open_lora(save(tmp_path, tensors), SHAPES)
    with pytest.raises(InputError, match=r"to_q.lora_up.weight holds values that are not finite"):
        list(read_matrices(lora, MaskExpansion.mean))


@pytest.mark.parametrize("rule", MaskExpansion)
def test_a_33_channel_patch_embedding_expands_by_rule(rule: MaskExpansion, tmp_path: Path) -> None:
    """Noisy latents and clip keep their columns; those of the mask channel are repeated and scaled."""
    generator = torch.Generator().manual_seed(0)
    width = SHAPES["patch_embed.proj"][0]
    down, up = torch.randn(4, 33 * 8, generator=generator), torch.randn(width, 4, generator=generator)
    name = "lora_unet__patch_embed_proj"
    file = save(tmp_path, {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up})
    ((layer, wide, _),) = read_matrices(open_lora(file, SHAPES), rule)
    assert layer.is_narrow and wide.shape == (4, 48 * 8)
    factor = {MaskExpansion.replicate: 1, MaskExpansion.mean: 1 / 16, MaskExpansion.zero: 0}[rule]
    channels = down.reshape(4, 33, 8)
    expected = [channels[:, k] for k in range(16)]
    expected += [factor * channels[:, 16]] * 16
    expected += [channels[:, k] for k in range(17, 33)]
    assert torch.equal(wide, torch.stack(expected, dim=1).reshape(4, 384))
    assert lora_identity(file, rule)["mask_expansion"] == rule.value


def test_the_identity_holds_what_the_effect_depends_on(updates: dict[str, Update], tmp_path: Path) -> None:
    folder = peft_folder(tmp_path, updates)
    first = lora_identity(folder, MaskExpansion.mean)
    assert "mask_expansion" not in first
    peft_folder(tmp_path, updates, lora_alpha=9)
    assert lora_identity(folder, MaskExpansion.mean) != first


def test_a_check_builds_no_network(toy_config: Callable[..., VoidConfig], tmp_path: Path) -> None:
    """What `void infer` asks before anything is loaded."""
    config = toy_config()
    shapes = linear_layers(config.model.transformer)
    width, columns = shapes["proj_out"]
    good = {"transformer.proj_out.lora_A.weight": torch.zeros(2, columns)}
    good |= {"transformer.proj_out.lora_B.weight": torch.zeros(width, 2)}
    (layer,) = check_lora(save(tmp_path, good), config).layers
    assert (layer.name, layer.rank) == ("proj_out", 2)
    wide = replace(config.model, transformer=config.model.transformer | {"num_attention_heads": 4})
    build_transformer(wide).save_pretrained(tmp_path / "step-000001" / "transformer")
    checkpoint = weights.Checkpoint(tmp_path / "step-000001", "", None, "")
    with pytest.raises(InputError, match=r"proj_out.lora_A.weight is \(2, 64\), this transformer needs \(rank, 128\)"):
        check_lora(tmp_path / "lora.safetensors", config, checkpoint)


def test_a_check_imports_neither_diffusers_nor_peft() -> None:
    code = (
        "import sys, void.pipelines.lora, void.models.lora as lora; lora.linear_layers({});"
        "print([name for name in ('diffusers', 'peft', 'transformers') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_keys_that_are_none() -> None:
    for key in ("transformer_blocks.0.attn1.to_q.weight", "alpha", ".alpha", "a.lora_A.b.c.weight", "x.lora_A.bias"):
        assert split_key(key) is None
