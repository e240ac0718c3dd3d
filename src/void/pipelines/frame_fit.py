"""How a frame of any size fits the model's size, and how a result goes back to where it came from.

A fit maps one box of the source onto one box of the model's frame:

    stretch     the whole source    -> the whole frame    aspect ratio changes
    letterbox   the whole source    -> a centred box      its edge pixels fill the bars beside it
    crop        a centred box       -> the whole frame    the rest of the source is not sampled

Bars repeat the edges of picture and mask alike, so that an object that leaves the picture does not end at a line there.
Frames are fitted one at a time, so a clip is never held at its own size.

Shape legend: H height, W width, C colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from void.quadmask import Quadmask
from void.recipe import Aspect, MaskResize, VideoResize
from void.resize import resize_frames, resize_mask

Size = tuple[int, int]
PixelT = TypeVar("PixelT", bound=np.unsignedinteger[Any])


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        """Index of its rows."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """Index of its columns."""
        return slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class FrameFit:
    """The two boxes that correspond.

    Args:
        source_size: `(H, W)` of the source.
        model_size: `(H, W)` that the model sees.
        source: what is seen of the source.
        model: where the model sees it.
    """

    source_size: Size
    model_size: Size
    source: Box
    model: Box

    @property
    def sees_all(self) -> bool:
        """Whether no pixel of the source is left out."""
        return (self.source.height, self.source.width) == self.source_size

    def frame(self, frame_HWC: NDArray[np.uint8], rule: VideoResize) -> NDArray[np.uint8]:
        """A source frame as the model sees it, uint8 RGB."""
        seen_HWC = np.ascontiguousarray(frame_HWC[self.source.rows, self.source.columns])
        fitted_HWC = resize_frames(seen_HWC[None], self.model.height, self.model.width, rule)[0]
        return np.pad(fitted_HWC, (*self._bars, (0, 0)), mode="edge")

    def mask(self, mask: Quadmask, rule: MaskResize) -> Quadmask:
        """A quadmask of the source's size as the model sees it."""
        seen = resize_mask(mask[:, self.source.rows, self.source.columns], self.model.height, self.model.width, rule)
        bars = ((0, 0), *self._bars)
        return Quadmask(np.pad(seen.primary_THW, bars, mode="edge"), np.pad(seen.affected_THW, bars, mode="edge"))

    def restore(self, result_HWC: NDArray[PixelT], original_HWC: NDArray[PixelT] | None) -> NDArray[PixelT]:
        """A result at the source's size: bars removed, resized, and put back among the pixels that were not seen.

        Args:
            result_HWC: RGB frame of the model's size, of 8 or 16 bits.
            original_HWC: the source frame in as many bits; needed unless `sees_all`.
        """
        seen_HWC = np.ascontiguousarray(result_HWC[self.model.rows, self.model.columns])
        restored_HWC = resize_frames(seen_HWC[None], self.source.height, self.source.width, VideoResize.area)[0]
        if self.sees_all:
            return restored_HWC
        assert original_HWC is not None
        whole_HWC = original_HWC.copy()
        whole_HWC[self.source.rows, self.source.columns] = restored_HWC
        return whole_HWC

    @property
    def _bars(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Pixels above and below, left and right of the box that the model sees."""
        (height, width), box = self.model_size, self.model
        return (box.top, height - box.top - box.height), (box.left, width - box.left - box.width)


def frame_fit(source_size: Size, model_size: Size, aspect: Aspect, pixel_aspect: float | Fraction = 1) -> FrameFit:
    """The fit of a size to the model's size.

    Args:
        source_size: `(H, W)` of the clip or mask.
        model_size: `(H, W)` that the model sees.
        aspect: letterbox, crop or stretch.
        pixel_aspect: Width of a pixel of the source divided by its height, as it is shown; the model's are square.
    """
    source, model = Box(0, 0, *source_size), Box(0, 0, *model_size)
    if aspect is Aspect.letterbox:
        model = _inscribed(model_size, (source_size[0], source_size[1] * pixel_aspect))
    elif aspect is Aspect.crop:
        source = _inscribed(source_size, (model_size[0], model_size[1] / pixel_aspect))
    return FrameFit(source_size, model_size, source, model)


def _inscribed(outer: Size, shape: tuple[float, float | Fraction]) -> Box:
    """The largest centred box in `outer` that has the aspect ratio of `shape`, to the pixel."""
    scale = float(min(outer[0] / shape[0], outer[1] / shape[1]))
    height, width = (min(side, max(1, round(wanted * scale))) for side, wanted in zip(outer, shape, strict=True))
    return Box((outer[0] - height) // 2, (outer[1] - width) // 2, height, width)
