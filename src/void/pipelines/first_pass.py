"""The first pass's result as VoidPipeline takes it: a tensor, frames or a file.

Shape legend: B batch, T frames, C channels, H height, W width.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from void.conditioning import to_frames
from void.errors import InputError
from void.noise.maker import NoiseMaker
from void.pipelines.clip_checks import MAX_ASPECT_DIFFERENCE
from void.pipelines.fitting import mirrored
from void.recipe import VideoResize
from void.resize import resize_frames
from void.video import read_video

FirstPassVideo = NDArray[np.uint8] | Tensor | str | Path


def noise_along(
    first_pass: FirstPassVideo, frames: int, height: int, width: int, maker: NoiseMaker, seed: int
) -> Tensor:
    """Initial noise `(1, T_lat, 16, h, w)` that moves as the first pass's result does.

    Args:
        first_pass: uint8 `(T, H, W, 3)`, float `(1, 3, T, H, W)` in [-1, 1], or a video file, of the true frames: with
            fewer than `frames`, their noise is mirrored, as the clip's padding is. Another size is scaled.
        frames: of the clip that is sampled, 8k+5.
        height: of the same, pixels.
        width: likewise.
        maker: gives flow, warp and geometry.
        seed: of the noise.

    Raises:
        InputError: the result is broken, longer than the clip, or of another aspect ratio.
    """
    frames_THWC = _frames(first_pass)
    count, from_height, from_width, _ = frames_THWC.shape
    where = f"first_pass={first_pass}" if isinstance(first_pass, str | Path) else "first_pass"
    if count > frames:
        raise InputError(f"{where} has {count} frames, the clip {frames}", "give the result of this very clip")
    if abs(from_width / from_height / (width / height) - 1) > MAX_ASPECT_DIFFERENCE:
        raise InputError(
            f"{where} is {from_width}x{from_height}, the clip {width}x{height} (width x height): another aspect ratio",
            "give the result of this very clip, fitted as it is",
        )
    fitted_THWC = resize_frames(frames_THWC, height, width, VideoResize.area)
    geometry = maker.recipe.noise_geometry
    return maker.from_clip(fitted_THWC, seed, order=mirrored(count, frames), geometry=geometry)[None]


def _frames(first_pass: FirstPassVideo) -> NDArray[np.uint8]:
    if isinstance(first_pass, str | Path):
        return read_video(first_pass)[0]
    if isinstance(first_pass, Tensor):
        if first_pass.ndim != 5 or first_pass.shape[:2] != (1, 3) or not first_pass.is_floating_point():
            raise InputError(
                f"first_pass is a tensor {tuple(first_pass.shape)} of {first_pass.dtype}",
                "give a float tensor (1, 3, T, H, W) in [-1, 1], a uint8 array (T, H, W, 3), or a file",
            )
        return to_frames(first_pass)[0]
    if first_pass.ndim != 4 or first_pass.shape[-1] != 3 or first_pass.dtype != np.uint8:
        raise InputError(
            f"first_pass is an array {first_pass.shape} of {first_pass.dtype}",
            "give a uint8 array (T, H, W, 3), a float tensor (1, 3, T, H, W) in [-1, 1], or a file",
        )
    return first_pass
