"""What training leaves behind: weights that a model can load, their measurements, and a picture to look at."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from void.conditioning import to_frames
from void.files import whole_file, write_json
from void.models.vae import VoidVAE, decode_latents, encode_moments
from void.models.vae_training.normalise import divide_latents, latent_statistics
from void.tensor_files import write_tensors

WEIGHTS, MEASUREMENTS, PICTURE = "vae.safetensors", "vae.json", "heldout.png"
SHOWN_CLIPS = 6


def export(average: VoidVAE, clips: dict[str, Tensor], root: Path, step: int) -> dict[str, Any]:
    """Write normalised weights, their measurements and a picture; returns the measurements, leaves `average` alone."""
    vae = VoidVAE.from_config(average.config).to(average.device).eval()
    vae.load_state_dict(average.state_dict())
    vae.requires_grad_(False)
    rgb = clips.get("rendered", clips["procedural"])
    divide_latents(vae, latent_statistics(vae, rgb)[1])
    for parameter in vae.parameters():
        parameter.data = parameter.half().float()
    mean_C, std_C = latent_statistics(vae, rgb)
    rebuilt = {kind: _rebuild(vae, kept) for kind, kept in clips.items()}
    measured = {
        "step": step,
        "parameters": sum(parameter.numel() for parameter in vae.parameters()),
        "psnr_db": {kind: _mean_psnr(kind, clips[kind], rebuilt[kind]) for kind in clips},
        "scaled_latent_mean": [round(value, 4) for value in mean_C.tolist()],
        "scaled_latent_std": [round(value, 4) for value in std_C.tolist()],
    }
    write_tensors(root / WEIGHTS, vae.state_dict(), dtype=torch.float16)
    write_json(root / MEASUREMENTS, {"config": _plain_config(vae), "measured": measured})
    _picture(root / PICTURE, clips, rebuilt)
    return measured


def _rebuild(vae: VoidVAE, video: Tensor) -> Tensor:
    mean_BTCHW, _ = encode_moments(vae, video)
    return decode_latents(vae, mean_BTCHW * vae.config.scaling_factor).cpu()


def _mean_psnr(kind: str, clips: Tensor, rebuilt: Tensor) -> float:
    """Mean over clips of the PSNR at peak 1: RGB is mapped to [0, 1] first, masks are in [0, 1] already."""
    low = 0.0 if "mask" in kind else -1.0
    errors = ((rebuilt.clamp(low, 1) - clips) / (1 - low)).square().mean(dim=(1, 2, 3, 4))
    return float(np.mean([psnr(error) for error in errors.tolist()]))


def psnr(squared_error: float) -> float:
    """Decibels at peak 1."""
    return -10 * math.log10(max(squared_error, 1e-10))


def _picture(path: Path, clips: dict[str, Tensor], rebuilt: dict[str, Tensor]) -> None:
    rows = []
    for kind in clips:
        for source in (clips[kind], rebuilt[kind]):
            shown = to_frames((source * 2 - 1 if "mask" in kind else source)[:SHOWN_CLIPS])
            rows.append(np.concatenate([frames_THWC[len(frames_THWC) // 2] for frames_THWC in shown], axis=1))
    width = max(row.shape[1] for row in rows)
    sheet = np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])
    with whole_file(path) as partial:
        cv2.imwrite(str(partial), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def _plain_config(vae: VoidVAE) -> dict[str, Any]:
    return {key: value for key, value in dict(vae.config).items() if not key.startswith("_")}
