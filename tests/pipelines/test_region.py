"""The window that the model is shown of a large clip: where it goes, and how large it is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from void.pipelines.frame_fit import Box, FrameFit
from void.pipelines.region import Marked, find_marked, region_fits
from void.pipelines.window_path import SMOOTHING_FRAMES, taut_string, window_path
from void.quadmask import Quadmask

PICTURE, MODEL = (400, 600), (64, 96)


def boxes(*each: tuple[int, int, int, int]) -> Marked:
    """Marked boxes, one a frame: top, left, height, width."""
    first = np.array([[top, left] for top, left, _, _ in each])
    return Marked(first, first + np.array([[height, width] for _, _, height, width in each]))


def contained(fits: list[FrameFit], marked: Marked) -> bool:
    return all(
        fit.source.top <= first[0]
        and first[0] <= end[0] <= fit.source.top + fit.source.height
        and fit.source.left <= first[1]
        and end[1] <= fit.source.left + fit.source.width
        for fit, first, end in zip(fits, marked.first_T2, marked.end_T2, strict=True)
        if (end > first).all()
    )


def test_what_fits_is_seen_at_the_models_own_size_and_still() -> None:
    marked = boxes(*[(100, 200 + frame, 20, 30) for frame in range(8)])
    fits = region_fits(marked, PICTURE, MODEL)
    assert fits is not None and contained(fits, marked)
    assert {(fit.source.height, fit.source.width) for fit in fits} == {MODEL}
    assert {fit.model for fit in fits} == {Box(0, 0, *MODEL)}
    assert len({fit.source for fit in fits}) == 1, "a window that need not move stands"


def test_the_window_follows_smoothly() -> None:
    marked = boxes(*[(100 + 2 * frame, 20 + 6 * frame, 20, 30) for frame in range(80)])
    fits = region_fits(marked, PICTURE, MODEL)
    assert fits is not None and contained(fits, marked)
    lefts = np.array([fit.source.left for fit in fits])
    steps = np.diff(lefts)
    assert steps.min() >= 0 and steps.max() <= 7
    assert np.abs(np.diff(steps)).max() <= 2
    assert steps[0] <= 2 and steps[-1] <= 2, "it sets off and stops gently"


def test_what_is_larger_is_scaled_as_little_as_it_can_be() -> None:
    marked = boxes((50, 50, 120, 60), (200, 300, 120, 60))
    fits = region_fits(marked, PICTURE, MODEL)
    assert fits is not None and contained(fits, marked)
    # 120 pixels and a sixth of them on each side, in the model's shape.
    assert {(fit.source.height, fit.source.width) for fit in fits} == {(160, 240)}
    assert {fit.model for fit in fits} == {Box(0, 0, *MODEL)}


def test_edges_of_the_picture_and_frames_without_a_mark() -> None:
    nothing = (0, 0, 0, 0)
    marked = boxes((0, 0, 20, 20), nothing, nothing, (380, 580, 20, 20))
    fits = region_fits(marked, PICTURE, MODEL)
    assert fits is not None and contained(fits, marked)
    assert fits[0].source == Box(0, 0, *MODEL) and fits[-1].source == Box(400 - 64, 600 - 96, *MODEL)
    for fit in fits:
        assert 0 <= fit.source.top <= 400 - 64 and 0 <= fit.source.left <= 600 - 96


def test_the_whole_picture_where_no_window_is_smaller() -> None:
    assert region_fits(boxes((0, 0, 0, 0)), PICTURE, MODEL) is None
    assert region_fits(boxes((5, 5, 10, 10)), (64, 96), MODEL) is None
    assert region_fits(boxes((0, 0, 400, 600)), PICTURE, MODEL) is None


def test_a_low_picture_gets_bars_above_and_below() -> None:
    fits = region_fits(boxes((10, 300, 20, 30)), (40, 600), MODEL)
    assert fits is not None
    assert fits[0].source.height == 40 and fits[0].source.width == 96
    assert fits[0].model == Box(12, 0, 40, 96)


def test_the_window_has_the_models_shape_on_the_screen() -> None:
    fits = region_fits(boxes((100, 200, 10, 10)), PICTURE, MODEL, pixel_aspect=Fraction(2))
    assert fits is not None
    assert (fits[0].source.height, fits[0].source.width) == (64, 48)


def test_boxes_of_a_smaller_mask_are_scaled_outward() -> None:
    primary, affected = (np.zeros((1, 10, 10), bool) for _ in range(2))
    primary[0, 2:4, 3:5] = True
    affected[0, 3:6, 4:7] = True
    marked = find_marked([Quadmask(primary, affected), Quadmask(~primary & False, affected & False)], (45, 90))
    assert marked.first_T2.tolist() == [[9, 27], [0, 0]] and marked.end_T2.tolist() == [[27, 63], [0, 0]]


@pytest.mark.parametrize("seed", range(20))
def test_any_path_stays_within_its_bounds_and_is_the_shortest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(1, 60))
    middle, room = np.cumsum(rng.integers(-9, 10, frames)), rng.integers(0, 40, frames)
    low, high = middle - room, middle + room
    path = window_path(low, high)
    assert (low <= path).all() and (path <= high).all()
    string = taut_string(low.astype(float), high.astype(float))
    # No single frame, and no pair of neighbours, can move within its bounds and make the path shorter.
    for frame in range(1, frames - 1):
        best = np.clip((string[frame - 1] + string[frame + 1]) / 2, low[frame], high[frame])
        assert abs(string[frame] - best) < 1e-6


def test_a_path_stands_where_it_can() -> None:
    low, high = np.zeros(50, int), np.full(50, 100)
    assert set(window_path(low, high)) == {50}
    low[40:] = 70
    path = window_path(low, high)
    assert len(set(path)) == 1 and path[0] >= 70
    high[:10] = 20
    path = window_path(low, high)
    assert path[0] == path[10 - SMOOTHING_FRAMES] == 20 and path[-1] == 70
