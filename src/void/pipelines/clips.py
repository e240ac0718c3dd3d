"""A user's clip as the model sees it.

It is read frame by frame: at its own size never more than a frame or two of a clip is in memory.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.pipelines.checks import INVERT_QUADMASK, check_polarity
from void.pipelines.clip_checks import check_clip
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
from void.video import VideoInfo, iter_video, largest_shift

log = logging.getLogger(__name__)

INVERT = {
    MaskKind.quadmask: INVERT_QUADMASK,
    MaskKind.binary: "in mask_*.mp4 white is removed: invert the video, or name it quadmask_0.mp4, where black is",
}


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


def padded_length(frames: int, recipe: RecipeConfig, window: int) -> int:
    """Length at which a clip of `frames` frames is sampled: legal, and a whole window where the recipe says so."""
    return max(ceil_frames(frames), window if recipe.pad_to_window else 0)
