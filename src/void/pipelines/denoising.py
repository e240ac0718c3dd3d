"""One denoising step of a batch of clips, in temporal windows where they are longer than the transformer's reach.

Shape legend: B clips, N rows of one forward pass, T latent frames, C channels, h and w latent rows and columns, L text
tokens, D text width.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TypeAlias

import torch
from diffusers import CogVideoXDDIMScheduler, CogVideoXTransformer3DModel, DDIMScheduler
from torch import Tensor

from void.conditioning import model_input
from void.models.rotary import rotary_tables
from void.pipelines.windows import Window, batches, blend_weights, windows

log = logging.getLogger(__name__)

Scheduler: TypeAlias = DDIMScheduler | CogVideoXDDIMScheduler


class Denoiser:
    """Guidance and the scheduler's step for each window by itself, then the weighted average of the results.

    Args:
        transformer: with 48 input channels.
        scheduler: a DDIM scheduler whose timesteps are set. Its step is deterministic and keeps no state, so
            windows may take it in any order and more than once.
        condition_BTCHW: mask and input latents, `(B, T, 32, h, w)`.
        guidance_scale: 1 means no classifier-free guidance, and half the work.
        window: latent frames that the transformer sees at once.
        overlap: latent frames that neighbouring windows share.
        windows_per_batch: windows of equal length in one forward pass; None: all of them on a GPU, one on a CPU. Where
            memory does not suffice the number is halved for the rest of the clip.
    """

    def __init__(
        self,
        transformer: CogVideoXTransformer3DModel,
        scheduler: Scheduler,
        condition_BTCHW: Tensor,
        *,
        guidance_scale: float,
        window: int,
        overlap: int,
        windows_per_batch: int | None = None,
    ) -> None:
        length, rows, columns = (condition_BTCHW.shape[axis] for axis in (1, 3, 4))
        device = condition_BTCHW.device
        self._transformer = transformer
        self._scheduler = scheduler
        self._guidance_scale = guidance_scale
        self._dtype = transformer.dtype
        self._condition_BTCHW = condition_BTCHW.to(self._dtype)
        self._parts = windows(length, window, overlap)
        weights = blend_weights(self._parts, length, overlap)
        self._weights = {
            part: torch.tensor(weight, device=device)[:, None, None, None]
            for part, weight in zip(self._parts, weights, strict=True)
        }
        # Positions count from 0 in every window.
        self._rotary = {
            frames: rotary_tables(transformer.config, frames, rows, columns, device)
            for frames in {part.length for part in self._parts}
        }
        self._per_batch = windows_per_batch or (1 if device.type == "cpu" else len(self._parts))

    def step(self, latents_BTCHW: Tensor, timestep: int, text_NLD: Tensor) -> Tensor:
        """The latents after one step, in the type they came in.

        Args:
            latents_BTCHW: `(B, T, 16, h, w)`.
            timestep: of the scheduler's timesteps.
            text_NLD: `(B, L, D)`; with guidance `(2B, L, D)`, the unconditional half first.

        Raises:
            torch.OutOfMemoryError: one window alone does not fit into the device's memory.
        """
        text_NLD = text_NLD.to(self._dtype)
        while True:
            try:
                return self._step(latents_BTCHW, timestep, text_NLD)
            except torch.OutOfMemoryError:
                if self._per_batch == 1:
                    raise
            # Outside of the handler, whose traceback still holds what the failed step had allocated.
            self._per_batch = min(self._per_batch, len(self._parts)) // 2 or 1
            log.info("out of memory: %d windows in a batch from now on", self._per_batch)
            if latents_BTCHW.device.type == "cuda":
                torch.cuda.empty_cache()

    def _step(self, latents_BTCHW: Tensor, timestep: int, text_NLD: Tensor) -> Tensor:
        if len(self._parts) == 1:
            return self._advance(latents_BTCHW, self._parts, timestep, text_NLD).to(latents_BTCHW.dtype)
        blended_BTCHW = torch.zeros_like(latents_BTCHW, dtype=torch.float32)
        for group in batches(self._parts, self._per_batch):
            advanced_NTCHW = self._advance(latents_BTCHW, group, timestep, text_NLD)
            for part, advanced_BTCHW in zip(group, advanced_NTCHW.chunk(len(group)), strict=True):
                blended_BTCHW[:, part.begin : part.end] += self._weights[part] * advanced_BTCHW
        return blended_BTCHW.to(latents_BTCHW.dtype)

    def _advance(self, latents_BTCHW: Tensor, group: Sequence[Window], timestep: int, text_NLD: Tensor) -> Tensor:
        """The group's windows one step on, `(windows * B, t, 16, h, w)`, windows slowest."""
        noisy_NTCHW = _cut(latents_BTCHW, group)
        rows_NTCHW = model_input(noisy_NTCHW.to(self._dtype), _cut(self._condition_BTCHW, group))
        guided = self._guidance_scale > 1
        if guided:
            rows_NTCHW = torch.cat([rows_NTCHW, rows_NTCHW])
        if len(group) > 1:
            halves = text_NLD.chunk(2) if guided else (text_NLD,)
            text_NLD = torch.cat([half.repeat(len(group), 1, 1) for half in halves])
        velocity_NTCHW = self._transformer(
            hidden_states=rows_NTCHW,
            encoder_hidden_states=text_NLD,
            timestep=torch.full((len(rows_NTCHW),), timestep, device=rows_NTCHW.device),
            image_rotary_emb=self._rotary[group[0].length],
            return_dict=False,
        )[0].float()
        if guided:
            uncond_NTCHW, cond_NTCHW = velocity_NTCHW.chunk(2)
            velocity_NTCHW = uncond_NTCHW + self._guidance_scale * (cond_NTCHW - uncond_NTCHW)
        return self._scheduler.step(velocity_NTCHW, timestep, noisy_NTCHW, return_dict=False)[0]


def _cut(whole_BTCHW: Tensor, group: Sequence[Window]) -> Tensor:
    pieces = [whole_BTCHW[:, part.begin : part.end] for part in group]
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)
