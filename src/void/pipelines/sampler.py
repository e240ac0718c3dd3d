"""The networks of `void infer`, and one clip through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from void.config import VoidConfig
from void.data.fit import fit_pair
from void.device import torch_device
from void.errors import InputError
from void.files import sha256_file
from void.models.build import DTYPES, build_scheduler, build_text_encoder, build_tokenizer, build_vae
from void.models.text import encode_text
from void.pairs import ManifestRow, read_pair
from void.pipelines import weights
from void.pipelines.infer import clip_seed
from void.pipelines.predictions import Prediction, pair_fingerprint
from void.pipelines.void_pipeline import VoidPipeline
from void.video import write_video

EMPTY_PROMPT = ""


class Sampler:
    """Samples pairs.

    Args:
        config: gives networks, geometry and sampling settings.
        checkpoint: of the transformer.
        prompts: every prompt that will be asked for. Each distinct one is encoded now, so that the text encoder, the
            largest network of the 5 B model but one, can be dropped before the others are loaded.
    """

    def __init__(self, config: VoidConfig, checkpoint: weights.Checkpoint, prompts: Sequence[str]) -> None:
        self.config = config
        device = torch_device(config.device)
        self._texts = _encode_prompts(config, {*prompts, EMPTY_PROMPT}, device)
        transformer = weights.load(config, checkpoint)
        # nn.Module's own method: diffusers' warns about modules to be kept in float32, even where there are none.
        nn.Module.to(transformer, DTYPES[config.model.dtype])
        self._pipeline = VoidPipeline(
            transformer=transformer,
            vae=build_vae(config.model),
            scheduler=build_scheduler(config.model),
            mask_levels=config.recipe.mask_levels.value,
        ).to(device)
        self._pipeline.set_progress_bar_config(disable=True)

    def predict(self, row: ManifestRow, key: str, *, on_step: Callable[[], None]) -> Prediction:
        """Sample the clip of one pair and write it to `infer.root`.

        Args:
            row: the pair.
            key: of the clip, for the index.
            on_step: called after each denoising step.

        Raises:
            InputError: the pair is broken or too short, or the network gives values that are not finite.
        """
        config = self.config
        pair = fit_pair(read_pair(Path(config.data.root) / row.path), config.data, row.id)
        seed = clip_seed(config, row.id)

        def step_end(_: VoidPipeline, index: int, timestep: int, tensors: dict[str, Any]) -> dict[str, Any]:
            if not tensors["latents"].isfinite().all():
                raise InputError(
                    f"pair {row.id}: values are not finite after denoising step {index + 1} (timestep {timestep})",
                    "the checkpoint has diverged: use an earlier one, or train again with a lower learning rate",
                )
            on_step()
            return tensors

        # A generator on the CPU draws the same noise whatever the device.
        frames_THWC = self._pipeline(
            video=pair.rgb_full_THWC,
            quadmask=pair.quadmask,
            prompt_embeds=self._texts[row.caption],
            negative_prompt_embeds=self._texts[EMPTY_PROMPT],
            num_inference_steps=config.infer.steps,
            guidance_scale=config.infer.guidance_scale,
            generator=torch.Generator().manual_seed(seed),
            callback_on_step_end=step_end,
        ).frames[0]
        file = Path(config.infer.root) / f"{row.id}.mp4"
        write_video(file, frames_THWC, pair.fps, crf=config.infer.crf)
        frames, height, width, _ = frames_THWC.shape
        return Prediction(
            id=row.id,
            file=file.name,
            key=key,
            sha256=sha256_file(file),
            pair_sha256=pair_fingerprint(row),
            seed=seed,
            frames=frames,
            height=height,
            width=width,
            fps=pair.fps,
            caption=row.caption,
        )


def _encode_prompts(config: VoidConfig, prompts: set[str], device: torch.device) -> dict[str, Tensor]:
    """Embeddings `(1, L, D)` of distinct prompts, on the CPU."""
    encoder = build_text_encoder(config.model).to(device)
    tokenizer = build_tokenizer(config.model)
    limit = config.model.max_text_tokens
    return {prompt: encode_text([prompt], tokenizer, encoder, limit).float().cpu() for prompt in sorted(prompts)}
