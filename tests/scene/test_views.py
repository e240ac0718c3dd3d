"""No picture is drawn twice, and windows are pasted where they belong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from two_boxes import FRAMES, REMOVED, SPEC, TARGET, worlds

from data_gen.scene.camera import CameraPath
from data_gen.scene.spec import SceneSpec
from data_gen.scene.views import Picture, PictureBook, View, Window, rounded_poses

HEIGHT, WIDTH = SPEC.camera.height, SPEC.camera.width


class Counting(PictureBook):
    """Paints each picture in the shade of its number."""

    def __init__(self, spec: SceneSpec = SPEC) -> None:
        super().__init__(spec)
        self.drawn: list[tuple[tuple[int, ...], int, Window | None]] = []
        self.shown: tuple[int, ...] = ()

    def prepare(self, poses: Mapping[int, NDArray[np.float64]], frames: Sequence[int]) -> None:
        self.shown = tuple(poses)

    def draw(self, frame: int, window: Window | None) -> Picture:
        self.drawn.append((self.shown, frame, window))
        x0, y0, x1, y1 = window or (0, 0, WIDTH, HEIGHT)
        shade = len(self.drawn)
        return np.full((y1 - y0, x1 - x0, 3), shade, np.uint8), np.full((y1 - y0, x1 - x0), shade, np.int64)


def test_each_distinct_picture_is_drawn_once() -> None:
    full, without = worlds()
    book = Counting()
    # The removed box stops at frame 5, the target moves from frame 5 on: eleven different pictures.
    book.render(full, [TARGET, REMOVED])
    assert len(book.drawn) == book.pictures == FRAMES
    # B: the target rests all the time. C: as in B until frame 4.
    still = book.render(without, [TARGET])
    assert book.drawn[FRAMES:] == [((TARGET,), 0, None)]
    hidden = book.render(full, [TARGET])
    assert [frame for _, frame, _ in book.drawn[FRAMES + 1 :]] == [5, 6, 7, 8, 9, 10]
    np.testing.assert_array_equal(hidden.rgb_THWC[:5], still.rgb_THWC[:5])
    assert (hidden.rgb_THWC[5:] != still.rgb_THWC[5:]).all()
    assert hidden.objects_THW.shape == (FRAMES, HEIGHT, WIDTH)


def test_poses_that_differ_by_less_than_a_tenth_of_a_millimetre_are_one() -> None:
    _, without = worlds()
    without.positions[TARGET][3:, 0] += 4e-5
    book = Counting()
    book.render(without, [TARGET])
    assert book.pictures == 1
    assert rounded_poses(without, TARGET).shape == (FRAMES, 7)
    without.positions[TARGET][6:, 0] += 1e-4
    book.render(without, [TARGET])
    assert book.pictures == 2


def test_a_moving_camera_makes_every_frame_another_picture() -> None:
    camera = SPEC.camera
    positions = tuple((0.1 * t, -6.0, 3.0) for t in range(FRAMES))
    moving = CameraPath("dolly", positions, camera.quaternions * FRAMES, 35.0, HEIGHT, WIDTH)
    book = Counting(replace(SPEC, camera=moving))
    _, without = worlds()
    book.render(without, [TARGET])
    assert book.pictures == FRAMES


@pytest.mark.parametrize(("blur", "pictures"), [(0.0, 7), (0.5, 8)])
def test_with_motion_blur_a_picture_shows_its_neighbours_too(blur: float, pictures: int) -> None:
    full, _ = worlds()
    book = Counting(replace(SPEC, render=replace(SPEC.render, motion_blur=blur)))
    book.render(full, [TARGET])
    # At rest for frames 0..4; with blur, frame 4 already moves.
    assert book.pictures == pictures


def test_only_windows_are_drawn_and_the_rest_is_copied() -> None:
    full, without = worlds()
    book = Counting()
    base = View(np.full((FRAMES, HEIGHT, WIDTH, 3), 200, np.uint8), np.full((FRAMES, HEIGHT, WIDTH), 9))
    windows_T4 = np.zeros((FRAMES, 4), np.int64)
    windows_T4[6] = (10, 20, 40, 30)
    view = book.render(full, [TARGET], base=base, windows_T4=windows_T4)
    assert book.drawn == [((TARGET,), 6, (10, 20, 40, 30))]
    inside = np.zeros((FRAMES, HEIGHT, WIDTH), np.bool_)
    inside[6, 20:30, 10:40] = True
    assert (view.rgb_THWC[inside] == 1).all() and (view.rgb_THWC[~inside] == 200).all()
    assert (view.objects_THW[inside] == 1).all() and (view.objects_THW[~inside] == 9).all()
    assert (base.rgb_THWC == 200).all()
    # Denoised within itself, a window is no cutting of the whole picture, nor of another window.
    book.render(without, [TARGET])
    windows_T4[:] = (10, 20, 40, 30)
    book.render(without, [TARGET], base=base, windows_T4=windows_T4)
    assert [window for *_, window in book.drawn[1:]] == [None, (10, 20, 40, 30)]
