"""What each step cache (`infer.cache`) gains in time and loses against sampling without one, at tiny size.

    .venv/bin/python benchmarks/step_caches.py

The tiny model on the CPU; all ratios come from one run, whose sampling goes by turns. A transformer is trained for the
purpose first, for some seconds, on clips of moving squares: random weights would measure a cache on noise. Time is CPU
time of one thread in the denoising loop; PSNR is between the decoded results with and without the cache.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from void.composition import compose_config
from void.conditioning import condition_latents, model_input
from void.models.build import build_scheduler, build_transformer, build_vae
from void.models.rotary import rotary_tables
from void.models.vae import decode_latents, encode_moments
from void.pipelines.config import Cache, InferConfig
from void.pipelines.step_caches import enable_step_cache
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask

SHAPE = (13, 48, 64)
STEPS = 30
CLIPS = 2
TRAINING_CLIPS = 12
HELD_OUT = 1000
CONSOLE = Console()


def main() -> None:
    """Train a little, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training-steps", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = compose_config(["model=tiny"])
    pipeline = VoidPipeline(build_transformer(config.model), build_vae(config.model), build_scheduler(config.model))
    pipeline.set_progress_bar_config(disable=True)
    train(pipeline, arguments.training_steps)
    table = Table(
        "cache", "guidance", "time, of none", "PSNR against none, dB", title=f"tiny model, {SHAPE}, {STEPS} steps"
    )
    for guidance_scale in (1.0, 3.0):
        for name, ratio, psnr in measured(pipeline, guidance_scale, arguments.repeats):
            table.add_row(name, f"{guidance_scale:g}", f"{ratio:.2f}", f"{psnr:.1f}")
    CONSOLE.print(table)


def settings() -> dict[str, dict[str, Any]]:
    """The caches, each with its defaults and with another number."""
    return {
        "first_block, threshold 0.05": {"cache": Cache.first_block, "cache_threshold": 0.05},
        "first_block, threshold 0.1": {"cache": Cache.first_block},
        "first_block, threshold 0.2": {"cache": Cache.first_block, "cache_threshold": 0.2},
        "pab, interval 2": {"cache": Cache.pab},
        "pab, interval 4": {"cache": Cache.pab, "cache_interval": 4},
        "faster, interval 2": {"cache": Cache.faster},
        "faster, interval 4": {"cache": Cache.faster, "cache_interval": 4},
    }


def measured(pipeline: VoidPipeline, guidance_scale: float, repeats: int) -> Iterator[tuple[str, float, float]]:
    """Name, ratio of time and PSNR of every cache at one guidance scale."""
    clips = [moving_square(seed) for seed in range(HELD_OUT, HELD_OUT + CLIPS)]
    conditions = [pipeline.encode_condition(with_object, quadmask) for with_object, _, quadmask in clips]
    for name, changes in settings().items():
        ratios, errors = [], []
        for index in range(repeats):
            mask, video = conditions[index % CLIPS]
            call = {"mask_latents": mask, "video_latents": video}
            plain, seconds = sampled(pipeline, call, guidance_scale, index)
            enable_step_cache(pipeline, InferConfig(root="", guidance_scale=guidance_scale, **changes))
            cached, cached_seconds = sampled(pipeline, call, guidance_scale, index)
            pipeline.transformer.disable_cache()
            ratios.append(cached_seconds / seconds)
            errors.append((decoded(pipeline, cached) - decoded(pipeline, plain)).square().mean().item())
        error = statistics.mean(errors)
        yield name, statistics.median(ratios), 10 * math.log10(4 / error) if error else math.inf


def sampled(pipeline: VoidPipeline, call: dict[str, Tensor], guidance_scale: float, seed: int) -> tuple[Tensor, float]:
    """Latents, and the CPU seconds that they took."""
    began = time.process_time()
    latents = pipeline(
        **call,
        prompt_embeds=text(pipeline, 1),
        negative_prompt_embeds=text(pipeline, 0),
        num_inference_steps=STEPS,
        guidance_scale=guidance_scale,
        generator=torch.Generator().manual_seed(seed),
        output_type="latent",
    ).frames
    return latents, time.process_time() - began


def decoded(pipeline: VoidPipeline, latents: Tensor) -> Tensor:
    """Pixels in [-1, 1]."""
    return decode_latents(pipeline.vae, latents).clamp(-1, 1)


def text(pipeline: VoidPipeline, seed: int) -> Tensor:
    """Fixed embeddings of one of two texts."""
    config = pipeline.transformer.config
    shape = (1, config.max_text_seq_length, config.text_embed_dim)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def moving_square(seed: int) -> tuple[np.ndarray, np.ndarray, Quadmask]:
    """A clip of a square over a gradient, the clip without it, and the mask."""
    frames, height, width = SHAPE
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    slopes = rng.uniform(0, 1.5, (2, 3))
    ground = rows[..., None] * slopes[0] + columns[..., None] * slopes[1] + rng.uniform(0, 60, 3)
    clean = np.repeat(np.clip(ground, 0, 255).astype(np.uint8)[None], frames, axis=0)
    primary = np.zeros(SHAPE, bool)
    top, left, speed = rng.integers(0, height - 20), rng.integers(0, width - 34), rng.integers(0, 2)
    for frame in range(frames):
        primary[frame, top : top + 20, left + speed * frame : left + speed * frame + 20] = True
    full = clean.copy()
    full[primary] = rng.integers(0, 256, 3)
    return full, clean, Quadmask(primary, np.zeros(SHAPE, bool))


def train(pipeline: VoidPipeline, steps: int) -> None:
    """Some steps of the velocity objective on a few clips, which are encoded once."""
    transformer, levels = pipeline.transformer.train(), pipeline.scheduler.alphas_cumprod
    encoded = [encode(pipeline, seed) for seed in range(TRAINING_CLIPS)]
    rotary = rotary_tables(transformer.config, *(encoded[0][0].shape[axis] for axis in (1, 3, 4)), "cpu")
    optimizer = torch.optim.AdamW(transformer.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        target, condition = encoded[step % TRAINING_CLIPS]
        noise = torch.randn(target.shape, generator=generator)
        timestep = torch.randint(len(levels), (1,), generator=generator)
        signal, sigma = levels[timestep].sqrt(), (1 - levels[timestep]).sqrt()
        velocity = transformer(
            model_input(signal * target + sigma * noise, condition),
            text(pipeline, int(step % 10 > 0)),
            timestep,
            image_rotary_emb=rotary,
            return_dict=False,
        )[0]
        loss = (velocity - (signal * noise - sigma * target)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 40 == 0 or step == steps - 1:
            CONSOLE.print(f"training step {step}: loss {loss.item():.3f}")
    transformer.eval()


def encode(pipeline: VoidPipeline, seed: int) -> tuple[Tensor, Tensor]:
    """Scaled latents of a clip without its object, and its condition."""
    full, clean, quadmask = moving_square(seed)
    pixels = torch.from_numpy(clean).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    target = encode_moments(pipeline.vae, pixels)[0] * pipeline.vae.config.scaling_factor
    return target, condition_latents(*pipeline.encode_condition(full, quadmask))


if __name__ == "__main__":
    main()
