"""The morphing detector: what stands or moves as one passes, what changes its form does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from void.noise.flow import DisFlow
from void.noise.morphing import Morphing, Obstacle, morphing
from void.quadmask import Quadmask

FRAMES, HEIGHT, WIDTH, SIDE = 17, 96, 128, 36


def texture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Smooth colours with enough detail for optical flow."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return (128 + 45 * smooth / smooth.std()).clip(0, 255).astype(np.uint8)


def clip(step: float = 0.0, growth: float = 0.0, bend: float = 0.0, fade: float = 0.0, light: float = 0.0):
    """A textured square before a textured wall, and the mask that calls it affected.

    Args:
        step: pixels a frame, to the right.
        growth: of its side, at the end.
        bend: amplitude of a wave across it, in pixels, at the end.
        fade: share of another texture, at the end.
        light: grey levels that everything brightens, at the end.
    """
    wall, square, other = texture(HEIGHT, WIDTH, 0), texture(SIDE, SIDE, 1), texture(SIDE, SIDE, 2)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    frames, affected = [], []
    for share, frame in zip(np.linspace(0, 1, FRAMES), range(FRAMES), strict=True):
        left, top, side = 24 + step * frame, 30.0, SIDE * (1 + growth * share)
        x, y = (columns - left) * SIDE / side, (rows - top) * SIDE / side
        x += np.float32(bend * share) * np.sin(y / 4)
        inside = (x >= 0) & (x <= SIDE - 1) & (y >= 0) & (y <= SIDE - 1)
        blend = ((1 - fade * share) * square + fade * share * other).astype(np.uint8)
        drawn = cv2.remap(blend, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
        frames.append((np.where(inside[..., None], drawn, wall) + light * share).clip(0, 255).astype(np.uint8))
        affected.append(inside)
    mask = np.stack(affected)
    return np.stack(frames), Quadmask(np.zeros_like(mask), mask)


def found(**change: float) -> Morphing:
    return morphing(*clip(**change), DisFlow())


@pytest.mark.parametrize("step", [0.0, 0.5, 2.0])
def test_what_stands_or_moves_as_one_passes(step: float) -> None:
    assert found(step=step).score < 1


@pytest.mark.parametrize(
    ("change", "drift"),
    [({"growth": 0.5}, "shape"), ({"bend": 3.0}, "shape"), ({"fade": 1.0}, "appearance")],
    ids=["grows", "bends", "fades"],
)
@pytest.mark.parametrize("step", [0.0, 1.0])
def test_what_changes_its_form_or_colours_does_not(change: dict[str, float], drift: str, step: float) -> None:
    morphed = found(step=step, **change)
    assert morphed.score >= 1
    assert getattr(morphed, drift) == morphed.score or drift == "shape"


@pytest.mark.parametrize(("name", "amounts"), [("growth", (0.02, 0.06, 0.2)), ("fade", (0.1, 0.4, 1.0))])
def test_more_morphing_scores_higher(name: str, amounts: tuple[float, ...]) -> None:
    scores = [found(**{name: amount}).score for amount in amounts]
    assert scores == sorted(scores) and scores[-1] > 1.5 * scores[0]


def test_only_the_invented_region_counts() -> None:
    frames_THWC, quadmask = clip(growth=0.5)
    elsewhere = np.zeros_like(quadmask.affected_THW)
    elsewhere[:, 80:, 90:] = True
    assert morphing(frames_THWC, Quadmask(elsewhere, elsewhere), DisFlow()).score < 0.2
    nothing = np.zeros_like(elsewhere)
    assert morphing(frames_THWC, Quadmask(nothing, nothing), DisFlow()) == Morphing(None, obstacle=Obstacle.no_region)
    assert morphing(frames_THWC, Quadmask(quadmask.affected_THW, nothing), DisFlow()) == found(growth=0.5)


def test_what_cannot_be_followed_has_no_score() -> None:
    noise_THWC = np.random.default_rng(0).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    everywhere = np.ones((FRAMES, HEIGHT, WIDTH), bool)
    lost = morphing(noise_THWC, Quadmask(everywhere, everywhere), DisFlow())
    assert lost == Morphing(None, None, None, Obstacle.no_tracks)
    few = np.zeros_like(everywhere)
    few[:, 40:44, 40:44] = True
    assert morphing(noise_THWC, Quadmask(few, few), DisFlow()).obstacle is Obstacle.small_region


def test_a_static_clip_does_not_morph_and_a_single_frame_has_no_score() -> None:
    frames_THWC, quadmask = clip()
    assert morphing(frames_THWC, quadmask, DisFlow()).score == 0
    for frames in (2, 5):
        moving_THWC, mask = clip(step=1.0)
        assert morphing(moving_THWC[:frames], mask[:frames], DisFlow()).score < 1
    assert morphing(frames_THWC[:1], quadmask[:1], DisFlow()) == Morphing(None, obstacle=Obstacle.one_frame)


def test_the_score_hardly_depends_on_the_size_and_repeats() -> None:
    frames_THWC, quadmask = clip(step=1.0, growth=0.4)
    large_THWC = np.stack(
        [cv2.resize(frame, (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_CUBIC) for frame in frames_THWC]
    )
    large = morphing(large_THWC, quadmask.resize(4 * HEIGHT, 4 * WIDTH), DisFlow())
    small = morphing(frames_THWC, quadmask, DisFlow())
    assert small == morphing(frames_THWC, quadmask, DisFlow())
    assert abs(large.score / small.score - 1) < 0.25


def test_light_that_changes_everywhere_is_not_taken_for_morphing() -> None:
    assert found(light=12.0).score < 0.5 and found(light=12.0, fade=1.0).score >= 1
