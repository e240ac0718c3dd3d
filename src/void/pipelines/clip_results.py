"""A result of a user's clip as the user gets it back: length, size and rate, and the input around it.

Frames are restored and written one by one: at its own size never more than a frame or two of a clip is in memory.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.pipelines.clip_folders import ClipFolder
from void.pipelines.clips import Clip, iter_mask
from void.pipelines.composite import blend, composite, window_share
from void.pipelines.config import Composite
from void.pipelines.frame_fit import Size
from void.recipe import RecipeConfig
from void.resize import resize_mask
from void.video import VideoFormat, VideoInfo, iter_video, write_frames

RELEASED_FPS = 12.0

PixelT = TypeVar("PixelT", bound=np.unsignedinteger[Any])


def write_result(
    file: Path, result_THWC: NDArray[PixelT], clip: Clip, source: ClipFolder, config: VoidConfig
) -> VideoInfo:
    """Write a result with the input's length, size, shape of pixels and times, each as the recipe says.

    H.264 takes even sides only, and ProRes an even width: the last row or column of an odd input is left out.

    Args:
        file: Target, named as the format asks.
        result_THWC: RGB frames of the model's size and of the padded length, of 8 or 16 bits.
        clip: The clip that was sampled.
        source: Its files; decoded again where pixels of the input are put back.
        config: The recipe and `infer` are read.

    Returns:
        What was written.

    Raises:
        InputError: the disk is full.
    """
    recipe, info = config.recipe, clip.info
    frames = clip.frames if recipe.trim_padding else len(result_THWC)
    fps, pixel_aspect, timestamps = output_fps(clip, recipe), Fraction(1), None
    if recipe.restore_fps and info.timestamps is not None and frames <= len(info.timestamps):
        timestamps = info.timestamps[:frames]
    written: Iterator[NDArray[PixelT]]
    if recipe.restore_size:
        height, width = output_size(clip.fit.source_size, config.infer.format)
        pixel_aspect = info.sample_aspect_ratio
        written = (frame_HWC[:height, :width] for frame_HWC in _restored(result_THWC[:frames], clip, source, config))
    else:
        height, width = clip.fit.model_size
        written = _at_models_size(result_THWC[:frames], clip, config)
    write_frames(
        file,
        written,
        (frames, height, width),
        fps,
        crf=config.infer.crf,
        format=config.infer.format,
        sample_aspect_ratio=pixel_aspect,
        timestamps=timestamps,
    )
    return VideoInfo(frames, height, width, fps, pixel_aspect, timestamps)


def output_fps(clip: Clip, recipe: RecipeConfig) -> float:
    """Frames per second of a result."""
    return clip.info.fps if recipe.restore_fps else RELEASED_FPS


def output_size(size: Size, format: VideoFormat) -> Size:
    """The largest size not above `size` that a format can hold; at least one step of the format in each direction."""
    steps = {VideoFormat.h264: (2, 2), VideoFormat.prores: (1, 2)}.get(format, (1, 1))
    height, width = (max(step, side - side % step) for side, step in zip(size, steps, strict=True))
    return height, width


def as_pixels(frame_HWC: NDArray[np.uint8], like: NDArray[PixelT]) -> NDArray[PixelT]:
    """A frame of 8 bits in the number of bits of another one; 255 becomes the brightest value."""
    factor = like.dtype.type(np.iinfo(like.dtype).max // 255)
    return frame_HWC.astype(like.dtype, copy=False) * factor if factor > 1 else frame_HWC.astype(like.dtype, copy=False)


def _at_models_size(result_THWC: NDArray[PixelT], clip: Clip, config: VoidConfig) -> Iterator[NDArray[PixelT]]:
    for index, result_HWC in enumerate(result_THWC):
        if config.infer.composite is Composite.none:
            yield result_HWC
        else:
            original_HWC = as_pixels(clip.video_THWC[index], result_HWC)
            yield composite(result_HWC, original_HWC, clip.quadmask.marked_THW[index], config.infer.feather)


def _restored(
    result_THWC: NDArray[PixelT], clip: Clip, source: ClipFolder, config: VoidConfig
) -> Iterator[NDArray[PixelT]]:
    is_composite, feather = config.infer.composite is Composite.feather, config.infer.feather
    if clip.fit.sees_all and not is_composite:
        for result_HWC in result_THWC:
            yield clip.fit.restore(result_HWC, None)
        return
    originals = _originals(source.video, clip.frames, len(result_THWC))
    masks = iter_mask(source, clip.frames) if is_composite else None
    for index, (result_HWC, input_HWC) in enumerate(zip(result_THWC, originals, strict=True)):
        fit, original_HWC = clip.fit_at(index), as_pixels(input_HWC, result_HWC)
        restored_HWC = fit.restore(result_HWC, original_HWC)
        if clip.windows is not None:
            inside, share_HW = (fit.source.rows, fit.source.columns), window_share(fit.source, fit.source_size, feather)
            restored_HWC[inside] = blend(restored_HWC[inside], original_HWC[inside], share_HW)
        if masks is not None:
            mask = resize_mask(next(masks), *fit.source_size, config.recipe.mask_resize)
            restored_HWC = composite(restored_HWC, original_HWC, mask.marked_THW[0], feather)
        yield restored_HWC


def _originals(video: Path, length: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    """The file's frames; after the last one it stands still (padding that `trim_padding=false` leaves)."""
    last_HWC: NDArray[np.uint8] | None = None
    for last_HWC in iter_video(video, max_frames=length):
        yield last_HWC
    assert last_HWC is not None
    for _ in range(frames - length):
        yield last_HWC
