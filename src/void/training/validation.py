"""Validation: the loss at fixed noise levels of held-out pairs, and videos of what the current weights make of them.

Reads the cache alone, so the input and the target are shown as the VAE decodes them: the best that a prediction can
reach.

Shape legend: B batch, T frames (latent or pixel), C channels, H height, W width.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from void.cache.noise import NoiseCache, with_noise
from void.cache.store import Cache
from void.conditioning import to_frames
from void.config import VoidConfig
from void.data.dataset import Batch, LatentDataset
from void.data.order import SampleKey
from void.data.randomness import generator
from void.diffusion import Schedule
from void.models.build import build_scheduler, build_vae
from void.models.vae import VoidVAE, decode_latents
from void.pairs import ManifestRow, select
from void.pipelines.void_pipeline import VoidPipeline
from void.recipe import Posterior
from void.training.objective import velocity_loss
from void.video import write_video

# Middles of equal parts of the schedule.
NOISE_LEVELS = 8
LOSS_PAIRS = 16


@dataclass(frozen=True)
class LevelLoss:
    """The loss of one held-out pair at one timestep."""

    pair_id: str
    timestep: int
    loss: float


def summarise(losses: list[LevelLoss]) -> dict[str, Any]:
    """The mean loss, and the mean at each timestep."""
    levels = sorted({item.timestep for item in losses})
    by_timestep = {f"{t:03d}": statistics.fmean(item.loss for item in losses if item.timestep == t) for t in levels}
    return {"loss": statistics.fmean(by_timestep.values()), "loss_by_timestep": by_timestep}


class Validator:
    """Fixed held-out samples: modes of the posteriors, the first noise variant, no caption dropped.

    The same numbers come for the same weights, whenever and on however many processes.

    Args:
        cfg: the run.
        cache: must hold pairs of `data.eval_split`.
        device: of the transformer; the VAE is loaded to it when the first videos are made.
        noise: of pass 2, that moves with each clip, used as it is; None: Gaussian, of a fixed seed.
        rank: this process; pairs are dealt out among `processes`.
    """

    def __init__(
        self,
        cfg: VoidConfig,
        cache: Cache,
        device: torch.device,
        noise: NoiseCache | None = None,
        *,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        rows = with_noise(select(cache.rows, cfg.data.eval_split), noise)
        self.cfg = cfg
        self.device = device
        self.loss_rows = rows[:LOSS_PAIRS][rank::processes]
        self.video_rows = rows[: cfg.training.validation_clips][rank::processes]
        self.dataset = LatentDataset(
            cache,
            rows,
            scaling_factor=cfg.model.vae["scaling_factor"],
            target_posterior=Posterior.mode,
            condition_posterior=Posterior.mode,
            draw_variant=False,
            text_dropout=0.0,
            seed=cfg.seed,
            noise=noise,
        )
        self._places = {row.id: place for place, row in enumerate(rows)}
        self._vae: VoidVAE | None = None

    @torch.no_grad()
    def losses(
        self, transformer: nn.Module, schedule: Schedule, rotary: tuple[Tensor, Tensor], dtype: torch.dtype
    ) -> list[LevelLoss]:
        """The loss of this process's pairs at each of the fixed timesteps, with fixed noise."""
        levels = [int((part + 0.5) * schedule.num_train_timesteps / NOISE_LEVELS) for part in range(NOISE_LEVELS)]
        found = []
        for row in self.loss_rows:
            batch = self._batch(row)
            for t in levels:
                noise_BTCHW = batch.noise_BTCHW
                if noise_BTCHW is None:
                    draws = generator(self.cfg.seed, "validation", row.id, t)
                    noise_BTCHW = torch.randn(batch.target_BTCHW.shape, generator=draws).to(self.device)
                t_B = torch.tensor([t], device=self.device)
                loss_B = velocity_loss(transformer, schedule, batch, noise_BTCHW, t_B, rotary, dtype)
                found.append(LevelLoss(row.id, t, loss_B.item()))
        return found

    def write_videos(self, transformer: nn.Module, folder: Path) -> None:
        """Sample this process's clips and write `folder/<pair id>.mp4`: input | mask | prediction | target."""
        for row in self.video_rows:
            batch = self._batch(row)
            panels = [*self._panels(transformer, row, batch)]
            write_video(folder / f"{row.id}.mp4", np.concatenate(panels, axis=2), row.fps)

    def _panels(self, transformer: nn.Module, row: ManifestRow, batch: Batch) -> Iterator[np.ndarray]:
        vae = self._frozen_vae()
        pipeline = VoidPipeline(transformer=transformer, vae=vae, scheduler=build_scheduler(self.cfg.model))
        pipeline.set_progress_bar_config(disable=True)
        predicted = pipeline(
            prompt_embeds=batch.text_BLD,
            mask_latents=batch.mask_BTCHW,
            video_latents=batch.input_BTCHW,
            num_inference_steps=self.cfg.training.validation_steps,
            guidance_scale=1.0,
            generator=generator(self.cfg.seed, "validation video", row.id),
            latents=batch.noise_BTCHW,
        ).frames[0]
        mask_BTCHW = decode_latents(vae, batch.mask_BTCHW) * 2 - 1
        yield to_frames(decode_latents(vae, batch.input_BTCHW))[0]
        yield to_frames(mask_BTCHW)[0]
        yield predicted
        yield to_frames(decode_latents(vae, batch.target_BTCHW))[0]

    def _batch(self, row: ManifestRow) -> Batch:
        return self.dataset[SampleKey(0, self._places[row.id])].to(self.device)

    def _frozen_vae(self) -> VoidVAE:
        if self._vae is None:
            self._vae = build_vae(self.cfg.model).to(self.device)
        return self._vae
