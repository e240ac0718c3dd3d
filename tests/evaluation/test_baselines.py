"""What the model is compared with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from void.composition import compose_config
from void.config import VoidConfig
from void.errors import InputError
from void.evaluation.baselines import BASELINES
from void.evaluation.config import EvalConfig, InpaintMethod
from void.evaluation.metrics import score_clip
from void.pairs import Pair
from void.quadmask import Quadmask


def object_on_gradient() -> Pair:
    """A clip whose truth is a smooth gradient, under a bright square that is to be removed."""
    columns = np.linspace(40, 160, 32)[None, None, :, None] * np.ones((5, 32, 32, 3))
    removed = columns.astype(np.uint8)
    full = removed.copy()
    full[:, 12:20, 12:20] = 250
    primary = np.zeros((5, 32, 32), bool)
    primary[:, 11:21, 11:21] = True
    affected = np.zeros_like(primary)
    affected[:, 25:30] = True
    full[:, 25:30] //= 2
    return Pair(full, removed, Quadmask(primary, affected), 12.0, {})


def test_input_is_the_clip_itself() -> None:
    pair = object_on_gradient()
    assert BASELINES["input"].make(VoidConfig())(pair) is pair.rgb_full_THWC


@pytest.mark.parametrize("method", list(InpaintMethod))
def test_inpainting_fills_the_removed_pixels_and_no_others(method: InpaintMethod) -> None:
    pair = object_on_gradient()
    config = VoidConfig()
    config.eval.inpaint_method = method
    filled = BASELINES["opencv_inpaint"].make(config)(pair)
    primary = pair.quadmask.primary_THW
    assert filled.shape == pair.rgb_full_THWC.shape and filled.dtype == np.uint8
    np.testing.assert_array_equal(filled[~primary], pair.rgb_full_THWC[~primary])
    before = score_clip(pair.rgb_full_THWC, pair.rgb_removed_THWC, pair.quadmask)["removed"].psnr
    after = score_clip(filled, pair.rgb_removed_THWC, pair.quadmask)["removed"].psnr
    assert before is not None and after is not None
    assert after > before + 15


def test_the_two_inpainting_methods_and_radii_are_told_apart() -> None:
    pair = object_on_gradient()
    pair.rgb_full_THWC[:] = cv2.randu(pair.rgb_full_THWC.copy(), 0, 255)
    config = VoidConfig()
    made = {}
    for method in InpaintMethod:
        for radius in (1.0, 5.0):
            config.eval.inpaint_method, config.eval.inpaint_radius = method, radius
            made[method, radius] = BASELINES["opencv_inpaint"].make(config)(pair).tobytes()
    assert len({made[InpaintMethod.telea, 1.0], made[InpaintMethod.telea, 5.0], made[InpaintMethod.ns, 1.0]}) == 3


def test_the_vae_row_sees_the_truth_and_nothing_else() -> None:
    pair = object_on_gradient()
    method = BASELINES["vae"].make(compose_config(["device=cpu"]))
    decoded = method(pair)
    assert decoded.shape == pair.rgb_removed_THWC.shape and decoded.dtype == np.uint8
    other = Pair(np.zeros_like(pair.rgb_full_THWC), pair.rgb_removed_THWC, pair.quadmask, pair.fps, {})
    np.testing.assert_array_equal(method(other), decoded)
    assert BASELINES["vae"].is_bound and not BASELINES["input"].is_bound


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["inptu"], "did you mean input"),
        (["zzz"], "use one of input, opencv_inpaint, vae"),
        (["input", "input"], "once"),
    ],
)
def test_wrong_names_are_refused(names: list[str], words: str) -> None:
    with pytest.raises(InputError) as caught:
        EvalConfig(baselines=names)
    assert words in caught.value.remedy


def test_a_radius_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="inpaint_radius must be greater than 0, got 0"):
        EvalConfig(inpaint_radius=0)
