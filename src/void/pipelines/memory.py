"""Where a pipeline's networks live while it samples, and in what form.

The order matters: adapters and casts change layers, hooks that move weights come after them, compilation last.
"""

from __future__ import annotations

import torch
from diffusers.hooks import apply_group_offloading

from void.errors import InputError
from void.models.attention import set_attention_backend
from void.pipelines.config import Cache, InferConfig, Memory
from void.pipelines.lora import load_lora
from void.pipelines.step_caches import enable_step_cache
from void.pipelines.void_pipeline import VoidPipeline
from void.recipe import MaskExpansion

STORAGE = torch.float8_e4m3fn


def apply_memory(
    pipeline: VoidPipeline, infer: InferConfig, device: torch.device, expansion: MaskExpansion | None = None
) -> None:
    """Prepare a pipeline whose networks are on the CPU, in place.

    Args:
        pipeline: fresh: nothing of this has been done to it.
        infer: `memory`, `fp8`, `vae_tiling`, `attention`, `compile`, `cache`, its two numbers, `guidance_scale`, `lora`
            and `lora_scale` are read.
        device: where networks work.
        expansion: Rule by which a LoRA's patch embedding of 33 input channels gets 48; None for the default recipe's.

    Raises:
        InputError: offloading without a GPU, an attention backend that is unknown or cannot be used here, or a LoRA
            that does not fit.
    """
    check_memory(infer, device)
    transformer = pipeline.transformer
    if infer.attention is not None:
        set_attention_backend(transformer, infer.attention)
    if infer.lora is not None:
        load_lora(pipeline, infer.lora, infer.lora_scale, expansion)
    if infer.fp8:
        # diffusers leaves out the patch embedding, the norms and the LoRA.
        transformer.enable_layerwise_casting(storage_dtype=STORAGE, compute_dtype=transformer.dtype)
    enable_step_cache(pipeline, infer)
    if infer.vae_tiling:
        pipeline.vae.enable_tiling()
    place(pipeline, infer.memory, device)
    if infer.compile:
        # Hooks that cast or move weights, or choose what to compute, break the graph of a block.
        hooked = infer.fp8 or infer.cache is not Cache.none
        whole = not hooked and infer.memory in (Memory.full, Memory.model_offload)
        for block in transformer.transformer_blocks:
            block.compile(fullgraph=whole)


def check_memory(infer: InferConfig, device: torch.device) -> None:
    """Raise InputError where `infer.memory` cannot be had on a device."""
    if infer.memory is not Memory.full and device.type == "cpu":
        raise InputError(
            f"infer.memory={infer.memory.value} moves networks between a GPU and the CPU, and the device is the CPU",
            "use infer.memory=full",
        )


def place(pipeline: VoidPipeline, memory: Memory, device: torch.device) -> None:
    """Put the networks on `device`, or make them come there when they are needed.

    With any offloading the VAE encodes mask and clip one after the other and not as one batch.
    """
    if memory is not Memory.full:
        pipeline.vae.enable_slicing()
    if memory is Memory.model_offload:
        pipeline.enable_model_cpu_offload(device=device)
    elif memory is Memory.sequential_offload:
        pipeline.enable_sequential_cpu_offload(device=device)
    elif memory is Memory.group_offload:
        # With streams the next block travels while this one works.
        streams = device.type == "cuda"
        pipeline.transformer.enable_group_offload(
            onload_device=device, offload_type="block_level", num_blocks_per_group=1, use_stream=streams
        )
        if pipeline.text_encoder is not None:
            # Its blocks lie too deep for block_level, which would take it as one.
            apply_group_offloading(
                pipeline.text_encoder, onload_device=device, offload_type="leaf_level", use_stream=streams
            )
        pipeline.vae.to(device)
    else:
        pipeline.to(device)
