"""Clip folders as users prepare them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from void.quadmask import Quadmask
from void.video import write_mask, write_video


def user_frames(frames: int, height: int, width: int) -> NDArray[np.uint8]:
    """A smooth pattern that drifts, each frame different."""
    time, rows, columns, channels = np.mgrid[0:frames, 0:height, 0:width, 0:3]
    wave = np.sin((rows + time) / 9 + channels) + np.cos((columns - 2 * time) / 11 + 2 * channels)
    return (127 + 55 * wave).astype(np.uint8)


def user_mask(frames: int, height: int, width: int) -> Quadmask:
    """An object in the upper left, what it affects to the right of it, and both where they meet."""
    primary, affected = (np.zeros((frames, height, width), bool) for _ in range(2))
    primary[:, height // 4 : height // 2, width // 4 : width // 2] = True
    affected[:, height // 4 : height // 2, width // 2 - 2 : width * 3 // 4] = True
    return Quadmask(primary, affected)


def write_clip(
    folder: Path, frames: int = 7, height: int = 32, width: int = 48, *, fps: float = 24, mask: str = "quadmask_0.mp4"
) -> Path:
    """A complete folder."""
    folder.mkdir(parents=True)
    write_video(folder / "input_video.mp4", user_frames(frames, height, width), fps, crf=1)
    write_mask(folder / mask, user_mask(frames, height, width), fps)
    (folder / "prompt.json").write_text(json.dumps({"bg": "an empty wall"}))
    return folder
