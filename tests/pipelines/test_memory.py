"""Memory modes. What needs a GPU is marked so; the same hooks run here with the CPU as the working device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from golden_models import model_config
from rounding import GOLDEN_SAMPLING, assert_same
from torch import Tensor, nn

from void.errors import InputError
from void.models.attention import set_attention_backend
from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_transformer, build_vae
from void.pipelines.config import InferConfig, Memory
from void.pipelines.memory import apply_memory, place
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask

CPU = torch.device("cpu")
OFFLOADS = [Memory.model_offload, Memory.group_offload, Memory.sequential_offload]


def build() -> VoidPipeline:
    model = model_config()
    parts = (build_scheduler(model), build_tokenizer(model), build_text_encoder(model))
    made = VoidPipeline(build_transformer(model).eval(), build_vae(model), *parts)
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture
def pipeline() -> VoidPipeline:
    return build()


def sample(pipeline: VoidPipeline) -> Tensor:
    rng = np.random.default_rng(0)
    primary_THW = np.zeros((13, 32, 48), bool)
    primary_THW[:, 8:16, 8:24] = True
    return pipeline(
        "a floor",
        video=rng.integers(0, 256, (13, 32, 48, 3), dtype=np.uint8),
        quadmask=Quadmask(primary_THW, np.roll(primary_THW, 8, axis=1)),
        num_inference_steps=2,
        guidance_scale=2.0,
        window_frames=13,
        overlap_frames=8,
        generator=torch.Generator().manual_seed(1),
        output_type="pt",
    ).frames.cpu()


@pytest.fixture(scope="module")
def plain() -> Tensor:
    return sample(build())


def apply(pipeline: VoidPipeline, device: torch.device = CPU, **settings: Any) -> VoidPipeline:
    apply_memory(pipeline, InferConfig(root="unused", **settings), device)
    return pipeline


def difference(ours: Tensor, plain: Tensor) -> float:
    """Root mean square, relative to that of the other."""
    return ((ours - plain).square().mean().sqrt() / plain.square().mean().sqrt()).item()


@pytest.mark.parametrize("memory", OFFLOADS)
def test_offloading_needs_a_gpu(pipeline: VoidPipeline, memory: Memory) -> None:
    with pytest.raises(InputError, match=f"infer.memory={memory.value} .* the device is the CPU"):
        apply(pipeline, memory=memory)


def test_nothing_asked_changes_nothing(pipeline: VoidPipeline, plain: Tensor) -> None:
    assert torch.equal(sample(apply(pipeline)), plain)


@pytest.mark.parametrize("memory", [Memory.model_offload, Memory.group_offload])
def test_offloading_hooks_change_nothing(pipeline: VoidPipeline, plain: Tensor, memory: Memory) -> None:
    place(pipeline, memory, CPU)
    assert pipeline.vae.use_slicing
    for _ in range(2):
        assert_same(sample(pipeline), plain, GOLDEN_SAMPLING)


@pytest.mark.parametrize("memory", [Memory.full, Memory.group_offload])
def test_8_bit_weights_are_near(pipeline: VoidPipeline, plain: Tensor, memory: Memory) -> None:
    apply(pipeline, fp8=True)
    if memory is not Memory.full:
        place(pipeline, memory, CPU)
    found = difference(sample(pipeline), plain)
    # Measured: 0.0012.
    assert 0 < found < 0.005
    types = {name: parameter.dtype for name, parameter in pipeline.transformer.named_parameters()}
    assert types["transformer_blocks.0.attn1.to_q.weight"] == torch.float8_e4m3fn
    assert types["patch_embed.proj.weight"] == types["norm_final.weight"] == torch.float32
    assert pipeline.transformer.dtype == torch.float32


def test_tiling_reaches_the_vae(pipeline: VoidPipeline) -> None:
    assert apply(pipeline, vae_tiling=True).vae.use_tiling


@pytest.mark.parametrize("name", ["native", "_native_math"])
def test_attention_backends_agree(
    pipeline: VoidPipeline, plain: Tensor, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(pipeline, attention=name)
    assert_same(sample(pipeline), plain, GOLDEN_SAMPLING)
    # It is our processor that ran, on that backend.
    used = {processor._attention_backend for processor in pipeline.transformer.attn_processors.values()}
    assert used == {name}


def test_attention_backends_that_cannot_be_had(pipeline: VoidPipeline) -> None:
    with pytest.raises(InputError, match=r"(?s)infer\.attention=flashy is not .* use one of .*native"):
        apply(pipeline, attention="flashy")
    with pytest.raises(InputError, match=r"(?s)infer\.attention=sage cannot be used here .* infer\.attention=native"):
        set_attention_backend(pipeline.transformer, "sage")


@pytest.mark.parametrize(("settings", "whole"), [({}, True), ({"attention": "native"}, True), ({"fp8": True}, False)])
def test_compiled_blocks(
    pipeline: VoidPipeline, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], whole: bool
) -> None:
    """Traced by dynamo, which is what breaks; the code generator is left out because it takes half a minute."""
    compiled = []
    compile_module = nn.Module.compile

    def trace_only(module: nn.Module, **options: Any) -> None:
        compiled.append(options)
        compile_module(module, backend="eager", **options)

    expected = sample(apply(build(), **settings))
    monkeypatch.setattr(nn.Module, "compile", trace_only)
    torch.compiler.reset()
    for block in apply(pipeline, compile=True, **settings).transformer.transformer_blocks:
        assert block._compiled_call_impl is not None
    assert compiled == [{"fullgraph": whole}] * 2
    assert_same(sample(pipeline), expected, GOLDEN_SAMPLING)


@pytest.mark.slow
def test_compiled_to_machine_code(pipeline: VoidPipeline, plain: Tensor) -> None:
    assert_same(sample(apply(pipeline, compile=True)), plain, GOLDEN_SAMPLING)


@pytest.mark.gpu
@pytest.mark.parametrize("fp8", [False, True])
@pytest.mark.parametrize("memory", list(Memory))
def test_modes_on_a_gpu(pipeline: VoidPipeline, plain: Tensor, memory: Memory, fp8: bool) -> None:
    apply(pipeline, torch.device("cuda"), memory=memory, fp8=fp8)
    for _ in range(2):
        assert difference(sample(pipeline), plain) < 0.02


@pytest.mark.gpu
def test_offloaded_networks_leave_the_gpu(pipeline: VoidPipeline) -> None:
    apply(pipeline, torch.device("cuda"), memory=Memory.model_offload)
    sample(pipeline)
    assert {component.device.type for component in (pipeline.transformer, pipeline.vae, pipeline.text_encoder)} == {
        "cpu"
    }


@pytest.mark.gpu
def test_windows_share_a_batch_on_a_gpu(pipeline: VoidPipeline, plain: Tensor) -> None:
    rows: list[int] = []
    apply(pipeline, torch.device("cuda"))
    pipeline.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: rows.append(len(kwargs["hidden_states"])), with_kwargs=True
    )
    assert difference(sample(pipeline), plain) < 0.02
    assert set(rows) == {2}
