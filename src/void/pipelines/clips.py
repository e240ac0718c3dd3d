"""A user's clip as the model sees it, and a result as the user gets it back.

Both directions go frame by frame: at its own size never more than a frame or two of a clip is in memory.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines.checks import INVERT_QUADMASK, check_polarity
from void.pipelines.clip_folders import ClipFolder, MaskKind, read_clip_folder
from void.pipelines.clip_masks import BINARY_WHITE, iter_mask
from void.pipelines.fitting import fit_clip
from void.pipelines.fitting import mirrored as mirrored  # also found here by those who read clips
from void.pipelines.frame_fit import FrameFit, Size
from void.quadmask import Quadmask
from void.recipe import RecipeConfig
from void.shapes import ceil_frames
from void.video import VideoInfo, iter_video, largest_shift, probe, write_frames

log = logging.getLogger(__name__)

INVERT = {
    MaskKind.quadmask: INVERT_QUADMASK,
    MaskKind.binary: "in mask_*.mp4 white is removed: invert the video, or name it quadmask_0.mp4, where black is",
}
MAX_ASPECT_DIFFERENCE = 0.02
MAX_FPS = 1000
RELEASED_FPS = 12.0


@dataclass(frozen=True)
class Clip:
    """A clip at the model's size and of a legal length.

    Args:
        video_THWC: uint8 RGB, mirrored from frame `frames` on.
        quadmask: of the same shape.
        prompt: the scene without the object.
        info: length, size and rate of the file.
        frames: how many frames of the file are in it.
        fit: how the file's frames fit the model's size.
    """

    video_THWC: NDArray[np.uint8]
    quadmask: Quadmask
    prompt: str
    info: VideoInfo
    frames: int
    fit: FrameFit


def load_clip(source: ClipFolder | Path, config: VoidConfig) -> Clip:
    """Read a clip folder and fit it to `data.height` x `data.width`, as `infer.aspect` and the recipe say.

    Args:
        source: a folder, or what `find_clips` found.
        config: `data.height`, `data.width`, `infer.aspect`, `infer.window` and the recipe are read.

    Raises:
        InputError: a file is missing or broken, or clip and mask do not belong together.
    """
    files = source if isinstance(source, ClipFolder) else read_clip_folder(source)
    recipe = config.recipe
    info, _ = check_clip(files)
    frames = info.frames if recipe.max_frames is None else min(info.frames, recipe.max_frames)
    if frames < info.frames:
        log.warning(
            "%s: only the first %d of %d frames are sampled (recipe.max_frames)", files.video, frames, info.frames
        )
    padded = padded_length(frames, recipe, config.infer.window)
    if info.timestamps is not None:
        _tell_timing(files.video, info, kept=recipe.restore_fps and (recipe.trim_padding or padded == frames))
    fitted = fit_clip(
        iter_video(files.video, max_frames=frames),
        iter_mask(files, frames),
        config.data.height,
        config.data.width,
        aspect=config.infer.aspect,
        sample_aspect_ratio=info.sample_aspect_ratio,
        length=padded,
        num_frames=frames,
        video_resize=recipe.video_resize,
        mask_resize=recipe.mask_resize,
    )
    if not fitted.quadmask.primary_THW.any():
        shown = f"white ({BINARY_WHITE} to 255)" if files.mask_kind is MaskKind.binary else "black (0) or 63"
        log.warning("%s removes nothing: no pixel of it is %s", files.mask, shown)
    check_polarity(fitted.quadmask, str(files.mask), INVERT[files.mask_kind])
    return Clip(fitted.video_THWC, fitted.quadmask, files.caption, info, frames, fitted.fit)


def _tell_timing(video: Path, info: VideoInfo, *, kept: bool) -> None:
    assert info.timestamps is not None
    if kept:
        log.info("%s plays at a varying rate, %.3g frames per second on average: its times are kept", video, info.fps)
    else:
        shift = largest_shift(info.timestamps, info.fps)
        log.warning("%s plays at a varying rate; the result does not: frames shift by up to %.2f s", video, shift)


def check_clip(files: ClipFolder) -> tuple[VideoInfo, VideoInfo]:
    """Length, size and rate of a clip and of its first mask, which belong together; decodes the files to count them.

    Raises:
        InputError: A file is broken, lengths or shapes differ, or the rate makes no sense.
    """
    info, mask_infos = probe(files.video), [probe(mask) for mask in files.masks]
    if not math.isfinite(info.fps) or not 0 < info.fps <= MAX_FPS:
        raise InputError(
            f"{files.video} plays at {info.fps:g} frames per second",
            f"write it again with a rate above 0 and up to {MAX_FPS}",
        )
    for mask, mask_info in zip(files.masks, mask_infos, strict=True):
        _check_mask(files.video, info, mask, mask_info)
    return info, mask_infos[0]


def _check_mask(video: Path, info: VideoInfo, mask: Path, mask_info: VideoInfo) -> None:
    if mask_info.frames not in (1, info.frames):
        raise InputError(
            f"{mask} has {mask_info.frames} frames, {video.name} has {info.frames}",
            "give every frame of the clip a mask (255 everywhere while there is nothing to remove), or one for all",
        )
    # Masks are drawn on the stored pixels, or on the picture as it is shown.
    stored = mask_info.width / mask_info.height
    ratios = [shown / (info.width / info.height) for shown in (stored, shown_aspect(mask_info))]
    ratios += [stored / shown_aspect(info), shown_aspect(mask_info) / shown_aspect(info)]
    if all(abs(ratio - 1) > MAX_ASPECT_DIFFERENCE for ratio in ratios):
        raise InputError(
            f"{mask} is {mask_info.width}x{mask_info.height}, {video.name} is {info.width}x{info.height} "
            "(width x height): another aspect ratio",
            "give the mask the clip's size",
        )


def shown_aspect(info: VideoInfo) -> float:
    """Width of a picture divided by its height, as it is shown."""
    return info.width / info.height * float(info.sample_aspect_ratio)


def padded_length(frames: int, recipe: RecipeConfig, window: int) -> int:
    """Length at which a clip of `frames` frames is sampled: legal, and a whole window where the recipe says so."""
    return max(ceil_frames(frames), window if recipe.pad_to_window else 0)


def write_result(
    file: Path, result_THWC: NDArray[np.uint8], clip: Clip, source: ClipFolder, config: VoidConfig
) -> VideoInfo:
    """Write a result with the input's length, size and rate, each as the recipe says.

    H.264 takes even sides only: the last row or column of an odd input is left out.

    Args:
        file: target, `*.mp4`.
        result_THWC: uint8 RGB, of the model's size and of the padded length.
        clip: what was sampled.
        source: its files; decoded again where pixels were not sampled (`infer.aspect=crop`).
        config: the recipe and `infer.crf` are read.

    Returns:
        What was written.

    Raises:
        InputError: the disk is full.
    """
    recipe, info = config.recipe, clip.info
    frames = clip.frames if recipe.trim_padding else len(result_THWC)
    fps, timestamps = output_fps(clip, recipe), None
    if recipe.restore_fps and info.timestamps is not None and frames <= len(info.timestamps):
        timestamps = info.timestamps[:frames]
    written: Iterable[NDArray[np.uint8]] = result_THWC[:frames]
    (height, width), pixel_aspect = clip.fit.model_size, Fraction(1)
    if recipe.restore_size:
        (height, width), pixel_aspect = even_size(clip.fit.source_size), info.sample_aspect_ratio
        written = (frame_HWC[:height, :width] for frame_HWC in _restored(result_THWC[:frames], clip, source))
    shape_THW = (frames, height, width)
    write_frames(
        *(file, written, shape_THW, fps), crf=config.infer.crf, sample_aspect_ratio=pixel_aspect, timestamps=timestamps
    )
    return VideoInfo(*shape_THW, fps, pixel_aspect, timestamps)


def output_fps(clip: Clip, recipe: RecipeConfig) -> float:
    """Frames per second of a result."""
    return clip.info.fps if recipe.restore_fps else RELEASED_FPS


def even_size(size: Size) -> Size:
    """The largest size with even sides that is not above `size`; at least 2 x 2."""
    return max(2, size[0] - size[0] % 2), max(2, size[1] - size[1] % 2)


def _restored(result_THWC: NDArray[np.uint8], clip: Clip, source: ClipFolder) -> Iterator[NDArray[np.uint8]]:
    if clip.fit.sees_all:
        for result_HWC in result_THWC:
            yield clip.fit.restore(result_HWC, None)
        return
    originals = _originals(source.video, clip.frames, len(result_THWC))
    for result_HWC, original_HWC in zip(result_THWC, originals, strict=True):
        yield clip.fit.restore(result_HWC, original_HWC)


def _originals(video: Path, length: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    """The file's frames; after the last one it stands still (padding that `trim_padding=false` leaves)."""
    last_HWC: NDArray[np.uint8] | None = None
    for last_HWC in iter_video(video, max_frames=length):
        yield last_HWC
    assert last_HWC is not None
    for _ in range(frames - length):
        yield last_HWC
