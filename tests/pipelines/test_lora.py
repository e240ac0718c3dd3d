"""LoRA in a pipeline: files of every layout act as the merged weights do; loaded, scaled, unloaded; and refused."""

from __future__ import annotations

import copy
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_models import GOLDEN, model_config
from lora_files import LAYOUTS, Update, kohya, merged, random_updates, save
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from rounding import GOLDEN_STEPS, Arithmetic, assert_same
from safetensors.torch import load_file, save_file
from torch import Tensor

from void.errors import InputError
from void.models.build import build_scheduler, build_transformer, build_vae
from void.models.expansion import expand_patch_embed
from void.pipelines.lora import load_lora
from void.pipelines.void_pipeline import VoidPipeline
from void.recipe import MaskExpansion

FILE = "pytorch_lora_weights.safetensors"


@pytest.fixture(scope="module")
def bare() -> VoidPipeline:
    model = model_config()
    return VoidPipeline(build_transformer(model).eval(), build_vae(model), build_scheduler(model))


@pytest.fixture
def pipeline(bare: VoidPipeline) -> VoidPipeline:
    made = VoidPipeline(**{**bare.components, "transformer": copy.deepcopy(bare.transformer)})
    made.set_progress_bar_config(disable=True)
    return made


def sample(pipeline: VoidPipeline) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    return pipeline(
        prompt_embeds=torch.randn(1, 16, 24, generator=draws),
        mask_latents=torch.randn(1, 2, 16, 4, 6, generator=draws),
        video_latents=torch.randn(1, 2, 16, 4, 6, generator=draws),
        num_inference_steps=2,
        generator=draws,
        output_type="latent",
    ).frames


@pytest.fixture
def saved(pipeline: VoidPipeline, tmp_path: Path) -> tuple[Path, Tensor]:
    """A LoRA made by peft on the transformer, and what the pipeline gives with it."""
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    pipeline.transformer.add_adapter(config)
    draws = torch.Generator().manual_seed(1)
    for name, parameter in pipeline.transformer.named_parameters():
        if "lora_" in name:
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=draws)
    expected = sample(pipeline)
    VoidPipeline.save_lora_weights(
        tmp_path,
        transformer_lora_layers=get_peft_model_state_dict(pipeline.transformer),
        transformer_lora_adapter_metadata=config.to_dict(),
    )
    pipeline.unload_lora_weights()
    return tmp_path, expected


def test_loaded_scaled_and_unloaded(pipeline: VoidPipeline, saved: tuple[Path, Tensor]) -> None:
    folder, expected = saved
    plain = sample(pipeline)
    assert not torch.allclose(expected, plain, atol=1e-3)
    for path, scale in ((folder, 1.0), (folder / FILE, 1.0), (folder, 0.0), (folder, 0.5)):
        load_lora(pipeline, path, scale)
        result = sample(pipeline)
        if scale in (0.0, 1.0):
            assert_same(result, expected if scale else plain, GOLDEN_STEPS)
        else:
            assert not torch.allclose(result, expected, atol=1e-3) and not torch.allclose(result, plain, atol=1e-3)
        pipeline.unload_lora_weights()
    torch.testing.assert_close(sample(pipeline), plain, atol=0, rtol=0)


def change(folder: Path, **tensors: Tensor | None) -> Path:
    content = load_file(folder / FILE) | tensors
    file = folder / "changed.safetensors"
    save_file({name: tensor for name, tensor in content.items() if tensor is not None}, file)
    return file


LAYER = "transformer.transformer_blocks.0.attn1.to_k"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({f"{LAYER}.lora_A.weight": torch.zeros(4, 48)}, r"to_k.lora_A.weight is \(4, 48\), .* needs \(rank, 32\)"),
        ({f"{LAYER}.lora_B.weight": torch.zeros(48, 4)}, r"to_k.lora_B.weight is \(48, 4\), .* needs \(32, rank\)"),
        ({f"{LAYER}.lora_A.weight": torch.zeros(2, 32)}, "the ranks differ"),
        ({f"{LAYER}.lora_B.weight": None}, "to_k.lora_A.weight is there without"),
        (
            {"transformer.single_blocks.0.to_q.lora_A.weight": torch.zeros(4, 32)},
            "no linear layer transformer.single_blocks.0.to_q",
        ),
        ({f"{LAYER}.scale": torch.zeros(1)}, "to_k.scale is not a key of a LoRA layer"),
    ],
)
def test_lora_of_another_model(
    pipeline: VoidPipeline, saved: tuple[Path, Tensor], tensors: dict[str, Tensor | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_lora(pipeline, change(saved[0], **tensors))
    assert not any("lora" in name for name, _ in pipeline.transformer.named_parameters())


def assert_same_effect(pipeline: VoidPipeline, expected: Tensor) -> None:
    """What is sampled with the adapter is what is sampled with the merged weights."""
    assert_same(sample(pipeline), expected, GOLDEN_STEPS)


def assert_adds(pipeline: VoidPipeline, updates: dict[str, Update], factor: float) -> None:
    """What the adapter adds to each weight, as peft computes it, is the update, to the rounding of its few terms."""
    for layer, update in updates.items():
        added = pipeline.transformer.get_submodule(layer).get_delta_weight("lora")
        assert_same(added, factor * update.delta, Arithmetic(depth=4, terms=4))


def with_merged(pipeline: VoidPipeline, updates: dict[str, Update], factor: float = 1.0) -> Tensor:
    transformer = merged(pipeline.transformer, updates, factor)
    changed = VoidPipeline(**{**pipeline.components, "transformer": transformer})
    changed.set_progress_bar_config(disable=True)
    return sample(changed)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("scale", [1.0, -0.5])
def test_every_layout_acts_as_the_merged_weights(
    layout: str, scale: float, pipeline: VoidPipeline, tmp_path: Path
) -> None:
    updates = random_updates(pipeline.transformer)
    expected, plain = with_merged(pipeline, updates, scale), sample(pipeline)
    assert (expected - plain).abs().max() > 0.05
    load_lora(pipeline, save(tmp_path, LAYOUTS[layout](updates)), scale)
    assert_adds(pipeline, updates, scale)
    assert_same_effect(pipeline, expected)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_rslora": True},
        {"rank_pattern": {"to_q": 2, "proj_out": 5}, "alpha_pattern": {"attn1.to_q": 7, r"ff\.net\..*": 1}},
    ],
)
def test_a_folder_that_peft_wrote(options: dict[str, Any], pipeline: VoidPipeline, tmp_path: Path) -> None:
    targets = ["to_q", "to_out.0", "ff.net.2", "proj", "proj_out", "norm1.linear"]
    config = LoraConfig(r=3, lora_alpha=8, target_modules=targets, **options)
    model = get_peft_model(copy.deepcopy(pipeline.transformer), config)
    generator = torch.Generator().manual_seed(2)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(tmp_path)
    of_peft = VoidPipeline(**{**pipeline.components, "transformer": model.merge_and_unload()})
    of_peft.set_progress_bar_config(disable=True)
    expected = sample(of_peft)
    load_lora(pipeline, tmp_path)
    assert_same_effect(pipeline, expected)


def test_a_file_that_diffusers_wrote_has_its_scale_in_the_header(pipeline: VoidPipeline, tmp_path: Path) -> None:
    updates = {name: replace(one, alpha=8.0) for name, one in random_updates(pipeline.transformer).items()}
    expected = with_merged(pipeline, updates)
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=list(updates),
        rank_pattern={name: len(one.down) for name, one in updates.items()},
    )
    layers = {
        f"{name}.lora_{letter}.weight": matrix
        for name, one in updates.items()
        for letter, matrix in (("A", one.down), ("B", one.up))
    }
    VoidPipeline.save_lora_weights(
        tmp_path, transformer_lora_layers=layers, transformer_lora_adapter_metadata=config.to_dict()
    )
    load_lora(pipeline, tmp_path)
    assert_same_effect(pipeline, expected)


@pytest.mark.parametrize("rule", MaskExpansion)
def test_a_lora_of_33_channels_acts_as_its_merged_and_expanded_base(
    rule: MaskExpansion, pipeline: VoidPipeline, tmp_path: Path
) -> None:
    """Expanding base + update is expanding the base, and adding the update expanded by the same rule."""
    proj = pipeline.transformer.patch_embed.proj
    generator = torch.Generator().manual_seed(3)
    base = 0.1 * torch.randn(len(proj.weight), 33 * 8, generator=generator)
    update = Update(
        torch.randn(4, 33 * 8, generator=generator), 0.05 * torch.randn(len(proj.weight), 4, generator=generator), 2.0
    )
    proj.weight.data = expand_patch_embed(base + update.delta, rule)
    expected = sample(pipeline)
    proj.weight.data = expand_patch_embed(base, rule)
    load_lora(pipeline, save(tmp_path, kohya({"patch_embed.proj": update})), expansion=rule)
    assert_same_effect(pipeline, expected)


def test_text_encoder_keys_are_warned_about(
    pipeline: VoidPipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    updates = random_updates(pipeline.transformer)
    expected = with_merged(pipeline, updates)
    text = {"lora_te_encoder_block_0_q.alpha": torch.tensor(1.0)}
    with caplog.at_level(logging.WARNING):
        load_lora(pipeline, save(tmp_path, kohya(updates) | text))
    assert "1 keys adapt a text encoder and are not used (lora_te_encoder_block_0_q.alpha)" in caplog.text
    assert_same_effect(pipeline, expected)


def test_the_adapter_has_the_type_of_the_transformer(pipeline: VoidPipeline, tmp_path: Path) -> None:
    pipeline.transformer.to(torch.bfloat16)
    load_lora(pipeline, save(tmp_path, kohya(random_updates(pipeline.transformer))))
    types = {parameter.dtype for name, parameter in pipeline.transformer.named_parameters() if "lora_" in name}
    assert types == {torch.bfloat16}


def test_files_that_are_no_lora(pipeline: VoidPipeline, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "lora.bin")
    torch.save({"a": torch.zeros(1)}, tmp_path / "disguised.safetensors")
    (tmp_path / "short.safetensors").write_bytes((GOLDEN / "transformer.safetensors").read_bytes()[:5000])
    for path, message in (
        (GOLDEN / "transformer.safetensors", "goes to infer.checkpoint"),
        (tmp_path / "lora.bin", "pickles are not read"),
        (tmp_path / "disguised.safetensors", "pickles are not read"),
        (tmp_path / "short.safetensors", "cannot be read"),
        (tmp_path / "absent.safetensors", "does not exist"),
    ):
        with pytest.raises(InputError, match=message):
            load_lora(pipeline, path)
