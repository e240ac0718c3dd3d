"""The noise that predictions of a pair started from, and the clips that drove it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from void.evaluation.noise_view import NoiseView, noise_view
from void.evaluation.plan import Job
from void.noise.config import NoiseVideo
from void.noise.files import read_made_from, read_noise
from void.noise.flow import FlowEstimator
from void.noise.motion import estimate_motion
from void.pairs import Pair
from void.pipelines.predictions import content_sha256
from void.shapes import latent_shape
from void.video import read_video

log = logging.getLogger(__name__)

WHAT = {
    NoiseVideo.pass1: "the first pass's result",
    NoiseVideo.input: "the input",
    NoiseVideo.target: "the ground truth",
}


def noise_views(job: Job, pair: Pair, estimate: FlowEstimator) -> list[NoiseView]:
    """What the noise page shows of a pair: one view for each of its predictions that has noise.

    Noise whose driving clip is not there any more is left out, with a warning.

    Raises:
        InputError: a noise file is damaged or has another geometry than the pair.
    """
    views = []
    for clip in job.clips:
        if clip.noise is None:
            continue
        noise_TChw = read_noise(clip.noise, latent_shape(*pair.quadmask.shape))
        made_from = read_made_from(clip.noise)
        video = NoiseVideo(made_from["video"])
        driving_THWC = _driving(video, made_from.get("first_pass"), job, pair)
        if driving_THWC is None or driving_THWC.shape != pair.rgb_full_THWC.shape:
            log.warning("%s is not on the noise page: the clip that it was made along is not there", clip.noise)
            continue
        motion = estimate_motion(driving_THWC, estimate)
        views.append(noise_view(clip.label, job.row.id, noise_TChw, driving_THWC, motion, pair.fps, WHAT[video]))
    return views


def _driving(video: NoiseVideo, sha256: str | None, job: Job, pair: Pair) -> NDArray[np.uint8] | None:
    """The clip that noise moves with; the first pass's result is known by its checksum."""
    if video is NoiseVideo.input:
        return pair.rgb_full_THWC
    if video is NoiseVideo.target:
        return pair.rgb_removed_THWC
    candidates: list[Path] = [job.first_pass, *(clip.file for clip in job.clips)]
    found = next((file for file in candidates if file.exists() and content_sha256(file) == sha256), None)
    return None if found is None else read_video(found)[0]
