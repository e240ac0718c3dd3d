"""Any clip at a size and length that the model takes, and its result back at the clip's own.

`void infer` fits with the same functions as a program that calls VoidPipeline.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from void.conditioning import to_frames
from void.errors import InputError
from void.pipelines.frame_fit import FrameFit, frame_fit
from void.pipelines.inputs import Clip, Mask, Pixels, as_clips, as_quadmasks
from void.quadmask import Quadmask
from void.recipe import Aspect, MaskResize, VideoResize
from void.resize import resize_frames, resize_mask
from void.shapes import ceil_frames, check_frames, check_size

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class FittedClip:
    """A clip as the model sees it.

    Args:
        video_THWC: uint8 RGB of the model's size and a legal length, mirrored from frame `frames` on.
        quadmask: The mask, of the same shape.
        frames: Number of frames that are the clip's own.
        fit: How a frame of the clip fits the model's size; of several windows the first.
        windows: A fit for each frame; None where `fit` is that of all.
    """

    video_THWC: NDArray[np.uint8]
    quadmask: Quadmask
    frames: int
    fit: FrameFit
    windows: Sequence[FrameFit] | None = None

    def restore(self, result: Clip, original: Clip | None = None) -> NDArray[np.uint8]:
        """A result at the clip's own length and size, uint8 `(T, H, W, 3)`.

        Args:
            result: Output of the pipeline for this clip: frames, images, or a tensor.
            original: The clip before it was fitted; needed with `Aspect.crop`, for the pixels that were not sampled.

        Raises:
            InputError: the result is not of this clip, or the original is needed and missing.
        """
        result_THWC = _one_clip(result, "result")
        if result_THWC.shape != self.video_THWC.shape:
            raise InputError(
                f"result is {result_THWC.shape}, the fitted clip {self.video_THWC.shape}",
                "give the result of this clip",
            )
        originals_THWC = None if original is None else _one_clip(original, "original")
        if not self.fit.sees_all and originals_THWC is None:
            raise InputError("parts of the clip were not sampled", "give restore(result, original=...) the clip itself")
        restored = [
            (self.windows[index] if self.windows else self.fit).restore(
                frame_HWC, None if originals_THWC is None else originals_THWC[index]
            )
            for index, frame_HWC in enumerate(result_THWC[: self.frames])
        ]
        return np.stack(restored)


def fit_clip(
    video: Clip | Iterator[NDArray[np.uint8]],
    quadmask: Mask | Iterator[Quadmask],
    height: int,
    width: int,
    *,
    aspect: Aspect = Aspect.letterbox,
    sample_aspect_ratio: float | Fraction = 1,
    windows: Sequence[FrameFit] | None = None,
    length: int | None = None,
    num_frames: int | None = None,
    video_resize: VideoResize = VideoResize.area,
    mask_resize: MaskResize = MaskResize.layers,
) -> FittedClip:
    """Bring a clip and its mask to the model's size and a legal length.

    Frames are fitted one at a time, so a clip that comes frame by frame is never held at its own size.

    Args:
        video: The clip: uint8 `(T, H, W, 3)`, a list of PIL images, a float tensor (which is rounded to 8 bits), or an
            iterator over uint8 frames `(H, W, 3)`.
        quadmask: The mask of every frame, at any size of the clip's shape: a `Quadmask`, grey values, a list of PIL
            images, or an iterator over `Quadmask`s of one frame each.
        height: Height that the model sees, a multiple of 16.
        width: Width that the model sees, likewise.
        aspect: What happens to a clip of another shape: letterbox, crop or stretch.
        sample_aspect_ratio: Width of a pixel of the clip divided by its height, as it is shown. The mask shows what the
            clip shows, whatever its own size.
        windows: A fit for each frame, in place of one by `aspect`; None: one for all.
        length: Frames of the result, 8k+5; None: the shortest legal length that holds the clip.
        num_frames: Frames of an iterator.
        video_resize: Rule by which frames change their size.
        mask_resize: Rule by which masks do.

    Raises:
        InputError: size or length is illegal, the mask has another number of frames, or an iterator ends early.
    """
    check_size(height, width, "fitted size")
    if not isinstance(video, Iterator):
        clip_THWC = _one_clip(video, "video")
        num_frames, video = len(clip_THWC), iter(clip_THWC)
    if num_frames is None or num_frames < 1:
        raise InputError(f"num_frames = {num_frames}", "give the number of frames that the iterator holds")
    if not isinstance(quadmask, Iterator):
        (whole,) = _one_mask(quadmask)
        if whole.shape[0] != num_frames:
            raise InputError(
                f"the mask has {whole.shape[0]} frames, the clip {num_frames}", "give a mask of every frame"
            )
        quadmask = (whole[index : index + 1] for index in range(num_frames))
    length = ceil_frames(num_frames) if length is None else length
    check_frames(length, "length")
    if length < num_frames:
        raise InputError(f"length = {length} is below the clip's {num_frames} frames", f"use {ceil_frames(num_frames)}")
    size = (height, width)
    video_THWC = np.empty((num_frames, *size, 3), np.uint8)
    fit = windows[0] if windows else None
    for index, frame_HWC in _counted(video, num_frames, "clip"):
        fit = fit or frame_fit(frame_HWC.shape[:2], size, aspect, sample_aspect_ratio)
        video_THWC[index] = (windows[index] if windows else fit).frame(frame_HWC, video_resize)
    assert fit is not None
    rows, columns = fit.source_size
    shown = columns / rows * float(sample_aspect_ratio)
    primary_THW, affected_THW = (np.empty((num_frames, *size), np.bool_) for _ in range(2))
    for index, mask in _counted(quadmask, num_frames, "mask"):
        if windows:
            mask = resize_mask(mask, rows, columns, mask_resize)
        _, mask_rows, mask_columns = mask.shape
        mask_fit = frame_fit((mask_rows, mask_columns), size, aspect, shown * mask_rows / mask_columns)
        fitted = (windows[index] if windows else mask_fit).mask(mask, mask_resize)
        primary_THW[index], affected_THW[index] = fitted.primary_THW[0], fitted.affected_THW[0]
    order = mirrored(num_frames, length)
    padded = Quadmask(primary_THW[order], affected_THW[order])
    return FittedClip(video_THWC[order], padded, num_frames, fit, windows)


def mirrored(length: int, frames: int) -> list[int]:
    """Frame numbers of a clip of `length` extended to `frames`: x_1..x_n, x_n..x_1, x_1..."""
    there_and_back = [*range(length), *reversed(range(length))]
    return [there_and_back[index % len(there_and_back)] for index in range(frames)]


def stretch_clips(
    clips: Sequence[Pixels], masks: Sequence[Quadmask], height: int | None, width: int | None
) -> tuple[list[Pixels], list[Quadmask]]:
    """Clips and masks of any one size, stretched to another; as they are where both sides are None.

    Raises:
        InputError: the size is illegal, or a clip in floats would have to change its size.
    """
    if height is None and width is None:
        return list(clips), list(masks)
    stretched: list[Pixels] = []
    for clip in clips:
        rows, columns = clip.shape[-2:] if isinstance(clip, Tensor) else clip.shape[1:3]
        size = (height or rows, width or columns)
        check_size(*size, "clip size")
        if (rows, columns) == size:
            stretched.append(clip)
        elif isinstance(clip, Tensor):
            raise InputError(
                f"video is a float tensor of {rows} x {columns}, to be sampled at {size[0]} x {size[1]}",
                "resize it first, or give frames of 8 bits: a uint8 array (T, H, W, 3) or PIL images",
            )
        else:
            stretched.append(resize_frames(clip, *size, VideoResize.area))
    sizes = ((height or mask.shape[1], width or mask.shape[2]) for mask in masks)
    resized = [mask if mask.shape[1:] == size else mask.resize(*size) for mask, size in zip(masks, sizes, strict=True)]
    return stretched, resized


def _counted(items: Iterator[T], count: int, name: str) -> Iterator[tuple[int, T]]:
    """The items and their numbers, to the iterator's end, where a reader may still report what it found."""
    index = -1
    for index, item in enumerate(items):
        if index == count:
            raise InputError(f"the {name} has more than {count} frames", "give the number of frames that it has")
        yield index, item
    if index + 1 < count:
        raise InputError(
            f"the {name} ends after {index + 1} of {count} frames", "give every frame, or the number that there is"
        )


def _one_clip(clip: Clip, name: str) -> NDArray[np.uint8]:
    found = as_clips(clip)
    if len(found) != 1:
        raise InputError(f"{name} is a batch of {len(found)} clips", "give one clip at a time")
    return to_frames(found[0])[0] if isinstance(found[0], Tensor) else found[0]


def _one_mask(mask: Mask) -> list[Quadmask]:
    found = as_quadmasks(mask)
    if len(found) != 1:
        raise InputError(f"quadmask is a batch of {len(found)} masks", "give one mask at a time")
    return found
