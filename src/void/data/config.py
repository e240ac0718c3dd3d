"""Configuration of the pairs a run reads."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from void.limits import check_limits, multiple_of
from void.shapes import SIZE_MULTIPLE, check_frames


@dataclass
class DataConfig:
    """A manifest of pairs and the geometry at which the model sees them."""

    root: str = MISSING
    """Folder that holds manifest.jsonl and, below it, the pairs."""
    train_split: str = "train"
    eval_split: str = "val"
    frames: int = MISSING
    """Frames of a training clip: legal counts are 8k+5. Longer pairs are cut to it, shorter ones refused."""
    height: int = MISSING
    """Pixels, a multiple of 16."""
    width: int = MISSING
    """Pixels, a multiple of 16."""

    def __post_init__(self) -> None:
        check_limits(self, height=multiple_of(SIZE_MULTIPLE), width=multiple_of(SIZE_MULTIPLE))
        if isinstance(self.frames, int):
            check_frames(self.frames, "data.frames")
