"""VoidPipeline: a clip and its quadmask in, the clip without the object and its consequences out.

A diffusers pipeline: saving, loading, offloading hooks and callbacks work as usual.

Shape legend: B batch, T frames (pixel or latent), C channels, H height, W width, L text tokens, D text width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from diffusers import CogVideoXDDIMScheduler, CogVideoXTransformer3DModel, DDIMScheduler, DiffusionPipeline
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5EncoderModel

from void.conditioning import condition_latents, mask_video, model_input, rgb_video, to_frames
from void.errors import InputError
from void.models.rotary import rotary_tables
from void.models.text import encode_text
from void.models.vae import VoidVAE, decode_latents, encode_moments
from void.quadmask import Quadmask
from void.recipe import MaskLevels
from void.shapes import PATCH_SIZE, PATCH_SIZE_T, check_frames, check_size

OUTPUT_TYPES = ("np", "pt", "latent")

Generators = torch.Generator | list[torch.Generator]
StepEnd = Callable[["VoidPipeline", int, int, dict[str, Any]], dict[str, Any]]


@dataclass
class VoidPipelineOutput(BaseOutput):
    """What a call returns.

    Args:
        frames: with output_type `np` a list of uint8 `(T, H, W, 3)` arrays, one a clip; with `pt` a float32 tensor
            `(B, 3, T, H, W)` clamped to [-1, 1]; with `latent` the scaled latents `(B, T_lat, 16, h, w)`.
    """

    frames: Any


class VoidPipeline(DiffusionPipeline):
    """Quadmask-conditioned video inpainting.

    Args:
        transformer: with 48 input channels.
        vae: decodes, and encodes the condition where it is given as pixels.
        scheduler: DDIM, v-prediction.
        tokenizer: needed only where prompts are given as text.
        text_encoder: likewise.
        mask_levels: how the quadmask enters the VAE; must be what the transformer was trained with.
    """

    model_cpu_offload_seq = "text_encoder->transformer->vae"
    _optional_components: ClassVar = ["tokenizer", "text_encoder"]
    _callback_tensor_inputs: ClassVar = ["latents", "prompt_embeds"]

    def __init__(
        self,
        transformer: CogVideoXTransformer3DModel,
        vae: VoidVAE,
        scheduler: DDIMScheduler | CogVideoXDDIMScheduler,
        tokenizer: PreTrainedTokenizerBase | None = None,
        text_encoder: T5EncoderModel | None = None,
        mask_levels: str = MaskLevels.quad.value,
    ) -> None:
        super().__init__()
        self.register_modules(
            transformer=transformer, vae=vae, scheduler=scheduler, tokenizer=tokenizer, text_encoder=text_encoder
        )
        self.register_to_config(mask_levels=MaskLevels(mask_levels).value)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str] | None = None,
        *,
        video: NDArray[np.uint8] | None = None,
        quadmask: Quadmask | None = None,
        mask_latents: Tensor | None = None,
        video_latents: Tensor | None = None,
        prompt_embeds: Tensor | None = None,
        negative_prompt: str = "",
        negative_prompt_embeds: Tensor | None = None,
        num_inference_steps: int = 30,
        guidance_scale: float = 1.0,
        generator: Generators | None = None,
        latents: Tensor | None = None,
        output_type: str = "np",
        callback_on_step_end: StepEnd | None = None,
        callback_on_step_end_tensor_inputs: list[str] | None = None,
    ) -> VoidPipelineOutput:
        """Sample.

        The condition is either pixels of one clip (`video` and `quadmask`, encoded once) or scaled latents of a batch
        (`mask_latents` and `video_latents`). The text is either `prompt` or `prompt_embeds`.

        Args:
            prompt: what the result shows: the scene without the object; one per clip, or one for all.
            video: uint8 `(T, H, W, 3)`, T = 8k+5, sides multiples of 16.
            quadmask: of the same T, H, W.
            mask_latents: `(B, T_lat, 16, h, w)`, T_lat, h and w even.
            video_latents: the same shape.
            prompt_embeds: `(B or 1, L, D)`.
            negative_prompt: used with guidance only.
            negative_prompt_embeds: the same as embeddings.
            num_inference_steps: 1 to the number of training steps.
            guidance_scale: at least 1; 1 means no classifier-free guidance, and half the work.
            generator: a list of one generator per clip makes each result independent of the batch; a single one serves
                the whole batch.
            latents: initial noise `(B, T_lat, 16, h, w)` of unit variance; drawn from `generator` when None.
            output_type: `np`, `pt` or `latent`.
            callback_on_step_end: called as diffusers does, with (pipeline, index, timestep, tensors); it returns the
                tensors, changed or not.
            callback_on_step_end_tensor_inputs: names among `latents` and `prompt_embeds`; default `latents`.

        Raises:
            InputError: an argument is missing, contradictory or out of range; frames or size are illegal.
        """
        self._check_numbers(num_inference_steps, guidance_scale, output_type)
        condition_BTCHW = self._condition(video, quadmask, mask_latents, video_latents)
        batch = condition_BTCHW.shape[0]
        text_BLD = self._text(prompt, prompt_embeds, batch, "prompt")
        guided = guidance_scale > 1
        if guided:
            negative = negative_prompt if negative_prompt_embeds is None else None
            uncond_BLD = self._text(negative, negative_prompt_embeds, batch, "negative_prompt")
            text_BLD = torch.cat([uncond_BLD, text_BLD])
            condition_BTCHW = torch.cat([condition_BTCHW, condition_BTCHW])
        latents_BTCHW = self._initial_latents(latents, condition_BTCHW[:batch], generator)

        tables = rotary_tables(self.transformer.config, *_grid(latents_BTCHW), self._execution_device)
        self.scheduler.set_timesteps(num_inference_steps, device=self._execution_device)
        names = callback_on_step_end_tensor_inputs or ["latents"]
        for index, timestep in enumerate(self.progress_bar(self.scheduler.timesteps)):
            noisy_BTCHW = torch.cat([latents_BTCHW] * 2) if guided else latents_BTCHW
            velocity_BTCHW = self.transformer(
                hidden_states=model_input(noisy_BTCHW, condition_BTCHW).to(self.transformer.dtype),
                encoder_hidden_states=text_BLD.to(self.transformer.dtype),
                timestep=timestep.expand(noisy_BTCHW.shape[0]),
                image_rotary_emb=tables,
                return_dict=False,
            )[0].float()
            if guided:
                uncond_BTCHW, cond_BTCHW = velocity_BTCHW.chunk(2)
                velocity_BTCHW = uncond_BTCHW + guidance_scale * (cond_BTCHW - uncond_BTCHW)
            latents_BTCHW = self.scheduler.step(velocity_BTCHW, timestep, latents_BTCHW, return_dict=False)[0]
            if callback_on_step_end is not None:
                tensors = {"latents": latents_BTCHW, "prompt_embeds": text_BLD}
                changed = callback_on_step_end(self, index, int(timestep), {name: tensors[name] for name in names})
                latents_BTCHW = changed.pop("latents", latents_BTCHW)
                text_BLD = changed.pop("prompt_embeds", text_BLD)

        frames = self._output(latents_BTCHW, output_type)
        self.maybe_free_model_hooks()
        return VoidPipelineOutput(frames=frames)

    def encode_condition(self, video: NDArray[np.uint8], quadmask: Quadmask) -> tuple[Tensor, Tensor]:
        """Scaled latents `(1, T_lat, 16, h, w)` of a clip's mask and of the clip: the posterior's mode.

        Raises:
            InputError: frames or size are illegal, or clip and mask differ.
        """
        if quadmask.shape != video.shape[:3]:
            raise InputError(
                f"the clip is {_size(video.shape[:3])} (frames x height x width), its quadmask {_size(quadmask.shape)}",
                "give a mask of every frame at the clip's size",
            )
        check_frames(video.shape[0], "frames of the clip")
        check_size(video.shape[1], video.shape[2], "clip size")
        levels = MaskLevels(self.config.mask_levels)
        # One batch: a 3-D convolution on one clip alone takes a much slower path on CPUs.
        both_BCTHW = torch.cat([mask_video(quadmask, levels), rgb_video(video)]).to(self._execution_device)
        mean_BTCHW, _ = encode_moments(self.vae, both_BCTHW)
        mask_latents, video_latents = (mean_BTCHW * self.vae.config.scaling_factor).chunk(2)
        return mask_latents, video_latents

    def _condition(
        self,
        video: NDArray[np.uint8] | None,
        quadmask: Quadmask | None,
        mask_latents: Tensor | None,
        video_latents: Tensor | None,
    ) -> Tensor:
        pixels, latents = (video, quadmask), (mask_latents, video_latents)
        given = [kind for kind in (pixels, latents) if any(item is not None for item in kind)]
        if len(given) != 1 or any(item is None for item in given[0]):
            raise InputError(
                "the condition must be video and quadmask, or mask_latents and video_latents",
                "give exactly one of the two pairs",
            )
        if video is not None and quadmask is not None:
            mask_latents, video_latents = self.encode_condition(video, quadmask)
        assert mask_latents is not None and video_latents is not None
        if mask_latents.shape != video_latents.shape or mask_latents.ndim != 5:
            raise InputError(
                f"mask_latents is {tuple(mask_latents.shape)}, video_latents {tuple(video_latents.shape)}",
                "both must have one shape (B, T_lat, 16, h, w)",
            )
        frames, rows, columns = _grid(mask_latents)
        if frames % PATCH_SIZE_T or rows % PATCH_SIZE or columns % PATCH_SIZE:
            raise InputError(
                f"latents of {frames} x {rows} x {columns} (frames x height x width) are not all even",
                "use clips of 8k+5 frames with sides that are multiples of 16 pixels",
            )
        return condition_latents(mask_latents, video_latents).to(self._execution_device, torch.float32)

    def _text(self, prompt: str | list[str] | None, embeds_BLD: Tensor | None, batch: int, name: str) -> Tensor:
        if (prompt is None) == (embeds_BLD is None):
            embeds_name = "prompt_embeds" if name == "prompt" else "negative_prompt_embeds"
            raise InputError(f"give exactly one of {name} and {embeds_name}", f'{name}="" is an empty text')
        if prompt is not None:
            if self.tokenizer is None or self.text_encoder is None:
                raise InputError(
                    f"{name} is text, but this pipeline has no text encoder", f"give {name}_embeds instead"
                )
            texts = [prompt] if isinstance(prompt, str) else prompt
            max_tokens = self.transformer.config.max_text_seq_length
            embeds_BLD = encode_text(texts, self.tokenizer, self.text_encoder, max_tokens)
        assert embeds_BLD is not None
        if embeds_BLD.shape[0] not in (1, batch):
            raise InputError(f"{embeds_BLD.shape[0]} texts for {batch} clips", "give one text, or one a clip")
        return embeds_BLD.to(self._execution_device).expand(batch, -1, -1)

    def _initial_latents(self, latents: Tensor | None, condition_BTCHW: Tensor, generator: Generators | None) -> Tensor:
        batch, frames, _, rows, columns = condition_BTCHW.shape
        shape = (batch, frames, self.transformer.config.out_channels, rows, columns)
        if latents is None:
            if isinstance(generator, list) and len(generator) != batch:
                raise InputError(f"{len(generator)} generators for {batch} clips", "give one generator per clip")
            latents = randn_tensor(shape, generator=generator, device=self._execution_device, dtype=torch.float32)
        elif tuple(latents.shape) != shape:
            raise InputError(
                f"latents is {tuple(latents.shape)}, the condition needs {shape}", "give noise of that shape"
            )
        return latents.to(self._execution_device, torch.float32) * self.scheduler.init_noise_sigma

    def _output(self, latents_BTCHW: Tensor, output_type: str) -> list[NDArray[np.uint8]] | Tensor:
        if output_type == "latent":
            return latents_BTCHW
        video_BCTHW = decode_latents(self.vae, latents_BTCHW)
        return video_BCTHW.clamp(-1, 1) if output_type == "pt" else to_frames(video_BCTHW)

    def _check_numbers(self, steps: int, guidance_scale: float, output_type: str) -> None:
        most = self.scheduler.config.num_train_timesteps
        if not 1 <= steps <= most:
            raise InputError(f"num_inference_steps = {steps} is out of range", f"use 1 to {most}; 30 is usual")
        if not guidance_scale >= 1:
            raise InputError(f"guidance_scale = {guidance_scale} is below 1", "use 1 for no guidance, or more")
        if output_type not in OUTPUT_TYPES:
            raise InputError(f"output_type = {output_type!r} is unknown", f"use one of {', '.join(OUTPUT_TYPES)}")


def _grid(latents_BTCHW: Tensor) -> tuple[int, int, int]:
    _, frames, _, rows, columns = latents_BTCHW.shape
    return frames, rows, columns


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
