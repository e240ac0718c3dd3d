"""The training loop of `void train-vae`.

ROOT/state.pt            last checkpoint: settings, step, weights, average, optimiser (tensors only)
ROOT/vae.safetensors     averaged weights, float16, latents normalised: what model.vae_weights can name
ROOT/vae.json            configuration and measurements of those weights
ROOT/heldout.png         middle frames of held-out clips (above) and of their reconstructions (below)
"""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from void.errors import InputError
from void.files import sha256_of, whole_file
from void.models.build import build_vae
from void.models.vae import VoidVAE
from void.models.vae_training.batches import Crops, heldout
from void.models.vae_training.config import VaeTrainingConfig
from void.models.vae_training.export import WEIGHTS, export, psnr
from void.models.vae_training.initial import tame
from void.models.vae_training.muon import Muon
from void.progress import progress_bar

if TYPE_CHECKING:
    from void.config import VoidConfig

STATE = "state.pt"
# Keys that may change between runs of the same folder.
FREE_KEYS = ("root", "steps", "log_every", "checkpoint_every", "heldout_clips")


def train_vae(cfg: VoidConfig, device: torch.device, console: Console) -> Path:
    """Train, continuing from the folder's checkpoint.

    Returns:
        the exported weights file.

    Raises:
        InputError: the folder holds a run of other settings, or the data are unusable.
    """
    training = cfg.vae_training
    root = Path(training.root)
    settings = _settings_hash(cfg)
    model_cfg = dataclasses.replace(cfg.model, vae_weights=training.init_from, dtype="float32")
    vae = build_vae(model_cfg)
    if training.init_from is None:
        tame(vae)
    vae.to(device).requires_grad_(True).train()
    optimizers = _optimizers(vae, training)
    average = AveragedModel(vae, multi_avg_fn=get_ema_multi_avg_fn(training.ema_decay))
    step = _restore(root / STATE, settings, vae, average, optimizers)
    if step >= training.steps and (root / WEIGHTS).is_file():
        console.print(f"{root / WEIGHTS} is done ({step} steps)")
        return root / WEIGHTS

    crops = Crops(training, cfg.seed, cfg.data.train_split)
    clips = heldout(training, cfg.seed, cfg.data.eval_split)
    begun, begun_at = time.perf_counter(), step
    with progress_bar("training the VAE", training.steps, step) as advance:
        while step < training.steps:
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * learning_rate_factor(training, step)
            video = crops.batch(step).to(device)
            loss, error = _losses(vae, video, training, noise_seed=cfg.seed + step)
            vae.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(vae.parameters(), training.max_grad_norm)
            for optimizer in optimizers:
                optimizer.step()
            average.update_parameters(vae)
            step += 1
            advance()
            if step % training.log_every == 0:
                seconds = (time.perf_counter() - begun) / (step - begun_at)
                console.print(
                    f"step {step}/{training.steps}  loss {loss.item():.4f}  psnr {psnr(error.item()):.1f} dB  "
                    f"lr {optimizers[0].param_groups[0]['lr']:.1e}  {seconds:.2f} s/step"
                )
            if step % training.checkpoint_every == 0 or step == training.steps:
                assert isinstance(average.module, VoidVAE)
                measured = export(average.module, clips, root, step)
                _save(root / STATE, settings, step, vae, average, optimizers)
                shown = "  ".join(f"{kind} {value:.2f} dB" for kind, value in measured["psnr_db"].items())
                console.print(f"  held-out {shown}")
    return root / WEIGHTS


def learning_rate_factor(cfg: VaeTrainingConfig, step: int) -> float:
    """Linear warm-up to 1, constant, then a cosine to zero over the last `decay_steps`."""
    warm = min(1.0, (step + 1) / max(1, cfg.warmup_steps))
    left = cfg.steps - step
    cool = 0.5 - 0.5 * math.cos(math.pi * left / cfg.decay_steps) if left < cfg.decay_steps else 1.0
    return warm * cool


def _optimizers(vae: VoidVAE, cfg: VaeTrainingConfig) -> list[torch.optim.Optimizer]:
    convolutions = [weight for weight in vae.parameters() if weight.ndim > 1]
    vectors = [weight for weight in vae.parameters() if weight.ndim <= 1]
    optimizers = [
        Muon(convolutions, lr=cfg.learning_rate),
        torch.optim.Adam(vectors, lr=cfg.vector_learning_rate, betas=(0.9, 0.99)),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def _losses(vae: VoidVAE, video: Tensor, cfg: VaeTrainingConfig, noise_seed: int) -> tuple[Tensor, Tensor]:
    """Training loss, and mean squared error per pixel on the [0, 1] scale."""
    generator = torch.Generator(video.device).manual_seed(noise_seed)
    with torch.autocast(video.device.type, torch.bfloat16, enabled=cfg.bf16):
        posterior = vae.encode(video).latent_dist
        mean, logvar = posterior.mean.float(), posterior.logvar.float()
        noise = torch.randn(mean.shape, generator=generator, device=video.device)
        rebuilt = vae.decode(mean + (0.5 * logvar).exp() * noise).sample.float()
    difference = rebuilt - video
    squared = difference.square().mean()
    gradient = torch.stack([difference.diff(dim=dim).abs().mean() for dim in (-1, -2, -3)]).mean()
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    loss = difference.abs().mean() + cfg.mse_weight * squared + cfg.gradient_weight * gradient + cfg.kl_weight * kl
    return loss, squared.detach() / 4


def _settings_hash(cfg: VoidConfig) -> str:
    training = {key: value for key, value in dataclasses.asdict(cfg.vae_training).items() if key not in FREE_KEYS}
    if cfg.vae_training.decay_steps:
        training["steps"] = cfg.vae_training.steps
    return sha256_of({"training": training, "vae": cfg.model.vae, "seed": cfg.seed, "init_seed": cfg.model.init_seed})


def _save(
    path: Path, settings: str, step: int, vae: VoidVAE, average: AveragedModel, optimizers: list[torch.optim.Optimizer]
) -> None:
    state = {
        "settings": settings,
        "step": step,
        "weights": vae.state_dict(),
        "average": average.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    with whole_file(path) as partial:
        torch.save(state, partial)


def _restore(
    path: Path, settings: str, vae: VoidVAE, average: AveragedModel, optimizers: list[torch.optim.Optimizer]
) -> int:
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["settings"] != settings:
        raise InputError(
            f"{path.parent} holds a run of other settings",
            "choose another name=NAME, or delete the folder to start again",
        )
    vae.load_state_dict(state["weights"])
    average.load_state_dict(state["average"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return int(state["step"])
