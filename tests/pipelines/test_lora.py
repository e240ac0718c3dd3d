"""LoRA: saved by peft, loaded, scaled, unloaded; and files that are not a LoRA of this transformer."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from golden_models import GOLDEN, model_config
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import Tensor

from void.errors import InputError
from void.models.build import build_scheduler, build_transformer, build_vae
from void.pipelines.lora import load_lora
from void.pipelines.void_pipeline import VoidPipeline

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
            torch.testing.assert_close(result, expected if scale else plain, atol=1e-6, rtol=0)
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
            "no linear layer single_blocks.0.to_q",
        ),
        ({"text_encoder.block.0.q.lora_A.weight": torch.zeros(4, 32)}, "text_encoder.block.0.q.lora_A.weight is not"),
        ({f"{LAYER}.alpha": torch.zeros(1)}, "to_k.alpha is not a key of the form"),
    ],
)
def test_lora_of_another_model(
    pipeline: VoidPipeline, saved: tuple[Path, Tensor], tensors: dict[str, Tensor | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_lora(pipeline, change(saved[0], **tensors))
    assert not any("lora" in name for name, _ in pipeline.transformer.named_parameters())


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
