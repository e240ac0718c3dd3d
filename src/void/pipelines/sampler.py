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
from void.data.fit import fit_pair
from void.device import torch_device
from void.errors import InputError
from void.files import sha256_file
from void.models.build import DTYPES, build_scheduler, build_text_encoder, build_tokenizer, build_vae
from void.models.text import encode_text
from void.pairs import ManifestRow, read_pair
from void.pipelines import weights
from void.pipelines.clip_folders import ClipFolder, clip_fingerprint
from void.pipelines.clips import load_clip, write_result
from void.pipelines.memory import apply_memory
from void.pipelines.predictions import CLIP, PAIR, STRIPS, Prediction, clip_seed, pair_fingerprint
from void.pipelines.settings import pipeline_settings
from void.pipelines.strip import write_strip
from void.pipelines.void_pipeline import VoidPipeline
from void.quadmask import Quadmask
from void.video import VideoInfo, write_video

EMPTY_PROMPT = ""


class Sampler:
    """Samples pairs and users' clips.

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
        self._pipeline = VoidPipeline(
            transformer=weights.load(config, checkpoint),
            vae=build_vae(config.model),
            scheduler=build_scheduler(config.model),
            **pipeline_settings(config),
        )
        apply_memory(self._pipeline, config.infer, device)
        self._pipeline.set_progress_bar_config(disable=True)

    def predict(self, source: ManifestRow | ClipFolder, key: str, *, on_step: Callable[[], None]) -> Prediction:
        """Sample the clip of one pair or folder and write it to `infer.root`.

        Args:
            source: the pair, or the user's clip.
            key: of the clip, for the index.
            on_step: called after each denoising step.

        Raises:
            InputError: pair or clip is broken, the pair is too short, or the network gives values that are not finite.
        """
        if isinstance(source, ClipFolder):
            return self._predict_clip(source, key, on_step)
        return self._predict_pair(source, key, on_step)

    def _predict_pair(self, row: ManifestRow, key: str, on_step: Callable[[], None]) -> Prediction:
        config = self.config
        pair = fit_pair(read_pair(Path(config.data.root) / row.path), config.data, row.id)
        frames_THWC = self._sample(row, pair.rgb_full_THWC, pair.quadmask, on_step)
        file = Path(config.infer.root) / f"{row.id}.mp4"
        write_video(file, frames_THWC, pair.fps, crf=config.infer.crf)
        frames, height, width, _ = frames_THWC.shape
        info = VideoInfo(frames, height, width, pair.fps)
        return self._record(row, file, key, info, pair_fingerprint(row), PAIR)

    def _predict_clip(self, source: ClipFolder, key: str, on_step: Callable[[], None]) -> Prediction:
        config = self.config
        clip = load_clip(source, config)
        frames_THWC = self._sample(source, clip.video_THWC, clip.quadmask, on_step)
        file = Path(config.infer.root) / f"{source.id}.mp4"
        if config.infer.strip:
            write_strip(file.parent / STRIPS / file.name, clip, frames_THWC)
        info = write_result(file, frames_THWC, clip, source, config)
        return self._record(source, file, key, info, clip_fingerprint(source), CLIP)

    def _sample(
        self,
        source: ManifestRow | ClipFolder,
        video_THWC: NDArray[np.uint8],
        quadmask: Quadmask,
        on_step: Callable[[], None],
    ) -> NDArray[np.uint8]:
        config = self.config

        def step_end(_: VoidPipeline, index: int, timestep: int, tensors: dict[str, Any]) -> dict[str, Any]:
            if not tensors["latents"].isfinite().all():
                kind = "clip" if isinstance(source, ClipFolder) else "pair"
                raise InputError(
                    f"{kind} {source.id}: values are not finite after denoising step {index + 1} (timestep {timestep})",
                    "the checkpoint has diverged: use an earlier one, or train again with a lower learning rate",
                )
            on_step()
            return tensors

        # A generator on the CPU draws the same noise whatever the device.
        frames_THWC: NDArray[np.uint8] = self._pipeline(
            video=video_THWC,
            quadmask=quadmask,
            prompt_embeds=self._texts[source.caption],
            negative_prompt_embeds=self._texts[EMPTY_PROMPT],
            num_inference_steps=config.infer.steps,
            guidance_scale=config.infer.guidance_scale,
            generator=torch.Generator().manual_seed(self._seed(source.id)),
            latents_dtype=DTYPES[config.recipe.latents_dtype.value],
            window_frames=config.infer.window,
            overlap_frames=config.infer.overlap,
            windows_per_batch=config.infer.windows_per_batch,
            callback_on_step_end=step_end,
        ).frames[0]
        return frames_THWC

    def _seed(self, clip_id: str) -> int:
        return clip_seed(self.config.infer.seed, clip_id, per_clip=self.config.recipe.seed_per_clip)

    def _record(
        self, source: ManifestRow | ClipFolder, file: Path, key: str, info: VideoInfo, content: str, kind: str
    ) -> Prediction:
        return Prediction(
            id=source.id,
            file=file.name,
            key=key,
            sha256=sha256_file(file),
            pair_sha256=content,
            seed=self._seed(source.id),
            frames=info.frames,
            height=info.height,
            width=info.width,
            fps=info.fps,
            caption=source.caption,
            source=kind,
        )


def _encode_prompts(config: VoidConfig, prompts: set[str], device: torch.device) -> dict[str, Tensor]:
    """Embeddings `(1, L, D)` of distinct prompts, on the CPU."""
    encoder = build_text_encoder(config.model).to(device)
    tokenizer = build_tokenizer(config.model)
    limit = config.model.max_text_tokens
    return {prompt: encode_text([prompt], tokenizer, encoder, limit).float().cpu() for prompt in sorted(prompts)}
