"""Checks that a user's clip and its masks belong together."""

from __future__ import annotations

import math
from pathlib import Path

from void.errors import InputError
from void.pipelines.clip_folders import ClipFolder
from void.video import VideoInfo, probe

MAX_ASPECT_DIFFERENCE = 0.02
"""Largest relative difference of aspect ratios that are taken for the same."""
MAX_FPS = 1000


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
