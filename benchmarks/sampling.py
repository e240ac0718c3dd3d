"""What sampling costs beside the transformer's forward passes, and how often the other networks run.

    .venv/bin/python benchmarks/sampling.py

At tiny size on the CPU: seconds of a denoising step in our loop over those of the bare forward pass, taken by turns in
one run (CPU time of one thread, which other programs disturb less). With a GPU also the 5 B model with random bfloat16
weights: seconds and model FLOP utilisation of a step of 85 x 384 x 672, eager and compiled (`--peak TFLOPS` of the GPU,
dense bfloat16), and peak memory of each memory mode.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from void.composition import compose_config
from void.conditioning import model_input
from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_transformer, build_vae
from void.models.config import ModelConfig
from void.models.rotary import rotary_tables
from void.pipelines.config import InferConfig, Memory
from void.pipelines.memory import apply_memory
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask
from void.shapes import latent_shape

STEPS = 12
REPEATS = 25
TINY = (21, 96, 128)
FULL = (85, 384, 672)
CONSOLE = Console()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peak", type=float, help="dense bfloat16 TFLOP/s of the GPU, for the utilisation")
    peak = parser.parse_args().peak
    # Threads that wait for one another make a busy machine slow and the ratio noisy.
    torch.set_num_threads(1)
    tiny = compose_config(["model=tiny"]).model
    report_overhead(tiny)
    report_calls(tiny)
    if torch.cuda.is_available():
        full = compose_config(["model=cogvideox_fun_5b"]).model
        report_steps(full, peak)
        report_memory(full)
    else:
        CONSOLE.print("no GPU: nothing measured at full size")


def report_overhead(model: ModelConfig) -> None:
    """Our loop against as many bare forward passes on the same input."""
    transformer = build_transformer(model).eval()
    pipeline = VoidPipeline(transformer, build_vae(model), build_scheduler(model))
    pipeline.set_progress_bar_config(disable=True)
    call = cached_inputs(model, TINY, torch.float32, "cpu")
    rows_BTCHW = model_input(call["latents"], torch.cat([call["mask_latents"], call["video_latents"]], dim=2))
    tables = rotary_tables(transformer.config, *grid(TINY), "cpu")
    timestep_B = torch.tensor([500])

    @torch.no_grad()
    def bare() -> None:
        for _ in range(STEPS):
            transformer(rows_BTCHW, call["prompt_embeds"], timestep_B, image_rotary_emb=tables, return_dict=False)

    def ours() -> None:
        pipeline(**call, num_inference_steps=STEPS, output_type="latent")

    times: dict[str, list[float]] = {"bare forward": [], "our loop": []}
    turns = [("bare forward", bare), ("our loop", ours)]
    for _ in range(REPEATS + 1):
        # The other one first, next time.
        turns.reverse()
        for name, work in turns:
            times[name].append(seconds(work, time.process_time) / STEPS)
    # The first round warms up.
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    ratio = statistics.median(
        ours / bare for bare, ours in zip(times["bare forward"][1:], times["our loop"][1:], strict=True)
    )
    table = Table(
        "a step", "ms of CPU time, median", title=f"tiny model, {' x '.join(map(str, TINY))}, {STEPS} steps, batch 1"
    )
    for name, median in medians.items():
        table.add_row(name, f"{1000 * median:.2f}")
    CONSOLE.print(table)
    CONSOLE.print(f"our loop / bare forward: {ratio:.3f} (median of {REPEATS} pairs; goal: below 1.03)")


def report_calls(model: ModelConfig) -> None:
    """Forward passes of each network for one long clip with guidance, from pixels and text."""
    pipeline = VoidPipeline(
        build_transformer(model).eval(),
        build_vae(model),
        build_scheduler(model),
        build_tokenizer(model),
        build_text_encoder(model),
    )
    pipeline.set_progress_bar_config(disable=True)
    frames, height, width = 37, 32, 48
    quadmask = Quadmask(*torch.zeros(2, frames, height, width, dtype=torch.bool).numpy())
    counts = {"transformer": 0, "text_encoder": 0, "vae encode": 0, "vae decode": 0}

    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return work(*args, **kwargs)

        return call

    pipeline.transformer.forward = counted("transformer", pipeline.transformer.forward)
    pipeline.text_encoder.forward = counted("text_encoder", pipeline.text_encoder.forward)
    pipeline.vae.encode = counted("vae encode", pipeline.vae.encode)
    pipeline.vae.decode = counted("vae decode", pipeline.vae.decode)
    pipeline(
        "a floor",
        video=torch.zeros(frames, height, width, 3, dtype=torch.uint8).numpy(),
        quadmask=quadmask,
        num_inference_steps=2,
        guidance_scale=2.0,
        window_frames=13,
        overlap_frames=8,
    )
    table = Table("network", "calls", title="one clip: 4 windows, 2 steps, guidance, two texts")
    for name, count in counts.items():
        table.add_row(name, str(count))
    CONSOLE.print(table)


def report_steps(model: ModelConfig, peak: float | None) -> None:
    """Seconds of a full-size step, eager and compiled."""
    table = Table("5 B transformer", "s a step", "TFLOP a step", "utilisation", title=torch.cuda.get_device_name())
    call = cached_inputs(model, FULL, torch.bfloat16, "cuda")
    pipeline = full_pipeline(model)
    apply_memory(pipeline, InferConfig(root=""), torch.device("cuda"))

    def sample(steps: int) -> None:
        pipeline(**call, num_inference_steps=steps, output_type="latent")

    with FlopCounterMode(display=False) as counter:
        sample(1)
    flops = counter.get_total_flops()
    for name in ("eager", "compiled"):
        if name == "compiled":
            for block in pipeline.transformer.transformer_blocks:
                block.compile(fullgraph=True)
        sample(1)
        # Two lengths: their difference holds steps alone.
        short, long = (
            statistics.median(gpu_seconds(functools.partial(sample, steps)) for _ in range(3)) for steps in (1, 5)
        )
        step = (long - short) / 4
        used = f"{flops / step / (peak * 1e12):.1%}" if peak else "give --peak"
        table.add_row(name, f"{step:.2f}", f"{flops / 1e12:.1f}", used)
    CONSOLE.print(table)


def report_memory(model: ModelConfig) -> None:
    """Peak memory of two steps and the decoding in each mode; texts are encoded beforehand."""
    table = Table("memory", "fp8", "peak, GiB", title=f"{' x '.join(map(str, FULL))}")
    for memory in Memory:
        for fp8 in (False, True):
            pipeline = full_pipeline(model)
            apply_memory(pipeline, InferConfig(root="", memory=memory, fp8=fp8), torch.device("cuda"))
            torch.cuda.reset_peak_memory_stats()
            pipeline(**cached_inputs(model, FULL, torch.bfloat16, "cuda"), num_inference_steps=2)
            table.add_row(memory.value, str(fp8), f"{torch.cuda.max_memory_allocated() / 2**30:.1f}")
            del pipeline
            torch.cuda.empty_cache()
    CONSOLE.print(table)


def full_pipeline(model: ModelConfig) -> VoidPipeline:
    """The full-size networks on the CPU, with random bfloat16 weights."""
    networks = (build_transformer(model, meta=True), build_vae(model, meta=True))
    for network in networks:
        nn.Module.to(network, torch.bfloat16).to_empty(device="cpu").eval()
        for parameter in network.parameters():
            parameter.data.normal_(std=0.02)
    pipeline = VoidPipeline(*networks, build_scheduler(model))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def cached_inputs(model: ModelConfig, size: tuple[int, int, int], dtype: torch.dtype, device: str) -> dict[str, Tensor]:
    """A text embedding, condition latents and noise, as they come out of caches."""
    draws = torch.Generator().manual_seed(0)
    shape = (1, *latent_shape(*size))
    text = (1, model.transformer["max_text_seq_length"], model.transformer["text_embed_dim"])
    shapes = {"prompt_embeds": text, "mask_latents": shape, "video_latents": shape, "latents": shape}
    return {name: torch.randn(shape, generator=draws).to(device, dtype) for name, shape in shapes.items()}


def grid(size: tuple[int, int, int]) -> tuple[int, int, int]:
    """Latent frames, rows and columns."""
    frames, _, rows, columns = latent_shape(*size)
    return frames, rows, columns


def seconds(work: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> float:
    """Of one call."""
    started = clock()
    work()
    return clock() - started


def gpu_seconds(work: Callable[[], None]) -> float:
    """The same, until the GPU is idle."""

    def finished() -> None:
        work()
        torch.cuda.synchronize()

    return seconds(finished)


if __name__ == "__main__":
    main()
