"""Temporal windows: the released ones, sums to one, and impossible lengths."""

from __future__ import annotations

import pytest

from void.errors import InputError
from void.pipelines.windows import Window, batches, blend_weights, latent_window, ramp_weights, windows


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (50, [(0, 22), (18, 40), (36, 50)]),
        (24, [(0, 22), (18, 24)]),
        (40, [(0, 22), (18, 40)]),
        (22, [(0, 22)]),
        (2, [(0, 2)]),
    ],
)
def test_released_windows(length: int, expected: list[tuple[int, int]]) -> None:
    assert windows(length, *latent_window(85, 16)) == expected


def test_released_ramps() -> None:
    up, down = [0.2, 0.4, 0.6, 0.8], [0.8, 0.6, 0.4, 0.2]
    assert ramp_weights(Window(0, 22), 50, 4) == [1.0] * 18 + down
    assert ramp_weights(Window(18, 40), 50, 4) == up + [1.0] * 14 + down
    assert ramp_weights(Window(36, 50), 50, 4) == up + [1.0] * 10
    assert ramp_weights(Window(18, 24), 24, 4) == [*up, 1.0, 1.0]
    assert ramp_weights(Window(0, 10), 10, 4) == [1.0] * 10


@pytest.mark.parametrize(("window_frames", "overlap_frames"), [(85, 16), (13, 8), (29, 24), (21, 0), (5, 0)])
def test_every_latent_is_covered_and_weights_sum_to_one(window_frames: int, overlap_frames: int) -> None:
    window, overlap = latent_window(window_frames, overlap_frames)
    for length in range(2, 80, 2):
        parts = windows(length, window, overlap)
        totals = [0.0] * length
        for part, weights in zip(parts, blend_weights(parts, length, overlap), strict=True):
            assert part.length % 2 == 0 and part.length <= window and min(weights) > 0
            for offset, weight in enumerate(weights):
                totals[part.begin + offset] += weight
        assert totals == pytest.approx([1.0] * length)
        assert parts[-1].end == length
        assert [after.begin for after in parts[1:]] == [before.end - overlap for before in parts[:-1]]


def test_windows_of_one_length_share_a_batch() -> None:
    parts = windows(50, 22, 4)
    assert batches(parts, 9) == [parts[:2], parts[2:]]
    assert batches(parts, 1) == [[part] for part in parts]
    assert batches(windows(76, 22, 4), 3) == [windows(76, 22, 4)[:3], windows(76, 22, 4)[3:]]


@pytest.mark.parametrize(
    ("window_frames", "overlap_frames", "message"),
    [
        (84, 16, "window = 84 is not a legal frame count"),
        (0, 0, "window = 0"),
        (85, 12, "overlap = 12 is not a multiple of 8"),
        (85, -8, "overlap = -8 is not"),
        (85, 88, "overlap = 88 leaves"),
        (5, 8, "use at most 0"),
    ],
)
def test_impossible_lengths(window_frames: int, overlap_frames: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        latent_window(window_frames, overlap_frames, "window", "overlap")
