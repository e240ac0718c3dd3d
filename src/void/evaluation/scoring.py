"""One pair: its predictions and every baseline scored, and the panels that show them.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from void.config import VoidConfig
from void.data.fit import fit_pair
from void.errors import InputError
from void.evaluation.baselines import BASELINES, TRUTH, Method
from void.evaluation.metrics import score_clip
from void.evaluation.noise_clips import noise_views
from void.evaluation.panels import Panel, panel
from void.evaluation.plan import Job, PredictedClip
from void.evaluation.results import ScoredClip
from void.evaluation.scores import WHOLE_FRAME, Score
from void.evaluation.temporal import warp_errors
from void.noise.flow import FlowEstimator
from void.noise.motion import Motion, estimate_motion
from void.overlay import colour_quadmask
from void.pairs import Pair, read_pair
from void.pipelines.predictions import Prediction
from void.provenance import is_generated
from void.recipe import Stage
from void.video import read_video


def score(
    config: VoidConfig, job: Job, methods: Mapping[str, Method], estimate: FlowEstimator, *, with_panels: bool
) -> ScoredClip:
    """Score the predictions of a pair, the baselines, and the truth itself.

    Raises:
        InputError: the pair is broken or too short, a prediction has another length or size than the configuration
            asks for, or noise is damaged.
    """
    pair = fit_pair(read_pair(job.folder), config.data, job.row.id)
    clips = {clip.label: _read(clip, pair) for clip in job.clips}
    clips |= {name: method(pair) for name, method in methods.items()}
    motion = estimate_motion(pair.rgb_removed_THWC, estimate)
    scored = clips | {TRUTH: pair.rgb_removed_THWC}
    return ScoredClip(
        id=job.row.id,
        caption=job.row.caption,
        source=job.row.source,
        group=job.row.group,
        fps=pair.fps,
        predictions={clip.label: clip.prediction for clip in job.clips},
        scores={name: score_all(frames_THWC, pair, motion) for name, frames_THWC in scored.items()},
        panels=_panels(pair, job, clips) if with_panels else [],
        noises=noise_views(job, pair, estimate) if with_panels else [],
        is_simulated=is_generated(job.folder),
    )


def score_all(frames_THWC: NDArray[np.uint8], pair: Pair, motion: Motion) -> dict[str, Score]:
    """Every metric of a clip by column.

    Args:
        frames_THWC: the clip, of the pair's size.
        pair: with its truth.
        motion: of the truth.
    """
    scores = score_clip(frames_THWC, pair.rgb_removed_THWC, pair.quadmask)
    regions = {WHOLE_FRAME: np.ones(pair.quadmask.shape, np.bool_), **pair.quadmask.regions()}
    errors = warp_errors(frames_THWC, motion, regions)
    return {column: replace(one, warp_error=errors[column]) for column, one in scores.items()}


def _read(clip: PredictedClip, pair: Pair) -> NDArray[np.uint8]:
    frames_THWC, _ = read_video(clip.file)
    if frames_THWC.shape != pair.rgb_removed_THWC.shape:
        raise InputError(
            f"{clip.file} has {_size(frames_THWC)}; the ground truth of this configuration has "
            f"{_size(pair.rgb_removed_THWC)}",
            "use the data.frames, data.height and data.width of the prediction, or run `void infer` again",
        )
    return frames_THWC


def _panels(pair: Pair, job: Job, clips: Mapping[str, NDArray[np.uint8]]) -> list[Panel]:
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
    ]
    for clip in job.clips:
        hint = stage_hint(clip.prediction)
        shown.append(panel("prediction", clips[clip.label], fps, label=clip.label, hint=hint, method=clip.label))
    truth = "the scene simulated without the object" if is_generated(job.folder) else "the counterfactual clip"
    shown.append(panel(TRUTH, pair.rgb_removed_THWC, fps, label="Ground truth", hint=truth))
    others = [name for name in clips if name in BASELINES and name != "input"]
    return shown + [
        panel(
            name, clips[name], fps, label=BASELINES[name].label, hint=BASELINES[name].note, method=name, optional=True
        )
        for name in others
    ]


def stage_hint(prediction: Prediction) -> str:
    """Which pass made a clip and why, in a few words."""
    score = "" if prediction.morphing is None else f" (morphing score {prediction.morphing:.2f})"
    if prediction.unmeasured is not None:
        score = " (morphing could not be measured)"
    if prediction.stage == Stage.pass2.value:
        return f"the second pass over the first one's result{score}"
    if score:
        return f"the first pass's result, kept{score}"
    return "what the model says would have happened"


def _size(frames_THWC: NDArray[np.uint8]) -> str:
    frames, height, width, _ = frames_THWC.shape
    return f"{frames} frames of {width}x{height}"
