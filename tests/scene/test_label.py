"""From worlds to labels, with a renderer that paints boxes by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from two_boxes import FRAMES, REMOVED, SPEC, TARGET, worlds

from data_gen.scene.config import MaskRule
from data_gen.scene.label import areas, first_contacts, moved, physics_layer, views_of
from data_gen.scene.simulate import FLOOR, WALLS, Contact
from data_gen.scene.views import Picture, PictureBook, Window
from void.quadmask import Quadmask

HEIGHT, WIDTH = SPEC.camera.height, SPEC.camera.width


class Flat(PictureBook):
    """Objects are squares of 12 pixels in their own shade; a removed one darkens the column below it, as a shadow."""

    def prepare(self, poses: Mapping[int, NDArray[np.float64]], frames: Sequence[int]) -> None:
        self.poses = poses

    def draw(self, frame: int, window: Window | None) -> Picture:
        rgb_HWC = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        objects_HW = np.full((HEIGHT, WIDTH), -1, np.int64)
        for i in sorted(self.poses):
            (place,), _ = self.spec.camera.at(frame).project(self.poses[i][frame, :3][None])
            x, y = round(place[0] * WIDTH), round(place[1] * HEIGHT)
            rows, columns = slice(max(y - 6, 0), y + 6), slice(max(x - 6, 0), max(x + 6, 0))
            rgb_HWC[rows, columns], objects_HW[rows, columns] = 200 + 20 * i, i
            if i == REMOVED:
                rgb_HWC[y + 6 : y + 9, columns] = 60
        x0, y0, x1, y1 = window or (0, 0, WIDTH, HEIGHT)
        return rgb_HWC[y0:y1, x0:x1], objects_HW[y0:y1, x0:x1]


def test_views_drawn_in_windows_are_those_drawn_whole_but_for_shadows() -> None:
    full, without = worlds()
    book = Flat(SPEC)
    thrifty = views_of(book, full, without)
    whole = views_of(Flat(SPEC), full, without, MaskRule.released_kubric)
    np.testing.assert_array_equal(thrifty.full.rgb_THWC, whole.full.rgb_THWC)
    np.testing.assert_array_equal(thrifty.without.rgb_THWC, whole.without.rgb_THWC)
    np.testing.assert_array_equal(thrifty.behind_THWC, whole.behind_THWC)
    np.testing.assert_array_equal(thrifty.hidden.objects_THW, whole.hidden.objects_THW)
    differs_THW = (thrifty.hidden.rgb_THWC != whole.hidden.rgb_THWC).any(axis=-1)
    # The window's margin of 8 pixels holds this shadow; nothing else may differ.
    assert not differs_THW.any()
    # Until the target moves at frame 5, C is B.
    np.testing.assert_array_equal(thrifty.hidden.rgb_THWC[:5], thrifty.without.rgb_THWC[:5])
    # Six of C, and one of B, where the target rests.
    windows = [key[-1] for key in book._drawn if key[-1] is not None]
    assert len(windows) == 7 and all(x1 - x0 < 32 and y1 - y0 < 32 for x0, y0, x1, y1 in windows)


def test_the_silhouette_is_hidden_by_objects_where_they_are_in_the_other_world() -> None:
    """The published generator renders it last, when the objects have their counterfactual poses."""
    full, without = worlds()
    book = Flat(SPEC)
    views = views_of(book, full, without, MaskRule.released_humoto)
    plain = views_of(Flat(SPEC), full, without, MaskRule.released_kubric)
    assert plain.silhouette is None and views.silhouette is not None
    np.testing.assert_array_equal(views.hidden.rgb_THWC, plain.hidden.rgb_THWC)
    shown_THW = views.silhouette.objects_THW
    # Before the contact both worlds are one, so A shows the same; afterwards the target is where B has it.
    np.testing.assert_array_equal(shown_THW[:5], views.full.objects_THW[:5])
    expected_THW = np.where(views.full.objects_THW == REMOVED, REMOVED, views.without.objects_THW)
    np.testing.assert_array_equal(shown_THW, expected_THW)
    assert (shown_THW[5:] != views.full.objects_THW[5:]).any()


def test_which_objects_are_elsewhere() -> None:
    full, without = worlds()
    moved_TN = moved(SPEC, full, without)
    assert moved_TN.shape == (FRAMES, 2)
    assert moved_TN[:, TARGET].tolist() == [False] * 5 + [True] * 6
    assert not moved_TN[:, REMOVED].any()
    turned = replace(full, positions=without.positions | {REMOVED: full.positions[REMOVED]})
    assert not moved(SPEC, turned, without).any()
    half = np.sqrt(0.5)
    turned.quaternions[TARGET] = turned.quaternions[TARGET].copy()
    turned.quaternions[TARGET][8:] = (half, 0.0, 0.0, half)
    assert moved(SPEC, turned, without)[:, TARGET].tolist() == [False] * 8 + [True] * 3


def test_the_physics_layer_holds_both_worlds() -> None:
    full, without = worlds()
    layer = physics_layer(SPEC, full, without)
    assert layer["removed"].tolist() == [False, True]
    for i in (TARGET, REMOVED):
        np.testing.assert_array_equal(layer["positions_full"][:, i], full.positions[i])
        np.testing.assert_array_equal(layer["quaternions_full"][:, i], full.quaternions[i])
    np.testing.assert_array_equal(layer["positions_removed"][:, TARGET], without.positions[TARGET])
    assert np.isnan(layer["positions_removed"][:, REMOVED]).all()
    assert np.isnan(layer["quaternions_removed"][:, REMOVED]).all()
    assert layer["contacts_full"].tolist() == [[0.5, -1, 0, 1.0], [4.5, 0, 1, 3.0]]
    assert layer["contacts_removed"].shape == (1, 4)
    walls = replace(full, contacts=(Contact(0.5, WALLS, TARGET, 1.0),))
    assert physics_layer(SPEC, walls, without)["contacts_full"].tolist() == [[0.5, -1, 0, 1.0]]
    assert physics_layer(SPEC, replace(full, contacts=()), without)["contacts_full"].shape == (0, 4)


def test_first_contacts_leave_out_floor_walls_and_repetitions() -> None:
    full, _ = worlds()
    again = replace(full, contacts=(*full.contacts, Contact(5.0, TARGET, REMOVED, 9.0), Contact(6.0, FLOOR, 1, 1.0)))
    again = replace(again, contacts=(*again.contacts, Contact(7.0, WALLS, 1, 1.0)))
    assert first_contacts(again) == [{"objects": [TARGET, REMOVED], "frame": 4.5, "force": 3.0}]


def test_areas_are_shares_of_the_clip() -> None:
    primary, affected = (np.zeros((2, 10, 10), np.bool_) for _ in range(2))
    primary[:, :2], affected[:, 1:5] = True, True
    shares = areas(Quadmask(primary, affected))
    assert shares == pytest.approx({"removed": 0.1, "overlap": 0.1, "affected": 0.3, "keep": 0.5})
