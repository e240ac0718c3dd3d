"""The released inference loader: a sample folder's clip and mask at the model's size, mirrored to a whole window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from parity.result import Result

from void.composition import compose_config
from void.pipelines.clips import load_clip

PREFIX = "released_loader_"
FRAME_TOLERANCE = 2 / 255
# Means are over rounded pixels here, over exact ones there.
MEAN_TOLERANCE = 0.5 / 255


def compare_loader(folder: Path, file: Path) -> Iterator[Result]:
    """Mask (the difference is how many pixels disagree), first and last frame, and the mean of every frame.

    The sample is looked for in `../samples/NAME` beside `folder`.
    """
    name = file.stem.removeprefix(PREFIX)
    recorded = np.load(file)
    _, _, frames, height, width = (int(side) for side in recorded["shape"])
    sizes = [f"data.height={height}", f"data.width={width}", f"infer.window={frames}"]
    clip = load_clip(folder.resolve().parent / "samples" / name, compose_config(["recipe=released", *sizes]))

    wrong = np.count_nonzero(255 - clip.quadmask.pack() != recorded["mask_inverted_uint8"][0, 0])
    yield Result(f"loader, {name}, mask pixels", float(wrong), 0)
    fitted_THWC = clip.video_THWC / 255
    for place, key in ((0, "video_frame0"), (-1, "video_last")):
        difference = np.abs(fitted_THWC[place].transpose(2, 0, 1) - recorded[key].astype(np.float64)).max()
        yield Result(f"loader, {name}, frame {place % frames}", float(difference), FRAME_TOLERANCE)
    difference = np.abs(fitted_THWC.mean(axis=(1, 2, 3)) - recorded["video_frame_means"]).max()
    yield Result(f"loader, {name}, frame means", float(difference), MEAN_TOLERANCE)
