"""Comparisons with recorded outputs of the released code: each case is the largest difference of ours from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import CogVideoXDDIMScheduler, DDIMScheduler
from golden_models import model_config, settings, tensors
from parity.loader_case import PREFIX, compare_loader
from parity.result import Result
from rounding import GOLDEN_FORWARD, GOLDEN_VAE, Arithmetic, rms
from torch import Tensor, nn

from void.composition import compose_config
from void.conditioning import model_input
from void.models.build import build_transformer, build_vae
from void.models.expansion import expand_patch_embed
from void.models.rotary import rotary_tables
from void.models.vae import decode_latents, encode_moments
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask
from void.recipe import MaskExpansion

RUNS = ("pass1_single_window", "pass1_multidiffusion", "pass2_given_latents")
SCHEDULERS = {"DDIMScheduler": DDIMScheduler, "CogVideoXDDIMScheduler": CogVideoXDDIMScheduler}


@dataclass(frozen=True)
class Case:
    """A group of comparisons that needs one recorded file.

    Args:
        pattern: of the file below the folder.
        compare: from (folder, file) to results.
        shared_only: the file holds sample pixels, which are not to be committed.
    """

    pattern: str
    compare: Callable[[Path, Path], Iterator[Result]]
    shared_only: bool = False

    def files(self, folder: Path) -> list[Path]:
        """The recorded files; empty where there are none."""
        return sorted(folder.glob(self.pattern))


def largest_difference(ours: Tensor, recorded: Tensor) -> float:
    """Infinite where shapes differ, NaN where a value is NaN."""
    if ours.shape != recorded.shape:
        return float("inf")
    return (ours.float() - recorded.float()).abs().max().item()


def compared(name: str, ours: Tensor, recorded: Tensor, arithmetic: Arithmetic) -> Iterator[Result]:
    """The comparisons of two computations that add the same numbers in another order: largest and mean difference."""
    largest = largest_difference(ours, recorded)
    yield Result(name, largest, arithmetic.bound(recorded))
    mean = rms(ours.float() - recorded.float()) if math.isfinite(largest) else largest
    yield Result(f"{name}, rms", mean, arithmetic.rms_bound(recorded))


def thinned(video_BCTHW: Tensor, folder: Path) -> Tensor:
    """The rows and columns that a folder with thinning.json keeps of recorded videos; all of them without one."""
    if not (folder / "thinning.json").is_file():
        return video_BCTHW
    keep = settings("thinning", folder)
    rows, columns = (slice(keep[axis]["first"], None, keep[axis]["every"]) for axis in ("rows", "columns"))
    return video_BCTHW[..., rows, columns]


def compare_transformer(folder: Path, file: Path) -> Iterator[Result]:
    """One forward pass, with our rotary tables."""
    golden = tensors(file.stem, folder)
    transformer = build_transformer(model_config(folder)).eval()
    frames, height, width = (golden["hidden_states"].shape[axis] for axis in (1, 3, 4))
    cosine, sine = rotary_tables(transformer.config, frames, height, width, "cpu")
    # An angle of n radians is rounded to n units, and its cosine moves as much.
    angles = Arithmetic(depth=1, terms=1, gain=max(frames, height, width))
    yield from compared("rotary table, cosine", cosine, golden["rope_cos"], angles)
    yield from compared("rotary table, sine", sine, golden["rope_sin"], angles)
    with torch.no_grad():
        output_BTCHW = transformer(
            model_input(golden["hidden_states"], golden["inpaint_latents"]),
            golden["text_embeds"],
            golden["timesteps"],
            image_rotary_emb=(cosine, sine),
        ).sample
    yield from compared("transformer forward", output_BTCHW, golden["output"], GOLDEN_FORWARD)


def compare_vae(folder: Path, file: Path) -> Iterator[Result]:
    """Encoding, and decoding of the first n latents for every n that was recorded."""
    golden = tensors(file.stem, folder)
    vae = build_vae(model_config(folder))
    moments = encode_moments(vae, golden["video"])
    for name, ours_BTCHW in zip(("mean", "logvar"), moments, strict=True):
        yield from compared(f"VAE encode, {name}", ours_BTCHW.transpose(1, 2), golden[f"posterior_{name}"], GOLDEN_VAE)
    scaled_BTCHW = golden["posterior_mean"].transpose(1, 2) * vae.config.scaling_factor
    for count in sorted(int(key.removeprefix("decode_")) for key in golden if key.startswith("decode_")):
        video_BCTHW = thinned(decode_latents(vae, scaled_BTCHW[:, :count]), folder)
        yield from compared(f"VAE decode of {count} latents", video_BCTHW, golden[f"decode_{count}"], GOLDEN_VAE)


def compare_expansion(folder: Path, file: Path) -> Iterator[Result]:
    """33 to 48 input channels, as released."""
    golden = tensors(file.stem, folder)
    expanded = expand_patch_embed(golden["w_old"], MaskExpansion.replicate)
    yield Result("patch-embedding expansion", largest_difference(expanded, golden["w_new"]), 0.0)


def compare_run(folder: Path, file: Path) -> Iterator[Result]:
    """A whole sampling run from pixels: latents and pixels of the result."""
    golden, recorded, model = tensors(file.stem, folder), settings(file.stem, folder), model_config(folder)
    pipeline = VoidPipeline(
        build_transformer(model).eval(),
        build_vae(model),
        SCHEDULERS[recorded["scheduler"]](**model.scheduler),
        mask_levels=recorded["mask_rule"],
    )
    pipeline.set_progress_bar_config(disable=True)
    latents_BTCHW = pipeline(
        video=golden["video"] * 2 - 1,
        quadmask=Quadmask.unpack(golden["quadmask"][0, 0].numpy(), file.name),
        prompt_embeds=golden["prompt_embeds"],
        negative_prompt_embeds=golden["negative_prompt_embeds"],
        num_inference_steps=recorded["num_inference_steps"],
        guidance_scale=recorded["guidance_scale"],
        window_frames=recorded["window_frames"],
        overlap_frames=recorded["overlap_frames"],
        latents=golden["initial_latents"],
        output_type="latent",
    ).frames
    # Guidance g adds g errors of one branch to g - 1 of the other.
    sampling = Arithmetic(
        depth=2 * GOLDEN_VAE.depth + recorded["num_inference_steps"] * GOLDEN_FORWARD.depth,
        terms=GOLDEN_VAE.terms,
        gain=2 * recorded["guidance_scale"] - 1,
    )
    yield from compared(f"{file.stem}, latents", latents_BTCHW, golden["output_latents"], sampling)
    video_BCTHW = (decode_latents(pipeline.vae, latents_BTCHW) / 2 + 0.5).clamp(0, 1)
    yield from compared(f"{file.stem}, pixels", thinned(video_BCTHW, folder), golden["output_video"], sampling)


def compare_state_dicts(folder: Path, file: Path) -> Iterator[Result]:
    """Names and shapes of the full-size networks; the difference is how many disagree."""
    released = settings(file.stem, folder)
    model = compose_config(["model=cogvideox_fun_5b"]).model
    networks: dict[str, nn.Module] = {
        "transformer": build_transformer(model, meta=True),
        "vae": build_vae(model, meta=True),
    }
    for name, network in networks.items():
        ours = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
        wrong = [key for key in ours.keys() | released[name].keys() if ours.get(key) != released[name].get(key)]
        yield Result(f"names and shapes, {name}", len(wrong), 0)


CASES = (
    Case("transformer_forward.safetensors", compare_transformer),
    Case("vae_roundtrip.safetensors", compare_vae),
    Case("patch_embed_expansion.safetensors", compare_expansion),
    *(Case(f"{run}.safetensors", compare_run) for run in RUNS),
    Case("state_dict_5b.json", compare_state_dicts),
    Case(f"{PREFIX}*.npz", compare_loader, shared_only=True),
)
