"""Frame and size rules, against a brute-force reading of them."""

from __future__ import annotations

import pytest

from void import shapes
from void.errors import InputError

LEGAL = [frames for frames in range(1, 210) if (frames - 1) % 4 == 0 and ((frames - 1) // 4 + 1) % 2 == 0]


def test_legal_counts_are_4k_plus_1_with_even_latents() -> None:
    assert [frames for frames in range(-5, 210) if shapes.is_legal_frames(frames)] == LEGAL
    assert LEGAL[:3] == [5, 13, 21] and {85, 197} <= set(LEGAL)


@pytest.mark.parametrize("frames", range(5, 120))
def test_floor_and_ceil_are_the_nearest_legal_counts(frames: int) -> None:
    assert shapes.floor_frames(frames) == max(legal for legal in LEGAL if legal <= frames)
    assert shapes.ceil_frames(frames) == min(legal for legal in LEGAL if legal >= frames)


@pytest.mark.parametrize("frames", range(-9, 5))
def test_too_short_clips_only_go_up(frames: int) -> None:
    assert shapes.ceil_frames(frames) == 5
    with pytest.raises(InputError, match=f"{frames} frames is too short.* 5 ") as caught:
        shapes.floor_frames(frames)
    assert "longer clip" in caught.value.remedy


@pytest.mark.parametrize("frames", LEGAL[:12])
def test_latent_and_pixel_frames_invert_each_other(frames: int) -> None:
    assert shapes.pixel_frames(shapes.latent_frames(frames)) == frames
    assert shapes.latent_frames(frames) % 2 == 0


def test_paper_geometry() -> None:
    assert shapes.latent_shape(85, 384, 672) == (22, 16, 48, 84)
    assert shapes.token_count(85, 384, 672) == 11 * 24 * 42


@pytest.mark.parametrize(("frames", "remedy"), [(60, "use 53 or 61"), (9, "use 5 or 13"), (3, "use 5"), (0, "use 5")])
def test_illegal_count_names_its_place_and_legal_neighbours(frames: int, remedy: str) -> None:
    with pytest.raises(InputError, match=f"data.frames = {frames} is not a legal") as caught:
        shapes.check_frames(frames, "data.frames")
    assert caught.value.remedy == remedy


@pytest.mark.parametrize("frames", [0, 2, 84])
def test_latent_frames_refuses_other_counts(frames: int) -> None:
    with pytest.raises(InputError, match="4k"):
        shapes.latent_frames(frames)


@pytest.mark.parametrize(
    ("height", "width", "problem", "remedy"),
    [
        (100, 128, "height 100", "use 96 or 112"),
        (96, 97, "width 97", "use 96 or 112"),
        (8, 16, "height 8", "use 16 or 32"),
        (0, 16, "height 0", "use 16 or 32"),
        (-16, 16, "height -16", "use 16 or 32"),
    ],
)
def test_illegal_size_names_the_side_and_legal_neighbours(height: int, width: int, problem: str, remedy: str) -> None:
    with pytest.raises(InputError, match=f"clip.mp4: {problem}") as caught:
        shapes.check_size(height, width, "clip.mp4")
    assert caught.value.remedy == remedy


def test_latent_shape_checks_both() -> None:
    shapes.check_size(16, 672, "clip")
    with pytest.raises(InputError):
        shapes.latent_shape(84, 384, 672)
    with pytest.raises(InputError):
        shapes.latent_shape(85, 380, 672)
