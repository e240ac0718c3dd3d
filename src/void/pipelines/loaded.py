"""A decoded pair or clip: what the model is shown, and how a result is written as it is given back.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.errors import InputError
from void.pipelines.clip_checks import MAX_ASPECT_DIFFERENCE, shown_aspect
from void.pipelines.clip_folders import ClipFolder
from void.pipelines.clip_results import as_pixels, output_size, write_result
from void.pipelines.clips import Clip
from void.pipelines.composite import composite
from void.pipelines.config import Composite, InferConfig
from void.pipelines.frame_fit import frame_fit
from void.pipelines.predictions import strip_file
from void.pipelines.strip import write_strip
from void.quadmask import Quadmask
from void.recipe import VideoResize
from void.resize import resize_frames
from void.video import VideoFormat, VideoInfo, iter_video, probe, read_video, write_frames

Frames = NDArray[np.uint8]
Result = NDArray[np.unsignedinteger[Any]]
"""A result as it is written: RGB frames of 8 or 16 bits."""


@dataclass(frozen=True, eq=False)
class Loaded(ABC):
    """A decoded source at the model's size.

    Args:
        video_THWC: uint8 RGB, of a legal length.
        quadmask: of the same shape.
        order: the true frame that each frame shows; padding repeats some.
        truth_THWC: the counterfactual clip; None where there is none.
    """

    video_THWC: Frames
    quadmask: Quadmask
    order: Sequence[int]
    truth_THWC: Frames | None

    @abstractmethod
    def read_result(self, file: Path) -> Frames:
        """A result of this source, the true frames at the model's size.

        Raises:
            InputError: the file is broken, or of another length or shape.
        """

    @abstractmethod
    def write_result(self, file: Path, result_THWC: Result) -> VideoInfo:
        """Write a result as the user gets it back, with the strip beside it where one is wanted.

        Raises:
            InputError: the disk is full.
        """


@dataclass(frozen=True, eq=False)
class LoadedPair(Loaded):
    """A pair at the geometry of the run."""

    fps: float
    infer: InferConfig

    def read_result(self, file: Path) -> Frames:
        result_THWC, _ = read_video(file)
        if result_THWC.shape != self.video_THWC.shape:
            there, here = _shown(result_THWC.shape), _shown(self.video_THWC.shape)
            raise InputError(
                f"{file} has {there}, this configuration has {here}",
                "run `void infer stage=pass1` with the same data.frames, data.height and data.width first",
            )
        return result_THWC

    def write_result(self, file: Path, result_THWC: Result) -> VideoInfo:
        frames, height, width, _ = result_THWC.shape
        write_frames(
            file,
            self._composed(result_THWC),
            (frames, height, width),
            self.fps,
            crf=self.infer.crf,
            format=self.infer.format,
        )
        return VideoInfo(frames, height, width, self.fps)

    def _composed(self, result_THWC: Result) -> Iterator[Result]:
        for index, result_HWC in enumerate(result_THWC):
            if self.infer.composite is Composite.none:
                yield result_HWC
            else:
                original_HWC = as_pixels(self.video_THWC[index], result_HWC)
                yield composite(result_HWC, original_HWC, self.quadmask.marked_THW[index], self.infer.feather)


@dataclass(frozen=True, eq=False)
class LoadedClip(Loaded):
    """A user's clip, perhaps mirrored to a legal length."""

    clip: Clip
    files: ClipFolder
    config: VoidConfig

    def read_result(self, file: Path) -> Frames:
        info, model_size = probe(file), self.clip.fit.model_size
        wanted, shown = self.clip.frames, f"{info.frames} frames of {info.width}x{info.height}"
        if info.frames < wanted:
            raise InputError(
                f"{file} has {shown}; {self.files.video} is sampled at {wanted} frames",
                "run `void infer stage=pass1` over the same clip and recipe first, or give another "
                "infer.pass2.first_pass",
            )
        source_size = output_size(self.clip.fit.source_size, VideoFormat.h264)
        shown_ratio = shown_aspect(self.clip.info)
        ratios = [*(width / height for height, width in (model_size, source_size)), float(shown_ratio)]
        if all(abs(info.width / info.height / ratio - 1) > MAX_ASPECT_DIFFERENCE for ratio in ratios):
            raise InputError(
                f"{file} has {shown}: neither the shape of {self.files.video} nor the model's",
                "give a result of this very clip (infer.pass2.first_pass)",
            )
        is_models = (info.height, info.width) == model_size
        aspect = self.config.infer.aspect
        # A result shows what the clip shows, whatever its own tag says of its pixels.
        pixel = shown_ratio * info.height / info.width
        size = (info.height, info.width)
        fit = frame_fit(size, size, aspect) if is_models else frame_fit(size, model_size, aspect, pixel)
        rule = self.config.recipe.video_resize
        result_THWC = np.empty((wanted, *model_size, 3), np.uint8)
        for index, frame_HWC in enumerate(iter_video(file, max_frames=wanted)):
            if self.clip.windows is None or is_models:
                result_THWC[index] = fit.frame(frame_HWC, rule)
            else:
                result_THWC[index] = self.clip.windows[index].frame(self._at_clips_size(frame_HWC), rule)
        return result_THWC

    def _at_clips_size(self, frame_HWC: Frames) -> Frames:
        """A frame of a result; of an odd clip the last row or column was left out, and is repeated."""
        height, width = self.clip.fit.source_size
        missing = (height - frame_HWC.shape[0], width - frame_HWC.shape[1])
        if all(0 <= pixels <= 1 for pixels in missing):
            return np.pad(frame_HWC, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        return resize_frames(frame_HWC[None], height, width, VideoResize.area)[0]

    def write_result(self, file: Path, result_THWC: Result) -> VideoInfo:
        if self.config.infer.strip:
            write_strip(strip_file(file.parent, self.files.id), self.clip, as_8_bits(result_THWC))
        return write_result(file, result_THWC, self.clip, self.files, self.config)


def as_8_bits(result_THWC: Result) -> Frames:
    """A result as it is looked at."""
    if result_THWC.dtype == np.uint8:
        return result_THWC.astype(np.uint8, copy=False)
    return np.rint(result_THWC / 257).astype(np.uint8)


def _shown(shape: tuple[int, ...]) -> str:
    frames, height, width = shape[:3]
    return f"{frames} frames of {width}x{height}"
