"""Input, quadmask and result side by side, to be looked at.

Shape legend: T frames, H height, W width, C colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from void.overlay import colour_quadmask
from void.pipelines.clips import Clip
from void.video import write_frames

PANEL_HEIGHT = 360
GAP = 8
BAR = 28
TITLES = ("input", "mask: red removed, orange affected, violet both", "result")
CRF = 18
BACKGROUND = 24
INK = (235, 235, 235)


def write_strip(path: Path, clip: Clip, result_THWC: NDArray[np.uint8]) -> None:
    """Write input | mask | result, without bars and padding, at the input's rate.

    Args:
        path: of the video.
        clip: what the model was given.
        result_THWC: what it made of it.
    """
    _, width = _panel_size(clip)
    shape_THW = (clip.frames, PANEL_HEIGHT + BAR, 3 * width + 2 * GAP)
    write_frames(path, _strips(clip, result_THWC), shape_THW, clip.info.fps, crf=CRF)


def _strips(clip: Clip, result_THWC: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    height, width = _panel_size(clip)
    bar = _title_bar(width)
    gap = np.full((height, GAP, 3), BACKGROUND, np.uint8)
    for index in range(clip.frames):
        video_1HWC = clip.video_THWC[index : index + 1]
        pictures = (video_1HWC[0], colour_quadmask(video_1HWC, clip.quadmask[index : index + 1])[0], result_THWC[index])
        box = clip.fit_at(index).model
        seen = (picture[box.rows, box.columns] for picture in pictures)
        first, second, third = (_panel(picture, height, width) for picture in seen)
        yield np.concatenate([bar, np.concatenate([first, gap, second, gap, third], axis=1)])


def _panel_size(clip: Clip) -> tuple[int, int]:
    """Height and (even) width of a panel: those of the part of the input that the model was shown."""
    shown = clip.fit.source
    return PANEL_HEIGHT, max(2, round(PANEL_HEIGHT * shown.width / shown.height / 2) * 2)


def _panel(picture_HWC: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    grows = picture_HWC.shape[0] < height
    return np.asarray(
        cv2.resize(picture_HWC, (width, height), interpolation=cv2.INTER_NEAREST if grows else cv2.INTER_AREA), np.uint8
    )


def _title_bar(width: int) -> NDArray[np.uint8]:
    bar = np.full((BAR, 3 * width + 2 * GAP, 3), BACKGROUND, np.uint8)
    for number, title in enumerate(TITLES):
        (title_width, _), _ = cv2.getTextSize(title, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
        # A panel too narrow for its whole title shows the first word.
        fitting = title if title_width < width - GAP else title.split(":")[0]
        at = (number * (width + GAP) + GAP, BAR - 9)
        cv2.putText(bar, fitting, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return bar
