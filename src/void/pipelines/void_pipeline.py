"""VoidPipeline: a clip and its quadmask in, the clip without the object and its consequences out.

A diffusers pipeline: saving, loading, offloading hooks, callbacks and LoRA work as usual (docs/pipeline.md).

Shape legend: B batch, T frames (pixel or latent), C channels, H height, W width, L text tokens, D text width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from diffusers import CogVideoXTransformer3DModel, DiffusionPipeline
from diffusers.loaders import CogVideoXLoraLoaderMixin
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5EncoderModel

from void.conditioning import condition_latents, condition_videos, to_frames
from void.errors import InputError
from void.models.text import encode_text
from void.models.vae import VoidVAE, decode_latents, encode_moments
from void.noise.config import NoiseConfig
from void.noise.maker import NoiseMaker
from void.pipelines.checks import check_polarity
from void.pipelines.denoising import Denoiser, Scheduler
from void.pipelines.first_pass import FirstPassVideo, noise_along
from void.pipelines.windows import OVERLAP_FRAMES, WINDOW_FRAMES, latent_window
from void.quadmask import Quadmask
from void.recipe import MaskLevels, RecipeConfig
from void.shapes import (
    PATCH_SIZE,
    PATCH_SIZE_T,
    SPATIAL_COMPRESSION,
    check_frames,
    check_size,
    latent_shape,
    pixel_frames,
)

OUTPUT_TYPES = ("np", "pt", "latent")
MASK_LEVELS = (MaskLevels.quad.value, MaskLevels.trimask.value, MaskLevels.binary.value)

Video = NDArray[np.uint8] | Tensor
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


class VoidPipeline(DiffusionPipeline, CogVideoXLoraLoaderMixin):
    """Quadmask-conditioned video inpainting.

    Args:
        transformer: with 48 input channels.
        vae: decodes, and encodes the condition where it is given as pixels.
        scheduler: DDIM, v-prediction.
        tokenizer: needed only where prompts are given as text.
        text_encoder: likewise.
        mask_levels: `quad`, `trimask` or `binary`: how the quadmask enters the VAE; must be what the transformer was
            trained with.
        conditioning_sigma: standard deviation of the noise that the input clip (pixels in [-1, 1]) gets before it is
            encoded; 0 for a transformer that was trained without.

    Raises:
        InputError: unknown mask levels, or a negative sigma.
    """

    model_cpu_offload_seq = "text_encoder->transformer->vae"
    _optional_components: ClassVar = ["tokenizer", "text_encoder"]
    _callback_tensor_inputs: ClassVar = ["latents", "prompt_embeds"]

    def __init__(
        self,
        transformer: CogVideoXTransformer3DModel,
        vae: VoidVAE,
        scheduler: Scheduler,
        tokenizer: PreTrainedTokenizerBase | None = None,
        text_encoder: T5EncoderModel | None = None,
        mask_levels: str = MaskLevels.quad.value,
        conditioning_sigma: float = 0.0,
    ) -> None:
        super().__init__()
        if mask_levels not in MASK_LEVELS:
            raise InputError(
                f"mask_levels = {str(mask_levels)!r} is not one table of levels",
                f"use one of {', '.join(MASK_LEVELS)}; void.recipe.effective_levels turns `released` into one",
            )
        if not conditioning_sigma >= 0:
            raise InputError(f"conditioning_sigma = {conditioning_sigma} is negative", "use 0 for no noise, or more")
        self.register_modules(
            transformer=transformer, vae=vae, scheduler=scheduler, tokenizer=tokenizer, text_encoder=text_encoder
        )
        self.register_to_config(mask_levels=MaskLevels(mask_levels).value, conditioning_sigma=conditioning_sigma)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str] | None = None,
        *,
        video: Video | None = None,
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
        first_pass: FirstPassVideo | None = None,
        noise: NoiseMaker | None = None,
        latents_dtype: torch.dtype = torch.float32,
        window_frames: int = WINDOW_FRAMES,
        overlap_frames: int = OVERLAP_FRAMES,
        windows_per_batch: int | None = None,
        output_type: str = "np",
        callback_on_step_end: StepEnd | None = None,
        callback_on_step_end_tensor_inputs: list[str] | None = None,
    ) -> VoidPipelineOutput:
        """Sample.

        The condition is either pixels of one clip (`video` and `quadmask`, encoded once) or scaled latents of a batch
        (`mask_latents` and `video_latents`). The text is either `prompt` or `prompt_embeds`.

        Args:
            prompt: what the result shows: the scene without the object; one per clip, or one for all.
            video: uint8 `(T, H, W, 3)`, or float `(1, 3, T, H, W)` in [-1, 1]; T = 8k+5, sides multiples of 16.
            quadmask: of the same T, H, W.
            mask_latents: `(B, T_lat, 16, h, w)`, T_lat, h and w even.
            video_latents: the same shape.
            prompt_embeds: `(B or 1, L, D)`.
            negative_prompt: used with guidance only.
            negative_prompt_embeds: the same as embeddings.
            num_inference_steps: 1 to the number of training steps.
            guidance_scale: at least 1; 1 means no classifier-free guidance, and half the work.
            generator: a list of one generator per clip makes each result independent of the batch; a single one serves
                the whole batch. It gives the initial latents first, then the conditioning noise, if there is any.
            latents: initial noise `(B, T_lat, 16, h, w)` of unit variance; drawn from `generator` when None.
            first_pass: the result of the first pass for the same clip: this is the second, whose noise moves with
                it. Uint8 `(T, H, W, 3)`, float `(1, 3, T, H, W)` in [-1, 1], or a video file, without padding (which is
                mirrored here). The noise's seed is the generator's first draw.
            noise: how that noise is made; None: by the defaults of `NoiseConfig` and the corrected recipe.
            latents_dtype: in which noise is drawn and latents are kept between steps; the update itself is float32.
            window_frames: pixel frames that the transformer sees at once, 8k+5; a longer clip is denoised in windows.
            overlap_frames: pixel frames that neighbouring windows share, a multiple of 8.
            windows_per_batch: windows in one forward pass; None: all on a GPU (fewer when memory runs out), one on a
                CPU. The result does not depend on it.
            output_type: `np`, `pt` or `latent`.
            callback_on_step_end: called as diffusers does, with (pipeline, index, timestep, tensors); it returns the
                tensors, changed or not.
            callback_on_step_end_tensor_inputs: names among `latents` and `prompt_embeds`; default `latents`.

        Raises:
            InputError: an argument is missing, contradictory or out of range; frames or size are illegal.
        """
        names = callback_on_step_end_tensor_inputs or ["latents"]
        self._check_arguments(num_inference_steps, guidance_scale, windows_per_batch, output_type, names)
        window, overlap = latent_window(window_frames, overlap_frames)
        _check_one_condition((video, quadmask), (mask_latents, video_latents))
        if video is not None and quadmask is not None:
            shape = _shape_of_pixels(video, quadmask)
        elif mask_latents is not None and video_latents is not None:
            shape = _shape_of_latents(mask_latents, video_latents)
        # Asked once: diffusers looks through every module for it.
        device = self._execution_device
        if first_pass is not None:
            latents = self._noise_along(first_pass, latents, shape, generator, noise)
        latents_BTCHW = self._initial_latents(latents, shape, generator, device, latents_dtype)
        if video is not None and quadmask is not None:
            mask_latents, video_latents = self.encode_condition(video, quadmask, generator)
        assert mask_latents is not None and video_latents is not None
        condition_BTCHW = condition_latents(mask_latents, video_latents).to(device, torch.float32)
        text_NLD = self._text(prompt, prompt_embeds, "prompt", shape[0], device)
        if guidance_scale > 1:
            negative = negative_prompt if negative_prompt_embeds is None else None
            uncond_BLD = self._text(negative, negative_prompt_embeds, "negative_prompt", shape[0], device)
            text_NLD = torch.cat([uncond_BLD, text_NLD])

        self.scheduler.set_timesteps(num_inference_steps)
        denoiser = Denoiser(
            self.transformer,
            self.scheduler,
            condition_BTCHW,
            guidance_scale=guidance_scale,
            window=window,
            overlap=overlap,
            windows_per_batch=windows_per_batch,
        )
        for index, timestep in enumerate(self.progress_bar(self.scheduler.timesteps.tolist())):
            latents_BTCHW = denoiser.step(latents_BTCHW, timestep, text_NLD)
            if callback_on_step_end is not None:
                tensors = {"latents": latents_BTCHW, "prompt_embeds": text_NLD}
                changed = callback_on_step_end(self, index, timestep, {name: tensors[name] for name in names})
                latents_BTCHW = changed.pop("latents", latents_BTCHW)
                text_NLD = changed.pop("prompt_embeds", text_NLD)

        frames = self._output(latents_BTCHW.float(), output_type, device)
        self.maybe_free_model_hooks()
        return VoidPipelineOutput(frames=frames)

    @torch.no_grad()
    def encode_condition(
        self, video: Video, quadmask: Quadmask, generator: Generators | None = None
    ) -> tuple[Tensor, Tensor]:
        """Scaled latents `(1, T_lat, 16, h, w)` of a clip's mask and of the clip: the posterior's mode.

        Args:
            video: as for a call.
            quadmask: likewise; a warning tells where it seems reversed.
            generator: of the conditioning noise; None: torch's global one. Unused where `conditioning_sigma` is 0.

        Raises:
            InputError: frames or size are illegal, or clip and mask differ.
        """
        _shape_of_pixels(video, quadmask)
        check_polarity(quadmask, "quadmask")
        sigma, levels = self.config.conditioning_sigma, MaskLevels(self.config.mask_levels)
        source = _cpu_generator(generator) if sigma else None
        # One batch: a 3-D convolution on one clip alone takes a much slower path on CPUs.
        both_BCTHW = condition_videos(video, quadmask, levels, sigma=sigma, generator=source)
        mean_BTCHW, _ = encode_moments(self.vae, both_BCTHW, self._execution_device)
        mask_latents, video_latents = (mean_BTCHW * self.vae.config.scaling_factor).chunk(2)
        return mask_latents, video_latents

    def _text(
        self,
        prompt: str | list[str] | None,
        embeds_BLD: Tensor | None,
        name: str,
        batch: int,
        device: torch.device,
    ) -> Tensor:
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
            embeds_BLD = encode_text(texts, self.tokenizer, self.text_encoder, max_tokens, device)
        assert embeds_BLD is not None
        if embeds_BLD.shape[0] not in (1, batch):
            raise InputError(f"{embeds_BLD.shape[0]} texts for {batch} clips", "give one text, or one a clip")
        return embeds_BLD.to(device).expand(batch, -1, -1)

    def _noise_along(
        self,
        first_pass: FirstPassVideo,
        latents: Tensor | None,
        shape: tuple[int, ...],
        generator: Generators | None,
        noise: NoiseMaker | None,
    ) -> Tensor:
        if latents is not None or shape[0] != 1:
            raise InputError(
                "first_pass gives the initial noise of one clip, so it excludes latents and a batch of clips",
                "give first_pass with one clip, or latents (void.noise makes them)",
            )
        maker = noise or NoiseMaker(NoiseConfig(), RecipeConfig(), self._execution_device)
        height, width = (side * SPATIAL_COMPRESSION for side in shape[-2:])
        return noise_along(first_pass, pixel_frames(shape[1]), height, width, maker, _draw_seed(generator))

    def _initial_latents(
        self,
        latents: Tensor | None,
        shape: tuple[int, ...],
        generator: Generators | None,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Tensor:
        if isinstance(generator, list) and len(generator) != shape[0]:
            raise InputError(f"{len(generator)} generators for {shape[0]} clips", "give one generator per clip")
        if latents is None:
            latents = randn_tensor(shape, generator=generator, device=device, dtype=dtype)
        elif tuple(latents.shape) != shape:
            raise InputError(
                f"latents is {tuple(latents.shape)}, the condition needs {shape}", "give noise of that shape"
            )
        return latents.to(device, dtype) * self.scheduler.init_noise_sigma

    def _output(
        self, latents_BTCHW: Tensor, output_type: str, device: torch.device
    ) -> list[NDArray[np.uint8]] | Tensor:
        if output_type == "latent":
            return latents_BTCHW
        video_BCTHW = decode_latents(self.vae, latents_BTCHW, device)
        return video_BCTHW.clamp(-1, 1) if output_type == "pt" else to_frames(video_BCTHW)

    def _check_arguments(
        self, steps: int, guidance_scale: float, windows_per_batch: int | None, output_type: str, names: list[str]
    ) -> None:
        most = self.scheduler.config.num_train_timesteps
        if not 1 <= steps <= most:
            raise InputError(f"num_inference_steps = {steps} is out of range", f"use 1 to {most}; 30 is usual")
        if not guidance_scale >= 1:
            raise InputError(f"guidance_scale = {guidance_scale} is below 1", "use 1 for no guidance, or more")
        if windows_per_batch is not None and windows_per_batch < 1:
            raise InputError(f"windows_per_batch = {windows_per_batch} is below 1", "use 1 or more, or None")
        if output_type not in OUTPUT_TYPES:
            raise InputError(f"output_type = {output_type!r} is unknown", f"use one of {', '.join(OUTPUT_TYPES)}")
        unknown = sorted(set(names) - set(self._callback_tensor_inputs))
        if unknown:
            raise InputError(
                f"callback_on_step_end_tensor_inputs names {', '.join(unknown)}",
                f"use names among {', '.join(self._callback_tensor_inputs)}",
            )


def _check_one_condition(*pairs: tuple[Any, Any]) -> None:
    """Raise unless exactly one pair is given, and whole."""
    given = [pair for pair in pairs if any(item is not None for item in pair)]
    if len(given) != 1 or any(item is None for item in given[0]):
        raise InputError(
            "the condition must be video and quadmask, or mask_latents and video_latents",
            "give exactly one of the two pairs",
        )


def _shape_of_pixels(video: Video, quadmask: Quadmask) -> tuple[int, ...]:
    """Shape `(1, T_lat, 16, h, w)` of the latents of a clip and its mask."""
    if isinstance(video, Tensor):
        if video.ndim != 5 or video.shape[:2] != (1, 3) or not video.is_floating_point():
            raise InputError(
                f"video is a tensor {tuple(video.shape)} of {video.dtype}",
                "give a float tensor (1, 3, T, H, W) in [-1, 1], or a uint8 array (T, H, W, 3)",
            )
        size = tuple(video.shape[2:])
    else:
        if video.ndim != 4 or video.shape[-1] != 3 or video.dtype != np.uint8:
            raise InputError(
                f"video is an array {video.shape} of {video.dtype}",
                "give a uint8 array (T, H, W, 3), or a float tensor (1, 3, T, H, W) in [-1, 1]",
            )
        size = video.shape[:3]
    if quadmask.shape != size:
        raise InputError(
            f"the clip is {_size(size)} (frames x height x width), its quadmask {_size(quadmask.shape)}",
            "give a mask of every frame at the clip's size",
        )
    check_frames(size[0], "frames of the clip")
    check_size(size[1], size[2], "clip size")
    return (1, *latent_shape(*size))


def _shape_of_latents(mask_latents: Tensor, video_latents: Tensor) -> tuple[int, ...]:
    if mask_latents.shape != video_latents.shape or mask_latents.ndim != 5:
        raise InputError(
            f"mask_latents is {tuple(mask_latents.shape)}, video_latents {tuple(video_latents.shape)}",
            "both must have one shape (B, T_lat, 16, h, w)",
        )
    _, frames, _, rows, columns = mask_latents.shape
    if frames % PATCH_SIZE_T or rows % PATCH_SIZE or columns % PATCH_SIZE:
        raise InputError(
            f"latents of {frames} x {rows} x {columns} (frames x height x width) are not all even",
            "use clips of 8k+5 frames with sides that are multiples of 16 pixels",
        )
    return tuple(mask_latents.shape)


def _cpu_generator(generator: Generators | None) -> torch.Generator:
    """A CPU generator as it is; from any other one, a CPU generator seeded by a draw from it."""
    source = generator[0] if isinstance(generator, list) else generator
    if source is not None and source.device.type == "cpu":
        return source
    return torch.Generator().manual_seed(_draw_seed(source))


def _draw_seed(generator: Generators | None) -> int:
    """A seed from a generator, of several the first, or from torch's global one."""
    source = generator[0] if isinstance(generator, list) else generator
    device = "cpu" if source is None else source.device
    return int(torch.randint(2**63 - 1, (), generator=source, device=device))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
