"""One clip through the networks of `void infer`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from void.config import VoidConfig
from void.errors import InputError
from void.models.build import DTYPES
from void.pipelines import weights
from void.pipelines.loaded import Loaded, Result
from void.pipelines.networks import EMPTY_PROMPT, Networks
from void.pipelines.predictions import Prediction, clip_seed, content_sha256
from void.pipelines.sources import Source
from void.pipelines.void_pipeline import VoidPipeline
from void.video import VideoFormat

DEEP = (VideoFormat.prores, VideoFormat.png16)
"""Formats whose result is written with 16 bits a colour."""


class Sampler:
    """Samples pairs and users' clips in one pass.

    Args:
        config: The pass (`settings.of_pass`): geometry and sampling settings.
        checkpoint: Weights of the transformer.
        networks: The networks of the run; this pass takes the place of the one before.
    """

    def __init__(self, config: VoidConfig, checkpoint: weights.Checkpoint, networks: Networks) -> None:
        self.config = config
        self._networks = networks
        networks.prepare(config, checkpoint)

    def predict(
        self,
        source: Source,
        loaded: Loaded,
        key: str,
        file: Path,
        *,
        on_step: Callable[[], None],
        noise_BTCHW: Tensor | None = None,
        morphing: float | None = None,
        unmeasured: str | None = None,
    ) -> Prediction:
        """Sample a clip and write it.

        Args:
            source: The pair, or the user's clip.
            loaded: The same, decoded.
            key: Key of the clip, for the index.
            file: Target; a strip is written to `strips/` next to it.
            on_step: Called after each denoising step.
            noise_BTCHW: Initial noise of the second pass; None: Gaussian, from the clip's own generator.
            morphing: Score of the first pass's result, for the index.
            unmeasured: Reason why that score could not be measured, for the index.

        Raises:
            InputError: The network gives values that are not finite, or the disk is full.
        """
        result_THWC = self._sample(source, loaded, noise_BTCHW, on_step)
        info = loaded.write_result(file, result_THWC)
        return Prediction(
            id=source.id,
            file=file.name,
            key=key,
            sha256=content_sha256(file),
            pair_sha256=source.fingerprint,
            seed=self._seed(source.id),
            frames=info.frames,
            height=info.height,
            width=info.width,
            fps=info.fps,
            caption=source.caption,
            source=source.kind,
            stage=self.config.stage.name.value,
            morphing=morphing,
            unmeasured=unmeasured,
        )

    def _sample(
        self, source: Source, loaded: Loaded, noise_BTCHW: Tensor | None, on_step: Callable[[], None]
    ) -> Result:
        config, texts = self.config, self._networks.texts

        def step_end(_: VoidPipeline, index: int, timestep: int, tensors: dict[str, Any]) -> dict[str, Any]:
            if not tensors["latents"].isfinite().all():
                raise InputError(
                    f"{source.kind} {source.id}: values are not finite after denoising step {index + 1} "
                    f"(timestep {timestep})",
                    "the checkpoint has diverged: use an earlier one, or train again with a lower learning rate",
                )
            on_step()
            return tensors

        is_deep = config.infer.format in DEEP
        # A generator on the CPU draws the same noise whatever the device.
        frames = self._networks.pipeline(
            video=loaded.video_THWC,
            quadmask=loaded.quadmask,
            prompt_embeds=texts[source.caption],
            negative_prompt_embeds=texts[EMPTY_PROMPT],
            num_inference_steps=config.infer.steps,
            guidance_scale=config.infer.guidance_scale,
            generator=torch.Generator().manual_seed(self._seed(source.id)),
            latents=noise_BTCHW,
            latents_dtype=DTYPES[config.recipe.latents_dtype.value],
            window_frames=config.infer.window,
            overlap_frames=config.infer.overlap,
            windows_per_batch=config.infer.windows_per_batch,
            callback_on_step_end=step_end,
            output_type="pt" if is_deep else "np",
        ).frames
        return as_16_bits(frames[0]) if is_deep else frames[0]

    def _seed(self, clip_id: str) -> int:
        return clip_seed(self.config.infer.seed, clip_id, per_clip=self.config.recipe.seed_per_clip)


def as_16_bits(video_CTHW: Tensor) -> NDArray[np.uint16]:
    """A clip `(3, T, H, W)` in [-1, 1] as RGB frames `(T, H, W, 3)` of 16 bits."""
    scaled_CTHW = ((video_CTHW.float().clamp(-1, 1) + 1) * 32767.5).round()
    return scaled_CTHW.permute(1, 2, 3, 0).cpu().numpy().astype(np.uint16)
