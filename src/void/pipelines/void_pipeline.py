"""VoidPipeline: a clip and its quadmask in, the clip without the object and its consequences out.

A diffusers pipeline: saving, loading, offloading hooks, callbacks and LoRA work as usual (docs/pipeline.md).

Shape legend: B batch, T frames (pixel or latent), C channels, H height, W width, L text tokens, D text width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from diffusers import CogVideoXTransformer3DModel, DiffusionPipeline, SchedulerMixin
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from diffusers.loaders import CogVideoXLoraLoaderMixin
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5EncoderModel

from void.conditioning import condition_latents, condition_videos, to_frames
from void.errors import InputError
from void.models.text import encode_text
from void.models.vae import VoidVAE, decode_latents, encode_moments
from void.noise.config import NoiseConfig
from void.noise.maker import NoiseMaker
from void.pipelines.call_state import CallState
from void.pipelines.checks import check_polarity
from void.pipelines.denoising import Denoiser
from void.pipelines.first_pass import FirstPassVideo, noise_along
from void.pipelines.fitting import stretch_clips
from void.pipelines.inputs import (
    Clips,
    Masks,
    Pixels,
    as_clips,
    as_quadmasks,
    check_latent_size,
    check_one_condition,
    check_one_text,
    checked_texts,
    repeated,
    samples_of_call,
    shape_of_latents,
    shape_of_pixels,
)
from void.pipelines.schedulers import (
    Generators,
    SchedulerStep,
    check_scheduler,
    cpu_generator,
    draw_seed,
    noise_levels,
)
from void.pipelines.windows import OVERLAP_FRAMES, WINDOW_FRAMES, latent_window
from void.quadmask import Quadmask
from void.recipe import MaskLevels, RecipeConfig
from void.shapes import SPATIAL_COMPRESSION, pixel_frames

OUTPUT_TYPES = ("np", "pil", "pt", "latent")
MASK_LEVELS = (MaskLevels.quad.value, MaskLevels.trimask.value, MaskLevels.binary.value)

StepEnd: TypeAlias = (
    Callable[["VoidPipeline", int, Tensor, dict[str, Any]], dict[str, Any]] | PipelineCallback | MultiPipelineCallbacks
)


@dataclass
class VoidPipelineOutput(BaseOutput):
    """Results of a call.

    Args:
        frames: With output_type `np` a list of uint8 `(T, H, W, 3)` arrays, one a result; with `pil` a list of lists of
            images; with `pt` a float32 tensor `(B, 3, T, H, W)` clamped to [-1, 1]; with `latent` the scaled latents
            `(B, T_lat, 16, h, w)`.
    """

    frames: Any


class VoidPipeline(CallState, DiffusionPipeline, CogVideoXLoraLoaderMixin):
    """Quadmask-conditioned video inpainting.

    Args:
        transformer: The denoising network, with 48 input channels.
        vae: The VAE; it decodes, and encodes the condition where that is given as pixels.
        scheduler: One of `void.pipelines.schedulers.SCHEDULERS`, made for velocities. Its noise levels are those of
            the weights: a scheduler that takes its place later must have the same.
        tokenizer: The text encoder's tokenizer; needed only where prompts are given as text.
        text_encoder: The T5 encoder; likewise.
        mask_levels: `quad`, `trimask` or `binary`: the form in which the quadmask enters the VAE; must be what the
            transformer was trained with.
        conditioning_sigma: Standard deviation of the noise that the input clip (pixels in [-1, 1]) gets before it is
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
        scheduler: SchedulerMixin,
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
        self._trained_levels = noise_levels(scheduler)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str] | None = None,
        *,
        video: Clips | None = None,
        quadmask: Masks | None = None,
        height: int | None = None,
        width: int | None = None,
        mask_latents: Tensor | None = None,
        video_latents: Tensor | None = None,
        prompt_embeds: Tensor | None = None,
        negative_prompt: str | list[str] | None = "",
        negative_prompt_embeds: Tensor | None = None,
        num_inference_steps: int = 30,
        guidance_scale: float = 1.0,
        num_videos_per_prompt: int = 1,
        generator: Generators | None = None,
        latents: Tensor | None = None,
        first_pass: FirstPassVideo | None = None,
        noise: NoiseMaker | None = None,
        latents_dtype: torch.dtype = torch.float32,
        window_frames: int = WINDOW_FRAMES,
        overlap_frames: int = OVERLAP_FRAMES,
        windows_per_batch: int | None = None,
        output_type: str = "np",
        return_dict: bool = True,
        attention_kwargs: dict[str, Any] | None = None,
        callback_on_step_end: StepEnd | None = None,
        callback_on_step_end_tensor_inputs: list[str] | None = None,
    ) -> Any:
        """Sample.

        The condition is either pixels (`video` and `quadmask`, encoded once) or scaled latents (`mask_latents` and
        `video_latents`). The text is either `prompt` or `prompt_embeds`. One clip serves several texts, and one text
        several clips; one clip with one text is sampled once for each generator of a list.

        Args:
            prompt: Text of the scene without the object; one a clip, or one for all.
            video: A clip, or a list of clips of one size. A clip is uint8 `(T, H, W, 3)`, a list of PIL images, or
                float `(1, 3, T, H, W)` in [-1, 1]; T = 8k+5, sides multiples of 16. `void.pipelines.fitting.fit_clip`
                brings any clip to such a length and size.
            quadmask: A mask of the same T, H, W for each clip: a `Quadmask`, or its grey values 0, 63, 127, 255 as
                uint8 `(T, H, W)` or as a list of PIL images.
            height: Height to which clip and mask are stretched first; None: their own.
            width: Width, likewise.
            mask_latents: Mask conditions `(B, T_lat, 16, h, w)`, T_lat, h and w even.
            video_latents: Clip conditions of the same shape.
            prompt_embeds: Text embeddings `(B or 1, L, D)`.
            negative_prompt: Text that guidance moves away from; used with guidance only.
            negative_prompt_embeds: The same as embeddings.
            num_inference_steps: Denoising steps, 1 to the number of training steps.
            guidance_scale: Weight of classifier-free guidance; 1 means none, and half the work.
            num_videos_per_prompt: Results for each clip and text, next to one another in the batch.
            generator: Source of all random numbers. A list of one generator a result makes each result independent of
                the batch; a single one serves the whole batch. It gives the initial latents first, then the
                conditioning noise, if there is any, then what the scheduler draws.
            latents: Initial noise `(B, T_lat, 16, h, w)` of unit variance; drawn from `generator` when None.
            first_pass: Result of the first pass for the same clip: this call is the second, whose noise moves with
                it. Uint8 `(T, H, W, 3)`, float `(1, 3, T, H, W)` in [-1, 1], or a video file, without padding (which is
                mirrored here). The noise's seed is the generator's first draw.
            noise: Maker of that noise; None: by the defaults of `NoiseConfig` and the corrected recipe.
            latents_dtype: Type in which noise is drawn and latents are kept between steps; the update is float32.
            window_frames: Pixel frames that the transformer sees at once, 8k+5; a longer clip is denoised in windows.
            overlap_frames: Pixel frames that neighbouring windows share, a multiple of 8.
            windows_per_batch: Windows in one forward pass; None: all on a GPU (fewer when memory runs out), one on a
                CPU. Without a step cache the result does not depend on it.
            output_type: `np`, `pil`, `pt` or `latent`.
            return_dict: True: a `VoidPipelineOutput`; False: a tuple with its frames.
            attention_kwargs: Options of diffusers for the attention, such as `{"scale": 0.5}` of a LoRA.
            callback_on_step_end: Function called as diffusers does, with (pipeline, index, timestep, tensors); it
                returns the tensors, changed or not. Or one of diffusers' callback objects.
            callback_on_step_end_tensor_inputs: Names among `latents` and `prompt_embeds`; default `latents`. With
                guidance `prompt_embeds` holds the unconditional texts first; a callback that leaves only the others
                ends guidance.

        Returns:
            `VoidPipelineOutput`, or a tuple with its frames.

        Raises:
            InputError: an argument is missing, contradictory or out of range; frames or size are illegal; or the
                scheduler does not fit the weights.
        """
        if isinstance(callback_on_step_end, PipelineCallback | MultiPipelineCallbacks):
            callback_on_step_end_tensor_inputs = callback_on_step_end.tensor_inputs
        names = callback_on_step_end_tensor_inputs or ["latents"]
        self._check_arguments(num_inference_steps, guidance_scale, windows_per_batch, output_type, names)
        check_scheduler(self.scheduler, self._trained_levels)
        window, overlap = latent_window(window_frames, overlap_frames)
        check_one_condition((video, quadmask), (mask_latents, video_latents))
        if video is not None and quadmask is not None:
            clips, masks = stretch_clips(as_clips(video), as_quadmasks(quadmask), height, width)
            num_clips, *shape = shape_of_pixels(clips, masks)
        elif mask_latents is not None and video_latents is not None:
            num_clips, *shape = shape_of_latents(mask_latents, video_latents)
            check_latent_size(shape, height, width)
        check_one_text(prompt, prompt_embeds, "prompt")
        texts = len(prompt_embeds) if prompt_embeds is not None else 1 if isinstance(prompt, str) else len(prompt or ())
        samples = samples_of_call(
            num_clips, texts, num_videos_per_prompt, len(generator) if isinstance(generator, list) else None
        )
        whole = (samples, *shape)
        self._guidance_scale, self._attention_kwargs, self._interrupt = guidance_scale, attention_kwargs, False
        # Asked once: diffusers looks through every module for it.
        device = self._execution_device
        # Before the noise is drawn, whose scale is known only now. On the CPU, where a GPU need not be waited for.
        self.scheduler.set_timesteps(num_inference_steps)
        timesteps = list(self.scheduler.timesteps.cpu())
        self._num_timesteps = len(timesteps)
        if first_pass is not None:
            latents = self._noise_along(first_pass, latents, whole, generator, noise)
        latents_BTCHW = self._initial_latents(latents, whole, generator, device, latents_dtype)
        if video is not None:
            mask_latents, video_latents = self._encode(clips, masks, samples, generator)
        assert mask_latents is not None and video_latents is not None
        condition_BTCHW = repeated(condition_latents(mask_latents, video_latents), samples).to(device, torch.float32)
        rows = max(num_clips, texts)
        text_NLD = self._text(prompt, prompt_embeds, "prompt", rows, samples, device)
        if guidance_scale > 1:
            negative = negative_prompt if negative_prompt_embeds is None else None
            uncond_BLD = self._text(negative, negative_prompt_embeds, "negative_prompt", rows, samples, device)
            text_NLD = torch.cat([uncond_BLD, text_NLD])

        denoiser = Denoiser(
            self.transformer,
            SchedulerStep(self.scheduler, generator),
            condition_BTCHW,
            window=window,
            overlap=overlap,
            windows_per_batch=windows_per_batch,
            attention_kwargs=attention_kwargs,
        )
        for index, timestep in enumerate(self.progress_bar(timesteps)):
            if self.interrupt:
                continue
            self._current_timestep = timestep
            latents_BTCHW = denoiser.step(latents_BTCHW, timestep, text_NLD, self.guidance_scale)
            if callback_on_step_end is not None:
                tensors = {"latents": latents_BTCHW, "prompt_embeds": text_NLD}
                changed = callback_on_step_end(self, index, timestep, {name: tensors[name] for name in names})
                latents_BTCHW = changed.pop("latents", latents_BTCHW)
                text_NLD = checked_texts(changed.pop("prompt_embeds", text_NLD), samples)
        self._current_timestep = None

        frames = self._output(latents_BTCHW.float(), output_type, device)
        self.maybe_free_model_hooks()
        return VoidPipelineOutput(frames=frames) if return_dict else (frames,)

    @torch.no_grad()
    def encode_condition(
        self, video: Clips, quadmask: Masks, generator: Generators | None = None
    ) -> tuple[Tensor, Tensor]:
        """Scaled latents `(B, T_lat, 16, h, w)` of the clips' masks and of the clips: the posterior's mode.

        Args:
            video: One clip or several, as for a call.
            quadmask: Their masks; a warning tells where one seems reversed.
            generator: Source of the conditioning noise, of a list one a clip; None: torch's global one. Unused where
                `conditioning_sigma` is 0.

        Raises:
            InputError: frames or size are illegal, or clip and mask differ.
        """
        clips, masks = as_clips(video), as_quadmasks(quadmask)
        shape_of_pixels(clips, masks)
        if isinstance(generator, list) and len(generator) != len(clips):
            raise InputError(f"{len(generator)} generators for {len(clips)} clips", "give one generator per clip")
        return self._encode(clips, masks, len(clips), generator)

    def _encode(
        self, clips: list[Pixels], masks: list[Quadmask], samples: int, generator: Generators | None
    ) -> tuple[Tensor, Tensor]:
        """Conditions: one a clip, or, where each result gets noise of its own, one a result."""
        sigma, levels = self.config.conditioning_sigma, MaskLevels(self.config.mask_levels)
        for mask in masks:
            check_polarity(mask, "quadmask")
        if sigma and isinstance(generator, list):
            sources: list[torch.Generator | None] = [cpu_generator(one) for one in generator]
        else:
            sources = [cpu_generator(generator) if sigma else None] * samples
        count = samples if sigma else len(clips)
        each, conditions = count // len(clips), []
        for index in range(count):
            # Mask and clip in one batch: a 3-D convolution on one clip alone takes a much slower path on CPUs.
            clip, mask = clips[index // each], masks[index // each]
            both_BCTHW = condition_videos(clip, mask, levels, sigma=sigma, generator=sources[index])
            mean_BTCHW, _ = encode_moments(self.vae, both_BCTHW, self._execution_device)
            conditions.append(mean_BTCHW * self.vae.config.scaling_factor)
        mask_latents, video_latents = torch.stack(conditions, dim=1)
        return mask_latents, video_latents

    def _text(
        self,
        prompt: str | list[str] | None,
        embeds_BLD: Tensor | None,
        name: str,
        rows: int,
        samples: int,
        device: torch.device,
    ) -> Tensor:
        check_one_text(prompt, embeds_BLD, name)
        if prompt is not None:
            if self.tokenizer is None or self.text_encoder is None:
                raise InputError(
                    f"{name} is text, but this pipeline has no text encoder", f"give {name}_embeds instead"
                )
            texts = [prompt] if isinstance(prompt, str) else prompt
            max_tokens = self.transformer.config.max_text_seq_length
            embeds_BLD = encode_text(texts, self.tokenizer, self.text_encoder, max_tokens, device)
        assert embeds_BLD is not None
        if len(embeds_BLD) not in (1, rows):
            raise InputError(
                f"{len(embeds_BLD)} texts as {name}, where {rows} are needed", "give one text, or one a clip"
            )
        return repeated(embeds_BLD.to(device), samples)

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
        return noise_along(first_pass, pixel_frames(shape[1]), height, width, maker, draw_seed(generator))

    def _initial_latents(
        self,
        latents: Tensor | None,
        shape: tuple[int, ...],
        generator: Generators | None,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Tensor:
        if latents is None:
            latents = randn_tensor(shape, generator=generator, device=device, dtype=dtype)
        elif tuple(latents.shape) != shape:
            raise InputError(
                f"latents is {tuple(latents.shape)}, the condition needs {shape}", "give noise of that shape"
            )
        return latents.to(device, dtype) * self.scheduler.init_noise_sigma

    def _output(
        self, latents_BTCHW: Tensor, output_type: str, device: torch.device
    ) -> list[NDArray[np.uint8]] | list[list[Image.Image]] | Tensor:
        if output_type == "latent":
            return latents_BTCHW
        video_BCTHW = decode_latents(self.vae, latents_BTCHW, device)
        if output_type == "pt":
            return video_BCTHW.clamp(-1, 1)
        clips = to_frames(video_BCTHW)
        if output_type == "pil":
            return [[Image.fromarray(frame_HWC) for frame_HWC in clip_THWC] for clip_THWC in clips]
        return clips

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
