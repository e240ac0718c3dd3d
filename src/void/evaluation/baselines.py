"""What a model is compared with: simple methods, and a bound that its autoencoder sets.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from void.config import VoidConfig
from void.evaluation.config import InpaintMethod

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from void.pairs import Pair

TRUTH = "truth"
"""Name of the row that compares the truth with itself."""
Method: TypeAlias = "Callable[[Pair], NDArray[np.uint8]]"
"""From a pair at the geometry of the run to a clip `frames_THWC` of the same shape."""


@dataclass(frozen=True)
class Baseline:
    """One row of the table.

    Args:
        label: as readers see it.
        note: one line that says what it does.
        is_bound: it has seen the truth, so it is no competitor: never marked as the best.
        make: builds the method from the configuration.
    """

    label: str
    note: str
    is_bound: bool
    make: Callable[[VoidConfig], Method]


def _input(_: VoidConfig) -> Method:
    return lambda pair: pair.rgb_full_THWC


def _opencv_inpaint(config: VoidConfig) -> Method:
    # Imported here because a rerun of a finished evaluation knows its baselines by name alone.
    import cv2
    import numpy as np

    flag = {InpaintMethod.telea: cv2.INPAINT_TELEA, InpaintMethod.ns: cv2.INPAINT_NS}[config.eval.inpaint_method]
    radius = config.eval.inpaint_radius
    return lambda pair: np.stack(
        [
            cv2.inpaint(frame_HWC, hole_HW.astype(np.uint8), radius, flag)
            for frame_HWC, hole_HW in zip(pair.rgb_full_THWC, pair.quadmask.primary_THW, strict=True)
        ]
    )


def _vae(config: VoidConfig) -> Method:
    # Imported here: diffusers takes seconds to load, and most baselines need none of it.
    from void.conditioning import rgb_video, to_frames
    from void.device import torch_device
    from void.models.build import build_vae
    from void.models.vae import decode_latents, encode_moments

    vae = build_vae(config.model)
    vae.to(torch_device(config.device))

    def roundtrip(pair: Pair) -> NDArray[np.uint8]:
        mean_BTCHW, _ = encode_moments(vae, rgb_video(pair.rgb_removed_THWC))
        return to_frames(decode_latents(vae, mean_BTCHW * vae.config.scaling_factor))[0]

    return roundtrip


BASELINES: dict[str, Baseline] = {
    "input": Baseline("Input", "the clip left as it is", False, _input),
    "opencv_inpaint": Baseline(
        "OpenCV inpainting",
        "the removed pixels of each frame filled by cv2.inpaint, frame by frame",
        False,
        _opencv_inpaint,
    ),
    "vae": Baseline(
        "VAE round trip", "the ground truth, encoded and decoded: what the autoencoder permits", True, _vae
    ),
}
