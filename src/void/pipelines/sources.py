"""What `void infer` samples: a pair of a manifest or a user's clip, each as the model sees it and as it is given back.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.data.fit import fit_pair
from void.errors import InputError
from void.pairs import ManifestRow, read_manifest, read_pair, select
from void.pipelines.clip_folders import ClipFolder, clip_fingerprint, find_clips
from void.pipelines.clips import (
    MAX_ASPECT_DIFFERENCE,
    Clip,
    check_clip,
    even_size,
    load_clip,
    write_result,
)
from void.pipelines.fitting import mirrored
from void.pipelines.frame_fit import frame_fit
from void.pipelines.predictions import CLIP, PAIR, STRIPS, pair_fingerprint
from void.pipelines.strip import write_strip
from void.quadmask import Quadmask
from void.video import VideoInfo, iter_video, probe, read_video, write_video

log = logging.getLogger(__name__)

ALL_SPLITS = "all"

Frames = NDArray[np.uint8]


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
    def write_result(self, file: Path, result_THWC: Frames) -> VideoInfo:
        """Write a result as the user gets it back, with the strip beside it where one is wanted.

        Raises:
            InputError: the disk is full.
        """


class Source(Protocol):
    """One clip to sample.

    Args:
        id: of the pair, or the name of the user's folder.
        caption: the prompt.
        kind: `pair` or `clip`.
    """

    @property
    def id(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def kind(self) -> str: ...

    def fingerprint(self) -> str:
        """Hash over what its files hold."""
        ...

    def check(self) -> None:
        """Raise InputError for what can be found wrong without decoding it."""
        ...

    def load(self, config: VoidConfig) -> Loaded:
        """Decode it and fit it to `data.height` x `data.width`.

        Raises:
            InputError: a file is broken, or too short.
        """
        ...


@dataclass(frozen=True, eq=False)
class LoadedPair(Loaded):
    """A pair at the geometry of the run."""

    fps: float
    crf: int

    def read_result(self, file: Path) -> Frames:
        result_THWC, _ = read_video(file)
        if result_THWC.shape != self.video_THWC.shape:
            there, here = _shown(result_THWC.shape), _shown(self.video_THWC.shape)
            raise InputError(
                f"{file} has {there}, this configuration has {here}",
                "run `void infer stage=pass1` with the same data.frames, data.height and data.width first",
            )
        return result_THWC

    def write_result(self, file: Path, result_THWC: Frames) -> VideoInfo:
        write_video(file, result_THWC, self.fps, crf=self.crf)
        frames, height, width, _ = result_THWC.shape
        return VideoInfo(frames, height, width, self.fps)


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
        ratios = [width / height for height, width in (model_size, even_size(self.clip.fit.source_size))]
        if all(abs(info.width / info.height / ratio - 1) > MAX_ASPECT_DIFFERENCE for ratio in ratios):
            raise InputError(
                f"{file} has {shown}: neither the shape of {self.files.video} nor the model's",
                "give a result of this very clip (infer.pass2.first_pass)",
            )
        is_models = (info.height, info.width) == model_size
        aspect = self.config.infer.aspect
        fit = frame_fit(model_size if is_models else (info.height, info.width), model_size, aspect)
        result_THWC = np.empty((wanted, *model_size, 3), np.uint8)
        for index, frame_HWC in enumerate(iter_video(file, max_frames=wanted)):
            result_THWC[index] = fit.frame(frame_HWC, self.config.recipe.video_resize)
        return result_THWC

    def write_result(self, file: Path, result_THWC: Frames) -> VideoInfo:
        if self.config.infer.strip:
            write_strip(file.parent / STRIPS / file.name, self.clip, result_THWC)
        return write_result(file, result_THWC, self.clip, self.files, self.config)


@dataclass(frozen=True)
class PairSource:
    """A pair of `data.root`; see `Source`."""

    row: ManifestRow
    kind = PAIR

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def caption(self) -> str:
        return self.row.caption

    def fingerprint(self) -> str:
        return pair_fingerprint(self.row)

    def check(self) -> None:
        """Pairs are checked as they are read."""

    def load(self, config: VoidConfig) -> LoadedPair:
        pair = fit_pair(read_pair(Path(config.data.root) / self.row.path), config.data, self.row.id)
        frames = range(len(pair.rgb_full_THWC))
        return LoadedPair(
            pair.rgb_full_THWC, pair.quadmask, frames, pair.rgb_removed_THWC, fps=pair.fps, crf=config.infer.crf
        )


@dataclass(frozen=True)
class ClipSource:
    """A user's clip folder; see `Source`."""

    files: ClipFolder
    kind = CLIP

    @property
    def id(self) -> str:
        return self.files.id

    @property
    def caption(self) -> str:
        return self.files.caption

    def fingerprint(self) -> str:
        return clip_fingerprint(self.files)

    def check(self) -> None:
        check_clip(self.files)

    def load(self, config: VoidConfig) -> LoadedClip:
        clip = load_clip(self.files, config)
        order = mirrored(clip.frames, len(clip.video_THWC))
        return LoadedClip(clip.video_THWC, clip.quadmask, order, None, clip=clip, files=self.files, config=config)


def find_sources(config: VoidConfig) -> Sequence[Source]:
    """What this shard samples, in order: the pairs of `infer.split`, or the clips of `infer.input`.

    Raises:
        InputError: there is nothing, or a folder lacks a file.
    """
    every: list[Source] = []
    if config.infer.input is None:
        rows = read_manifest(Path(config.data.root))
        chosen = rows if config.infer.split == ALL_SPLITS else select(rows, config.infer.split)
        every += [PairSource(row) for row in chosen]
    else:
        for files in find_clips(Path(config.infer.input)):
            log.info("clip %s: mask %s, read as %s", files.id, files.mask.name, files.mask_kind.value)
            every.append(ClipSource(files))
    return every[config.infer.shard :: config.infer.num_shards]


def _shown(shape: tuple[int, ...]) -> str:
    frames, height, width = shape[:3]
    return f"{frames} frames of {width}x{height}"
