"""One denoising step of a batch of clips, in temporal windows where they are longer than the transformer's reach.

Shape legend: B clips, N rows of one forward pass, T latent frames, C channels, h and w latent rows and columns, L text
tokens, D text width.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from diffusers import CogVideoXTransformer3DModel
from torch import Tensor

from void.conditioning import model_input
from void.models.rotary import rotary_tables
from void.pipelines.schedulers import SchedulerStep
from void.pipelines.window_caches import WindowCaches
from void.pipelines.windows import Window, batches, blend_weights, windows

log = logging.getLogger(__name__)


class Denoiser:
    """Guidance for each window by itself, the weighted average over windows, and the scheduler's step.

    A scheduler without state (DDIM) takes its step in each window before the average, as the released code does. Any
    other one takes it after: its noise is then drawn once for the clip, and its history is the clip's. DDIM's step is
    linear in latents and velocity, so for it the two orders agree to rounding.

    Args:
        transformer: The network, with 48 input channels.
        scheduler_step: Update of the latents.
        condition_BTCHW: Mask and input latents, `(B, T, 32, h, w)`.
        window: Latent frames that the transformer sees at once.
        overlap: Latent frames that neighbouring windows share.
        windows_per_batch: Windows of equal length in one forward pass; None: all of them on a GPU, one on a CPU. Where
            memory does not suffice the number is halved for the rest of the clip.
        attention_kwargs: Options of diffusers for the attention, such as the scale of a LoRA.
    """

    def __init__(
        self,
        transformer: CogVideoXTransformer3DModel,
        scheduler_step: SchedulerStep,
        condition_BTCHW: Tensor,
        *,
        window: int,
        overlap: int,
        windows_per_batch: int | None = None,
        attention_kwargs: dict[str, Any] | None = None,
    ) -> None:
        length, rows, columns = (condition_BTCHW.shape[axis] for axis in (1, 3, 4))
        device = condition_BTCHW.device
        self._transformer = transformer
        self._scheduler_step = scheduler_step
        self._attention_kwargs = attention_kwargs
        self._caches = WindowCaches(transformer)
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

    def step(self, latents_BTCHW: Tensor, timestep: Tensor, text_NLD: Tensor, guidance_scale: float) -> Tensor:
        """The latents after one step, in the type they came in.

        Args:
            latents_BTCHW: Latents before the step, `(B, T, 16, h, w)`.
            timestep: One of the scheduler's timesteps, a tensor without dimensions on the CPU.
            text_NLD: Text embeddings. `(2B, L, D)`, the unconditional half first, asks for guidance; `(B, L, D)` means
                none, and half the work.
            guidance_scale: Weight of the difference between the two halves.

        Raises:
            InputError: a step cache needs guidance, and there is none.
            torch.OutOfMemoryError: one window alone does not fit into the device's memory.
        """
        self._caches.check_guidance(_is_guided(text_NLD, latents_BTCHW))
        text_NLD = text_NLD.to(self._dtype)
        while True:
            try:
                return self._step(latents_BTCHW, timestep, text_NLD, guidance_scale)
            except torch.OutOfMemoryError:
                if self._per_batch == 1:
                    raise
            # Outside of the handler, whose traceback still holds what the failed step had allocated.
            self._per_batch = min(self._per_batch, len(self._parts)) // 2 or 1
            log.info("out of memory: %d windows in a batch from now on", self._per_batch)
            if latents_BTCHW.device.type == "cuda":
                torch.cuda.empty_cache()

    def _step(self, latents_BTCHW: Tensor, timestep: Tensor, text_NLD: Tensor, guidance_scale: float) -> Tensor:
        scaled_BTCHW = self._scheduler_step.scaled(latents_BTCHW, timestep)
        parts, in_windows = self._parts, self._scheduler_step.is_stateless
        if len(parts) == 1:
            velocity_BTCHW = self._velocity(scaled_BTCHW, parts, timestep, text_NLD, guidance_scale)
            return self._scheduler_step(velocity_BTCHW, timestep, latents_BTCHW).to(latents_BTCHW.dtype)
        blended_BTCHW = torch.zeros_like(latents_BTCHW, dtype=torch.float32)
        for group in batches(parts, self._per_batch):
            moved_NTCHW = self._velocity(scaled_BTCHW, group, timestep, text_NLD, guidance_scale)
            if in_windows:
                moved_NTCHW = self._scheduler_step(moved_NTCHW, timestep, _cut(latents_BTCHW, group))
            for part, moved_BTCHW in zip(group, moved_NTCHW.chunk(len(group)), strict=True):
                blended_BTCHW[:, part.begin : part.end] += self._weights[part] * moved_BTCHW
        if not in_windows:
            blended_BTCHW = self._scheduler_step(blended_BTCHW, timestep, latents_BTCHW)
        return blended_BTCHW.to(latents_BTCHW.dtype)

    def _velocity(
        self,
        scaled_BTCHW: Tensor,
        group: Sequence[Window],
        timestep: Tensor,
        text_NLD: Tensor,
        guidance_scale: float,
    ) -> Tensor:
        """The guided velocity of the group's windows, float32 `(windows * B, t, 16, h, w)`, windows slowest."""
        guided = _is_guided(text_NLD, scaled_BTCHW)
        noisy_NTCHW = _cut(scaled_BTCHW, group)
        rows_NTCHW = model_input(noisy_NTCHW.to(self._dtype), _cut(self._condition_BTCHW, group))
        if guided:
            rows_NTCHW = torch.cat([rows_NTCHW, rows_NTCHW])
        if len(group) > 1:
            halves = text_NLD.chunk(2) if guided else (text_NLD,)
            text_NLD = torch.cat([half.repeat(len(group), 1, 1) for half in halves])
        with self._caches.of(f"latents {group[0].begin} to {group[-1].end}"):
            velocity_NTCHW = self._transformer(
                hidden_states=rows_NTCHW,
                encoder_hidden_states=text_NLD,
                timestep=torch.full((len(rows_NTCHW),), timestep.item(), device=rows_NTCHW.device),
                image_rotary_emb=self._rotary[group[0].length],
                attention_kwargs=self._attention_kwargs,
                return_dict=False,
            )[0].float()
        if guided:
            uncond_NTCHW, cond_NTCHW = velocity_NTCHW.chunk(2)
            velocity_NTCHW = uncond_NTCHW + guidance_scale * (cond_NTCHW - uncond_NTCHW)
        return velocity_NTCHW


def _is_guided(text_NLD: Tensor, latents_BTCHW: Tensor) -> bool:
    """Whether there are two texts for each clip: an unconditional one and the prompt."""
    return len(text_NLD) == 2 * len(latents_BTCHW)


def _cut(whole_BTCHW: Tensor, group: Sequence[Window]) -> Tensor:
    pieces = [whole_BTCHW[:, part.begin : part.end] for part in group]
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)
