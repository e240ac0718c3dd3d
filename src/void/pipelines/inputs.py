"""Clips and quadmasks in every form that a caller has, as the forms that VoidPipeline computes with.

A clip becomes a uint8 array `(T, H, W, 3)` or a float tensor `(1, 3, T, H, W)` in [-1, 1]; a mask becomes a `Quadmask`.

Shape legend: B batch, T frames, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from void.errors import InputError
from void.quadmask import Quadmask
from void.shapes import (
    PATCH_SIZE,
    PATCH_SIZE_T,
    SPATIAL_COMPRESSION,
    check_frames,
    check_size,
    latent_shape,
)

Clip: TypeAlias = NDArray[np.uint8] | Tensor | Sequence[Image.Image] | Sequence[NDArray[np.uint8]]
"""One clip: uint8 `(T, H, W, 3)`, float `(1, 3, T, H, W)` in [-1, 1], or a list of frames (PIL images or arrays)."""
Clips: TypeAlias = Clip | Sequence[Clip]
"""A clip, or a batch: a list of clips, uint8 `(B, T, H, W, 3)`, or float `(B, 3, T, H, W)`."""
Mask: TypeAlias = Quadmask | NDArray[np.uint8] | Sequence[Image.Image] | Sequence[NDArray[np.uint8]]
"""One mask: a `Quadmask`, or its grey values: uint8 `(T, H, W)` or `(T, H, W, 3)`, or a list of frames."""
Masks: TypeAlias = Mask | Sequence[Mask]

Pixels: TypeAlias = NDArray[np.uint8] | Tensor


def as_clips(video: Any) -> list[Pixels]:
    """The clips of a call, each as an array or tensor of its own.

    Args:
        video: Clips in one of the forms of `Clips`; anything else is refused.

    Raises:
        InputError: what is given is no clip, or images of a clip differ in size.
    """
    if isinstance(video, Tensor):
        if video.ndim != 5 or video.shape[1] != 3 or not video.is_floating_point():
            raise InputError(
                f"video is a tensor {tuple(video.shape)} of {video.dtype}",
                "give a float tensor (B, 3, T, H, W) in [-1, 1], or a uint8 array (T, H, W, 3)",
            )
        return list(video.split(1))
    if isinstance(video, np.ndarray):
        if video.ndim not in (4, 5) or video.shape[-1] != 3 or video.dtype != np.uint8:
            raise InputError(
                f"video is an array {video.shape} of {video.dtype}",
                "give a uint8 array (T, H, W, 3), or a float tensor (1, 3, T, H, W) in [-1, 1]",
            )
        return [video] if video.ndim == 4 else list(video)
    _check_list(video, "video", "a uint8 array (T, H, W, 3), a list of PIL images, or a list of such clips")
    if _is_frame(video[0]):
        return as_clips(_stacked(video, "RGB", "video"))
    clips = [one for clip in video for one in as_clips(clip)]
    if len(clips) != len(video):
        raise InputError("video is a list of batches", "give one list of clips")
    return clips


def as_quadmasks(quadmask: Any) -> list[Quadmask]:
    """The masks of a call.

    Args:
        quadmask: Masks in one of the forms of `Masks`; anything else is refused.

    Raises:
        InputError: what is given is no mask, or holds grey values other than the four levels.
    """
    if isinstance(quadmask, Quadmask):
        return [quadmask]
    if isinstance(quadmask, np.ndarray):
        if quadmask.dtype != np.uint8 or not (
            quadmask.ndim == 3 or (quadmask.ndim == 4 and quadmask.shape[-1] in (1, 3))
        ):
            raise InputError(
                f"quadmask is an array {quadmask.shape} of {quadmask.dtype}",
                "give void.quadmask.Quadmask(primary, affected), or its grey values 0, 63, 127, 255: uint8 (T, H, W)",
            )
        return [Quadmask.unpack(quadmask if quadmask.ndim == 3 else quadmask[..., 0], "quadmask")]
    _check_list(quadmask, "quadmask", "a void.quadmask.Quadmask, a list of PIL images, or a list with one mask a clip")
    if _is_frame(quadmask[0], dimensions=(2, 3)) and not _is_volume(quadmask[0]):
        return as_quadmasks(_stacked(quadmask, "L", "quadmask"))
    return [one for mask in quadmask for one in as_quadmasks(mask)]


def shape_of_pixels(clips: Sequence[Pixels], quadmasks: Sequence[Quadmask]) -> tuple[int, ...]:
    """Shape `(B, T_lat, 16, h, w)` of the latents of clips and their masks.

    Raises:
        InputError: frames or size are illegal, clips differ in size, or clip and mask do.
    """
    if len(clips) != len(quadmasks):
        raise InputError(f"{len(quadmasks)} masks for {len(clips)} clips", "give one mask a clip")
    sizes = [tuple(clip.shape[2:]) if isinstance(clip, Tensor) else clip.shape[:3] for clip in clips]
    for size, quadmask in zip(sizes, quadmasks, strict=True):
        if quadmask.shape != size:
            raise InputError(
                f"the clip is {_size(size)} (frames x height x width), its quadmask {_size(quadmask.shape)}",
                "give a mask of every frame at the clip's size",
            )
        if size != sizes[0]:
            raise InputError(
                f"clips of one batch are {_size(sizes[0])} and {_size(size)} (frames x height x width)",
                "call once for each size, or bring them to one: void.pipelines.fitting.fit_clip",
            )
    frames, height, width = sizes[0]
    check_frames(frames, "frames of the clip")
    check_size(height, width, "clip size")
    return (len(clips), *latent_shape(frames, height, width))


def shape_of_latents(mask_latents: Tensor, video_latents: Tensor) -> tuple[int, ...]:
    """Shape of encoded conditions.

    Raises:
        InputError: the two shapes differ, or are of no legal clip.
    """
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


def check_one_condition(*pairs: tuple[Any, Any]) -> None:
    """Raise InputError unless exactly one pair is given, and whole."""
    given = [pair for pair in pairs if any(item is not None for item in pair)]
    if len(given) != 1 or any(item is None for item in given[0]):
        raise InputError(
            "the condition must be video and quadmask, or mask_latents and video_latents",
            "give exactly one of the two pairs",
        )


def samples_of_call(num_clips: int, num_texts: int, per_prompt: int, num_generators: int | None) -> int:
    """Results of a call.

    One clip serves any number of texts, one text any number of clips; one clip with one text is sampled once for each
    generator of a list.

    Args:
        num_clips: Clips, or conditions in latents.
        num_texts: Prompts, or rows of embeddings.
        per_prompt: Results of each clip and text, next to one another in the batch.
        num_generators: Length of a list of generators; None: no list.

    Raises:
        InputError: the numbers do not go together.
    """
    if per_prompt < 1:
        raise InputError(f"num_videos_per_prompt = {per_prompt} is below 1", "use 1 or more")
    if 1 not in (num_clips, num_texts) and num_clips != num_texts:
        raise InputError(f"{num_texts} texts for {num_clips} clips", "give one text, or one a clip")
    samples = max(num_clips, num_texts) * per_prompt
    if num_generators is None or num_generators == samples:
        return samples
    if samples == 1 and num_generators > 1:
        return num_generators
    raise InputError(
        f"{num_generators} generators for {samples} results", "give one generator a result, or a single one"
    )


def check_one_text(prompt: str | list[str] | None, embeds_BLD: Tensor | None, name: str) -> None:
    """Raise InputError unless a text is given either as such or as embeddings."""
    if (prompt is None) == (embeds_BLD is None):
        embeds_name = "prompt_embeds" if name == "prompt" else "negative_prompt_embeds"
        raise InputError(f"give exactly one of {name} and {embeds_name}", f'{name}="" is an empty text')
    if prompt is not None and not isinstance(prompt, str) and len(prompt) == 0:
        raise InputError(f"{name} is an empty list", "give one text, or one a clip")


def check_latent_size(shape: list[int], height: int | None, width: int | None) -> None:
    """Raise InputError where a call asks for another size than that of its latents `(T, C, h, w)`."""
    found = tuple(side * SPATIAL_COMPRESSION for side in shape[-2:])
    if (height or found[0], width or found[1]) != found:
        raise InputError(
            f"height = {height} and width = {width}, but the latents are of {found[0]} x {found[1]} pixels",
            "leave out height and width where the condition is given as latents",
        )


def checked_texts(text_NLD: Tensor, samples: int) -> Tensor:
    """Text embeddings that a callback returned, one or two a result."""
    if len(text_NLD) == 1:
        return text_NLD.expand(samples, -1, -1)
    if len(text_NLD) not in (samples, 2 * samples):
        raise InputError(
            f"the callback returned {len(text_NLD)} texts for {samples} results",
            f"return {samples} (no guidance) or {2 * samples} (unconditional ones first)",
        )
    return text_NLD


def repeated(rows: Tensor, samples: int) -> Tensor:
    """Rows of the first dimension, each repeated in place so that there are `samples`."""
    return rows if len(rows) == samples else rows.repeat_interleave(samples // len(rows), dim=0)


def _check_list(given: Any, name: str, remedy: str) -> None:
    if not isinstance(given, list | tuple):
        raise InputError(f"{name} is a {type(given).__name__}", f"give {remedy}")
    if len(given) == 0:
        raise InputError(f"{name} is an empty list", f"give {remedy}")


def _is_frame(item: Any, dimensions: tuple[int, ...] = (3,)) -> bool:
    return isinstance(item, Image.Image) or (isinstance(item, np.ndarray) and item.ndim in dimensions)


def _is_volume(item: Any) -> bool:
    """Whether an array of three dimensions is a mask `(T, H, W)` and not a picture `(H, W, 1 or 3)`."""
    return isinstance(item, np.ndarray) and item.ndim == 3 and item.shape[-1] not in (1, 3)


def _stacked(frames: Sequence[Any], mode: str, name: str) -> NDArray[np.uint8]:
    """Frames as one array.

    Raises:
        InputError: frames differ in kind, size or type.
    """
    arrays = [np.asarray(frame.convert(mode)) if isinstance(frame, Image.Image) else frame for frame in frames]
    seen = {(array.shape, array.dtype) if isinstance(array, np.ndarray) else type(array).__name__ for array in arrays}
    if len(seen) > 1:
        shown = " and ".join(sorted(str(one) for one in seen))
        raise InputError(f"frames of {name} differ: {shown}", "give frames of one size and type")
    return np.stack(arrays)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
