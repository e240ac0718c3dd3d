"""The networks of `void infer`, and one clip through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from void.config import VoidConfig
from void.device import torch_device
from void.errors import InputError
from void.files import sha256_file
from void.models.build import DTYPES, build_scheduler, build_text_encoder, build_tokenizer, build_vae
from void.models.text import encode_text
from void.pipelines import weights
from void.pipelines.memory import apply_memory
from void.pipelines.predictions import Prediction, clip_seed
from void.pipelines.settings import pipeline_settings
from void.pipelines.sources import Loaded, Source
from void.pipelines.void_pipeline import VoidPipeline

EMPTY_PROMPT = ""


class Sampler:
    """Samples pairs and users' clips in one pass.

    Args:
        config: gives networks, geometry and sampling settings (of one pass: `settings.of_pass`).
        checkpoint: of the transformer.
        prompts: every prompt that will be asked for. Each distinct one is encoded now, so that the text encoder, the
            largest network of the 5 B model but one, can be dropped before the others are loaded.
    """

    def __init__(self, config: VoidConfig, checkpoint: weights.Checkpoint, prompts: Sequence[str]) -> None:
        self.config = config
        device = torch_device(config.device)
        self._texts = _encode_prompts(config, {*prompts, EMPTY_PROMPT}, device)
        self._pipeline = VoidPipeline(
            transformer=weights.load(config, checkpoint),
            vae=build_vae(config.model),
            scheduler=build_scheduler(config.model),
            **pipeline_settings(config),
        )
        apply_memory(self._pipeline, config.infer, device, config.recipe.mask_expansion)
        self._pipeline.set_progress_bar_config(disable=True)

    def predict(
        self,
        source: Source,
        loaded: Loaded,
        key: str,
        *,
        on_step: Callable[[], None],
        noise_BTCHW: Tensor | None = None,
        morphing: float | None = None,
    ) -> Prediction:
        """Sample a clip and write it to `infer.root`.

        Args:
            source: the pair, or the user's clip.
            loaded: the same, decoded.
            key: of the clip, for the index.
            on_step: called after each denoising step.
            noise_BTCHW: initial noise of the second pass; None: Gaussian, from the clip's own generator.
            morphing: score of the first pass's result, for the index.

        Raises:
            InputError: the network gives values that are not finite, or the disk is full.
        """
        result_THWC = self._sample(source, loaded, noise_BTCHW, on_step)
        file = Path(self.config.infer.root) / f"{source.id}.mp4"
        info = loaded.write_result(file, result_THWC)
        return Prediction(
            id=source.id,
            file=file.name,
            key=key,
            sha256=sha256_file(file),
            pair_sha256=source.fingerprint(),
            seed=self._seed(source.id),
            frames=info.frames,
            height=info.height,
            width=info.width,
            fps=info.fps,
            caption=source.caption,
            source=source.kind,
            stage=self.config.stage.name.value,
            morphing=morphing,
        )

    def _sample(
        self, source: Source, loaded: Loaded, noise_BTCHW: Tensor | None, on_step: Callable[[], None]
    ) -> NDArray[np.uint8]:
        config = self.config

        def step_end(_: VoidPipeline, index: int, timestep: int, tensors: dict[str, Any]) -> dict[str, Any]:
            if not tensors["latents"].isfinite().all():
                raise InputError(
                    f"{source.kind} {source.id}: values are not finite after denoising step {index + 1} "
                    f"(timestep {timestep})",
                    "the checkpoint has diverged: use an earlier one, or train again with a lower learning rate",
                )
            on_step()
            return tensors

        # A generator on the CPU draws the same noise whatever the device.
        frames_THWC: NDArray[np.uint8] = self._pipeline(
            video=loaded.video_THWC,
            quadmask=loaded.quadmask,
            prompt_embeds=self._texts[source.caption],
            negative_prompt_embeds=self._texts[EMPTY_PROMPT],
            num_inference_steps=config.infer.steps,
            guidance_scale=config.infer.guidance_scale,
            generator=torch.Generator().manual_seed(self._seed(source.id)),
            latents=noise_BTCHW,
            latents_dtype=DTYPES[config.recipe.latents_dtype.value],
            window_frames=config.infer.window,
            overlap_frames=config.infer.overlap,
            windows_per_batch=config.infer.windows_per_batch,
            callback_on_step_end=step_end,
        ).frames[0]
        return frames_THWC

    def _seed(self, clip_id: str) -> int:
        return clip_seed(self.config.infer.seed, clip_id, per_clip=self.config.recipe.seed_per_clip)


def _encode_prompts(config: VoidConfig, prompts: set[str], device: torch.device) -> dict[str, Tensor]:
    """Embeddings `(1, L, D)` of distinct prompts, on the CPU."""
    encoder = build_text_encoder(config.model).to(device)
    tokenizer = build_tokenizer(config.model)
    limit = config.model.max_text_tokens
    return {prompt: encode_text([prompt], tokenizer, encoder, limit).float().cpu() for prompt in sorted(prompts)}
