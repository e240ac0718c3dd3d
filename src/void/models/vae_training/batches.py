"""Training crops and held-out clips. A batch is a pure function of (seed, step): a resumed run equals an unbroken one.

Shape legend: B batch, T frames, C channels, H height, W width.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from void.conditioning import mask_video, rgb_video
from void.errors import InputError
from void.models.vae_training.clips import mask_clip, rgb_clip
from void.models.vae_training.config import VaeTrainingConfig
from void.pairs import Pair, read_manifest, read_pair, select
from void.quadmask import Quadmask
from void.recipe import MaskLevels

TRAINING_STREAM, HELDOUT_STREAM = 0, 1
HELDOUT_SHAPE = (21, 96, 128)


class Crops:
    """Source of crops.

    Args:
        cfg: shares of the kinds of clip and the size of a crop.
        seed: of everything drawn.
        train_split: split of `cfg.pairs` that is trained on.

    Raises:
        InputError: the pairs are missing, unreadable or smaller than a crop.
    """

    def __init__(self, cfg: VaeTrainingConfig, seed: int, train_split: str) -> None:
        self.cfg = cfg
        self.seed = seed
        self.pairs = read_pairs(cfg.pairs, train_split) if cfg.pairs else []
        for pair in self.pairs:
            frames, height, width = pair.quadmask.shape
            if frames < cfg.frames or min(height, width) < cfg.crop:
                raise InputError(
                    f"{cfg.pairs}: a pair of {frames} x {height} x {width} is smaller than a crop",
                    "lower vae_training.crop",
                )

    def batch(self, step: int) -> Tensor:
        """float32 `(B, 3, T, H, W)`: RGB in [-1, 1], mask videos in [0, 1]."""
        streams = [np.random.default_rng([self.seed, TRAINING_STREAM, step, i]) for i in range(self.cfg.batch_size)]
        return torch.cat([self._crop(rng) for rng in streams])

    def _crop(self, rng: Generator) -> Tensor:
        is_mask = rng.random() < self.cfg.masks_share
        from_pair = bool(self.pairs) and rng.random() < self.cfg.pairs_share
        size = (self.cfg.frames, self.cfg.crop, self.cfg.crop)
        if from_pair:
            crop = _crop_of(rng, self.pairs[rng.integers(len(self.pairs))], size, is_mask)
        else:
            crop = to_video(mask_clip(rng, *size) if is_mask else rgb_clip(rng, *size))
        return crop.flip(-1) if rng.random() < 0.5 else crop


def heldout(cfg: VaeTrainingConfig, seed: int, eval_split: str) -> dict[str, Tensor]:
    """Clips never trained on, `(N, 3, T, H, W)` by kind: procedural, mask, and with pairs rendered, rendered_mask.

    Raises:
        InputError: the pairs are missing or unreadable, or differ in size.
    """
    streams = [np.random.default_rng([seed, HELDOUT_STREAM, index]) for index in range(cfg.heldout_clips)]
    clips = {
        "procedural": torch.cat([to_video(rgb_clip(rng, *HELDOUT_SHAPE)) for rng in streams]),
        "mask": torch.cat([to_video(mask_clip(rng, *HELDOUT_SHAPE)) for rng in streams]),
    }
    if cfg.pairs:
        pairs = read_pairs(cfg.pairs, eval_split)[: cfg.heldout_clips]
        sizes = {pair.quadmask.shape for pair in pairs}
        if len(sizes) > 1:
            raise InputError(f"{cfg.pairs}: held-out pairs differ in size: {sorted(sizes)}", "use pairs of one size")
        clips["rendered"] = torch.cat([to_video(pair.rgb_full_THWC) for pair in pairs])
        clips["rendered_mask"] = torch.cat([to_video(pair.quadmask) for pair in pairs])
    return clips


def read_pairs(root: str, split: str) -> list[Pair]:
    """Every pair of a split, in memory."""
    return [read_pair(Path(root) / row.path) for row in select(read_manifest(root), split)]


def to_video(clip: NDArray[np.uint8] | Quadmask) -> Tensor:
    """The VAE's input `(1, 3, T, H, W)` for frames or a quadmask."""
    return mask_video(clip, MaskLevels.quad) if isinstance(clip, Quadmask) else rgb_video(clip)


def _crop_of(rng: Generator, pair: Pair, size: tuple[int, int, int], is_mask: bool) -> Tensor:
    shape = pair.quadmask.shape
    starts = [int(rng.integers(whole - part + 1)) for whole, part in zip(shape, size, strict=True)]
    window = tuple(slice(start, start + part) for start, part in zip(starts, size, strict=True))
    if is_mask:
        return to_video(pair.quadmask[window])
    frames = pair.rgb_full_THWC if rng.random() < 0.5 else pair.rgb_removed_THWC
    return to_video(np.ascontiguousarray(frames[window]))
