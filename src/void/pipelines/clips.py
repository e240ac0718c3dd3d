"""A user's clip as the model sees it.

It is read frame by frame: at its own size never more than a frame or two of a clip is in memory.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines.checks import INVERT_QUADMASK, check_polarity
from void.pipelines.clip_folders import ClipFolder, MaskKind, read_clip_folder
from void.pipelines.clip_masks import BINARY_WHITE, iter_mask
from void.pipelines.config import Region
from void.pipelines.fitting import fit_clip
from void.pipelines.fitting import mirrored as mirrored  # also found here by those who read clips
from void.pipelines.frame_fit import FrameFit
from void.pipelines.region import find_marked, region_fits
from void.quadmask import Quadmask
from void.recipe import RecipeConfig
from void.shapes import ceil_frames
from void.video import VideoInfo, iter_video, largest_shift, probe

log = logging.getLogger(__name__)

INVERT = {
    MaskKind.quadmask: INVERT_QUADMASK,
    MaskKind.binary: "in mask_*.mp4 white is removed: invert the video, or name it quadmask_0.mp4, where black is",
}
MAX_ASPECT_DIFFERENCE = 0.02
MAX_FPS = 1000


@dataclass(frozen=True)
class Clip:
    """A clip at the model's size and of a legal length.

    Args:
        video_THWC: uint8 RGB, mirrored from frame `frames` on.
        quadmask: of the same shape.
        prompt: the scene without the object.
        info: length, size and rate of the file.
        frames: how many frames of the file are in it.
        fit: how the file's frames fit the model's size; with a moving window, the first frame.
        windows: With a moving window (`infer.region=auto`), how each of these frames fits.
    """

    video_THWC: NDArray[np.uint8]
    quadmask: Quadmask
    prompt: str
    info: VideoInfo
    frames: int
    fit: FrameFit
    windows: Sequence[FrameFit] | None = None

    def fit_at(self, index: int) -> FrameFit:
        """How a frame of the file fits the model's size."""
        return self.fit if self.windows is None else self.windows[index]


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
    windows = _windows(files, info, frames, config) if config.infer.region is Region.auto else None
    fitted = fit_clip(
        iter_video(files.video, max_frames=frames),
        iter_mask(files, frames),
        config.data.height,
        config.data.width,
        aspect=config.infer.aspect,
        sample_aspect_ratio=info.sample_aspect_ratio,
        windows=windows,
        length=padded,
        num_frames=frames,
        video_resize=recipe.video_resize,
        mask_resize=recipe.mask_resize,
    )
    if not fitted.quadmask.primary_THW.any():
        shown = f"white ({BINARY_WHITE} to 255)" if files.mask_kind is MaskKind.binary else "black (0) or 63"
        log.warning("%s removes nothing: no pixel of it is %s", files.mask, shown)
    check_polarity(fitted.quadmask, str(files.mask), INVERT[files.mask_kind])
    return Clip(fitted.video_THWC, fitted.quadmask, files.caption, info, frames, fitted.fit, windows)


def _windows(files: ClipFolder, info: VideoInfo, frames: int, config: VoidConfig) -> list[FrameFit] | None:
    """The window of each frame; None, with a log line, where the whole picture is shown after all."""
    source_size, model_size = (info.height, info.width), (config.data.height, config.data.width)
    marked = find_marked(iter_mask(files, frames), source_size)
    windows = region_fits(
        marked, source_size, model_size, margin=config.infer.feather, pixel_aspect=info.sample_aspect_ratio
    )
    if windows is None:
        log.info("%s: the model is shown the whole picture; no smaller window would hold what is marked", files.video)
        return None
    box = windows[0].source
    log.info(
        "%s: the model is shown a window of %dx%d pixels of %dx%d at %dx%d",
        *(files.video, box.width, box.height, info.width, info.height, *reversed(model_size)),
    )
    return windows


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
