"""One pair: its prediction and every baseline scored, and the panels that show them.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.data.fit import fit_pair
from void.errors import InputError
from void.evaluation.baselines import BASELINES, Method
from void.evaluation.metrics import score_clip
from void.evaluation.panels import Panel, panel
from void.evaluation.plan import Job
from void.evaluation.results import MODEL, ScoredClip
from void.overlay import colour_quadmask
from void.pairs import Pair, read_pair
from void.video import read_video


def score(config: VoidConfig, job: Job, methods: Mapping[str, Method], *, with_panels: bool) -> ScoredClip:
    """Score the prediction of a job and the baselines on the same pair.

    Raises:
        InputError: the pair is broken or too short, or the prediction has another length or size than the configuration
            asks for.
    """
    pair = fit_pair(read_pair(job.folder), config.data, job.row.id)
    predicted_THWC, _ = read_video(job.file)
    if predicted_THWC.shape != pair.rgb_removed_THWC.shape:
        raise InputError(
            f"{job.file} has {_size(predicted_THWC)}; the ground truth of this configuration has "
            f"{_size(pair.rgb_removed_THWC)}",
            "use the data.frames, data.height and data.width of the prediction, or run `void infer` again",
        )
    clips = {MODEL: predicted_THWC} | {name: method(pair) for name, method in methods.items()}
    return ScoredClip(
        id=job.row.id,
        caption=job.row.caption,
        source=job.row.source,
        group=job.row.group,
        fps=pair.fps,
        scores={
            name: score_clip(frames_THWC, pair.rgb_removed_THWC, pair.quadmask) for name, frames_THWC in clips.items()
        },
        panels=_panels(pair, clips) if with_panels else [],
    )


def _panels(pair: Pair, clips: Mapping[str, NDArray[np.uint8]]) -> list[Panel]:
    fps = pair.fps
    input_method = "input" if "input" in clips else None
    shown = [
        panel("input", pair.rgb_full_THWC, fps, label="Input", hint="what happened", method=input_method),
        panel(
            "quadmask",
            colour_quadmask(pair.rgb_full_THWC, pair.quadmask),
            fps,
            label="Quadmask",
            hint="what to remove, and what that changes",
        ),
        panel(
            "prediction",
            clips[MODEL],
            fps,
            label="Prediction",
            hint="what the model says would have happened",
            method=MODEL,
        ),
        panel("truth", pair.rgb_removed_THWC, fps, label="Ground truth", hint="the scene simulated without the object"),
    ]
    others = [name for name in clips if name not in (MODEL, "input")]
    return shown + [
        panel(
            name, clips[name], fps, label=BASELINES[name].label, hint=BASELINES[name].note, method=name, optional=True
        )
        for name in others
    ]


def _size(frames_THWC: NDArray[np.uint8]) -> str:
    frames, height, width, _ = frames_THWC.shape
    return f"{frames} frames of {width}x{height}"
