"""The quadmask of rigid pairs, on arrays made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from data_gen.scene.config import ChangeConfig
from data_gen.scene.mask import (
    changed,
    coarsen,
    drop_specks,
    grid_shape,
    humoto_quadmask,
    kubric_quadmask,
    noise_level,
    quadmask,
    windows,
)
from data_gen.scene.views import View
from void.composition import compose_config
from void.errors import InputError
from void.quadmask import AFFECTED, KEEP, OVERLAP, PRIMARY, Quadmask

CONFIG = ChangeConfig(min_change=12, noise_factor=6.0, min_speck=0.0)
SIZE = 20
SURVIVOR, REMOVED = 0, 1
FLOOR_GREY, SURVIVOR_GREY, REMOVED_GREY, SHADOW_GREY = 120, 200, 60, 90


def view(survivor: slice, *, removed: bool, shadow: bool = False) -> View:
    """One frame: the survivor in rows 5..10, the removed object in columns 12..15 of the same rows, in front of it."""
    rgb = np.full((1, SIZE, SIZE, 3), FLOOR_GREY, np.uint8)
    ids = np.full((1, SIZE, SIZE), -1, np.int64)
    rgb[:, 5:10, survivor], ids[:, 5:10, survivor] = SURVIVOR_GREY, SURVIVOR
    if shadow:
        rgb[:, 10:12, 12:15] = SHADOW_GREY
    if removed:
        rgb[:, 5:10, 12:15], ids[:, 5:10, 12:15] = REMOVED_GREY, REMOVED
    return View(rgb, ids)


def label(full: View, without: View, hidden: View, moved: bool, config: ChangeConfig = CONFIG) -> np.ndarray:
    mask, _ = quadmask(full, without, hidden, [REMOVED], np.array([[moved, False]]), config)
    return mask.pack()[0]


def test_the_four_labels() -> None:
    here, there = slice(2, 6), slice(8, 14)
    grey = label(
        view(there, removed=True, shadow=True), view(here, removed=False), view(there, removed=False), moved=True
    )
    expected = np.full((SIZE, SIZE), KEEP)
    expected[5:10, here] = AFFECTED
    expected[5:10, there] = AFFECTED
    expected[10:12, 12:15] = AFFECTED
    expected[5:10, 12:15] = PRIMARY
    expected[5:10, 12:14] = OVERLAP
    np.testing.assert_array_equal(grey, expected)


def test_without_effect_only_the_object_and_its_shadow_are_labelled() -> None:
    here = slice(2, 6)
    grey = label(
        view(here, removed=True, shadow=True), view(here, removed=False), view(here, removed=False), moved=False
    )
    assert set(np.unique(grey)) == {PRIMARY, AFFECTED, KEEP}
    assert (grey == PRIMARY).sum() == 15 and (grey == AFFECTED).sum() == 6
    assert (grey[10:12, 12:15] == AFFECTED).all()


def test_a_moved_object_counts_even_where_its_colour_does_not_change() -> None:
    here = slice(2, 6)
    grey = label(view(here, removed=False), view(here, removed=False), view(here, removed=False), moved=True)
    assert (grey[5:10, here] == AFFECTED).all() and (grey == AFFECTED).sum() == 20


def test_the_floor_never_counts_as_moved() -> None:
    ids = np.full((1, SIZE, SIZE), -1, np.int64)
    empty = View(np.full((1, SIZE, SIZE, 3), FLOOR_GREY, np.uint8), ids)
    assert (label(empty, empty, empty, moved=True) == KEEP).all()


@pytest.mark.parametrize(("change", "expected"), [(12, False), (13, True)])
def test_changes_must_exceed_the_threshold(change: int, expected: bool) -> None:
    first = np.full((1, SIZE, SIZE, 3), 100, np.uint8)
    second = first.copy()
    second[0, 3, 4, 2] += change
    found, noise = changed(first, second, CONFIG)
    assert noise == 0 and bool(found[0, 3, 4]) is expected and found.sum() == expected


def test_changes_must_exceed_the_measured_noise() -> None:
    first = np.full((2, SIZE, SIZE, 3), 100, np.uint8)
    second = first.copy()
    second[1] += 4
    second[:, 3, 4] = 100 + 20
    found, noise = changed(first, second, CONFIG)
    assert noise == 4 and found[0, 3, 4] and not found[1].any()


def test_darker_and_lighter_changes_count_alike() -> None:
    dark, light = np.zeros((1, 4, 4, 3), np.uint8), np.full((1, 4, 4, 3), 255, np.uint8)
    change = np.abs(dark.astype(np.int16) - light).max(axis=-1)
    assert noise_level(change) == 255
    assert not changed(dark, light, CONFIG)[0].any()


def test_specks_and_pinholes_are_dropped() -> None:
    mask = np.zeros((2, SIZE, SIZE), bool)
    mask[0, 2, 2] = True
    mask[0, 10:16, 10:16] = True
    mask[0, 12, 12] = False
    clean = drop_specks(mask, 3)
    expected = np.zeros_like(mask)
    expected[0, 10:16, 10:16] = True
    np.testing.assert_array_equal(clean, expected)
    np.testing.assert_array_equal(drop_specks(mask, 1), mask)


def test_a_view_c_that_copies_a_far_from_the_removed_gives_the_same_mask() -> None:
    """As it is rendered: C is drawn only in windows around the removed object, and keeps A's shadow elsewhere."""
    here, there = slice(2, 6), slice(8, 14)
    full = view(there, removed=True, shadow=True)
    whole, copied = view(there, removed=False), view(there, removed=False, shadow=True)
    without = view(here, removed=False)
    np.testing.assert_array_equal(label(full, without, whole, moved=True), label(full, without, copied, moved=True))


def test_c_is_compared_with_b_as_it_was_rendered_for_it() -> None:
    """Behind the removed object C is darker than B, but not than what was rendered in its window."""
    here = slice(2, 6)
    full, without, hidden = view(here, removed=True), view(here, removed=False), view(here, removed=False)
    hidden.rgb_THWC[0, 5:10, 12:15] -= 20
    found = label(full, without, hidden, moved=False)
    assert (found[5:10, 12:15] == OVERLAP).all()
    mask, _ = quadmask(
        full, without, hidden, [REMOVED], np.array([[False, False]]), CONFIG, behind_THWC=hidden.rgb_THWC
    )
    assert (mask.pack()[0, 5:10, 12:15] == PRIMARY).all()


def test_the_measured_mask_can_be_coarsened() -> None:
    here, there = slice(2, 6), slice(8, 14)
    views = view(there, removed=True), view(here, removed=False), view(there, removed=False)
    config = ChangeConfig(min_change=12, noise_factor=6.0, min_speck=0.0, grid=2)
    exact, coarse = label(*views, moved=True), label(*views, moved=True, config=config)
    expected = np.full((SIZE, SIZE), KEEP)
    expected[:10] = AFFECTED
    expected[5:10, 12:15] = OVERLAP
    np.testing.assert_array_equal(coarse, expected)
    assert (exact == AFFECTED).sum() < (coarse == AFFECTED).sum()


KUBRIC_CASES = [
    # A shows the removed object there, change from C to B in one channel, level of the mask
    (False, 0, KEEP),
    (False, 14, KEEP),
    (False, 15, AFFECTED),
    (False, -15, AFFECTED),
    (True, 0, PRIMARY),
    (True, 14, PRIMARY),
    (True, -14, PRIMARY),
    (True, 15, OVERLAP),
    (True, -120, OVERLAP),
]


@pytest.mark.parametrize("channel", range(3))
def test_the_kubric_rule_pixel_by_pixel(channel: int) -> None:
    generator = np.random.default_rng(channel)
    count = len(KUBRIC_CASES)
    hidden = View(np.full((1, 1, count, 3), 120, np.uint8), np.full((1, 1, count), -1, np.int64))
    without = View(hidden.rgb_THWC.copy(), hidden.objects_THW)
    shown = np.array([case[0] for case in KUBRIC_CASES])
    full = View(
        generator.integers(0, 256, (1, 1, count, 3), dtype=np.uint8),
        np.where(shown, REMOVED, SURVIVOR)[None, None].astype(np.int64),
    )
    for column, (_, change, _) in enumerate(KUBRIC_CASES):
        without.rgb_THWC[0, 0, column, channel] = 120 + change
    mask = kubric_quadmask(full, without, hidden, [REMOVED]).pack()
    assert mask[0, 0].tolist() == [level for _, _, level in KUBRIC_CASES]


def test_the_kubric_rule_labels_all_of_several_removed_objects() -> None:
    picture = np.zeros((2, 1, 4, 3), np.uint8)
    ids = np.array([[[-1, 0, 1, 2]], [[2, 1, 0, -1]]])
    view_a, view_bc = View(picture, ids), View(picture, np.full_like(ids, -1))
    mask = kubric_quadmask(view_a, view_bc, view_bc, [0, 2])
    np.testing.assert_array_equal(mask.pack(), [[[255, 0, 255, 0]], [[0, 255, 0, 255]]])


def test_the_kubric_rule_leaves_out_shadows_and_cleans_nothing() -> None:
    here = slice(2, 6)
    views = view(here, removed=True, shadow=True), view(here, removed=False), view(here, removed=False)
    views[1].rgb_THWC[0, 0, 0, 1] += 15
    expected = np.full((1, SIZE, SIZE), KEEP)
    expected[:, 5:10, 12:15] = PRIMARY
    expected[:, 0, 0] = AFFECTED
    np.testing.assert_array_equal(kubric_quadmask(*views, [REMOVED]).pack(), expected)


# Grey levels of C and B in one channel that differ just too little and just enough in linear light: near black a
# difference of 53 levels is needed, near white one of 4.
HUMOTO_STEPS = [(0, 52, 53), (25, 57, 58), (50, 70, 71), (100, 110, 111), (150, 156, 157), (240, 243, 244)]


@pytest.mark.parametrize("channel", range(3))
@pytest.mark.parametrize("swapped", [False, True])
def test_the_humoto_rule_measures_change_in_linear_light(channel: int, swapped: bool) -> None:
    levels = np.array([(dark, bright) for dark, below, above in HUMOTO_STEPS for bright in (below, above)])
    ids = np.full((1, 1, len(levels)), -1, np.int64)
    pictures = [np.zeros((1, 1, len(levels), 3), np.uint8) for _ in range(2)]
    for picture, column in zip(pictures, levels.T, strict=True):
        picture[..., channel] = column
    without, hidden = (View(picture, ids) for picture in (reversed(pictures) if swapped else pictures))
    mask = humoto_quadmask(View(hidden.rgb_THWC, ids), without, hidden, [REMOVED]).pack()
    assert mask[0, 0].tolist() == [KEEP, AFFECTED] * len(HUMOTO_STEPS)


def test_the_humoto_rule_widens_the_silhouette_by_an_ellipse() -> None:
    """One pixel becomes the 17 of OpenCV's ellipse: three rows of five, and one pixel above and below."""
    ids = np.full((2, 9, 9), -1, np.int64)
    ids[0, 4, 4] = REMOVED
    ids[1, 0, 8] = REMOVED
    picture = np.full((2, 9, 9, 3), 100, np.uint8)
    view_bc = View(picture, np.full_like(ids, -1))
    mask = humoto_quadmask(View(picture, ids), view_bc, view_bc, [REMOVED]).pack()
    expected = np.full((2, 9, 9), KEEP)
    expected[0, 2:7, 4] = PRIMARY
    expected[0, 3:6, 2:7] = PRIMARY
    expected[1, 0:2, 6:] = PRIMARY
    expected[1, 2, 8] = PRIMARY
    np.testing.assert_array_equal(mask, expected)


def test_the_humoto_rule_pixel_by_pixel() -> None:
    """A survivor that moves from columns 2..6 (C) to 8..14 (B), behind whom the person stands in columns 12..15."""
    here, there = slice(2, 6), slice(8, 14)
    silhouette = view(there, removed=True)
    hidden, without = view(here, removed=False), view(there, removed=False)
    without.rgb_THWC[0, 0, 0, 1] += 8  # 120 to 128: 7.4 in linear light
    without.rgb_THWC[0, 0, 1, 1] += 9  # 120 to 129: 8.4
    mask = humoto_quadmask(silhouette, without, hidden, [REMOVED]).pack()
    expected = np.full((1, SIZE, SIZE), KEEP)
    expected[:, 5:10, here] = expected[:, 5:10, there] = AFFECTED
    expected[:, 0, 1] = AFFECTED
    person = np.zeros((1, SIZE, SIZE), bool)
    person[:, 4:11, 10:17] = person[:, 3:12, 12:15] = True
    expected[person & (expected == AFFECTED)] = OVERLAP
    expected[person & (expected == KEEP)] = PRIMARY
    np.testing.assert_array_equal(mask, expected)


def unpack(grey: np.ndarray) -> Quadmask:
    return Quadmask.unpack(grey.astype(np.uint8))


def test_coarsening_by_hand() -> None:
    """A 16x16 mask in a grid of 4x4 cells of 4x4 pixels."""
    grey = np.full((1, 16, 16), KEEP)
    grey[0, 0, 0] = AFFECTED  # one pixel is enough for a cell
    grey[0, 2, 2] = PRIMARY  # in a cell that counts: overlap
    grey[0, 3, 3] = OVERLAP  # stays
    grey[0, 5, 5] = OVERLAP  # does not make its cell count, and stays
    grey[0, 6, 6] = PRIMARY  # in a cell that does not count: stays
    grey[0, 11, 12] = AFFECTED  # last row of the third cell, first column of the fourth
    expected = np.full((1, 16, 16), KEEP)
    expected[0, 0:4, 0:4] = AFFECTED
    expected[0, 2, 2] = expected[0, 3, 3] = OVERLAP
    expected[0, 5, 5], expected[0, 6, 6] = OVERLAP, PRIMARY
    expected[0, 8:12, 12:16] = AFFECTED
    np.testing.assert_array_equal(coarsen(unpack(grey), 4).pack(), expected)


def test_each_frame_is_coarsened_by_itself() -> None:
    grey = np.full((2, 16, 16), KEEP)
    grey[1, 15, 15] = AFFECTED
    coarse = coarsen(unpack(grey), 2).pack()
    assert (coarse[0] == KEEP).all()
    assert (coarse[1, 8:, 8:] == AFFECTED).all() and (coarse[1] == AFFECTED).sum() == 64


def test_cells_of_uneven_size_end_where_the_released_ones_do() -> None:
    """10 pixels in 4 cells: edges at 0, 2, 5, 7, 10."""
    for place, (low, high) in {1: (0, 2), 2: (2, 5), 4: (2, 5), 5: (5, 7), 9: (7, 10)}.items():
        grey = np.full((1, 10, 10), KEEP)
        grey[0, place, place] = AFFECTED
        expected = np.full((1, 10, 10), KEEP)
        expected[0, low:high, low:high] = AFFECTED
        np.testing.assert_array_equal(coarsen(unpack(grey), 4).pack(), expected)


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [(900, 1600, 8, 14), (384, 672, 8, 14), (384, 384, 8, 8), (672, 384, 14, 8), (96, 97, 8, 8)],
)
def test_cell_counts(height: int, width: int, rows: int, columns: int) -> None:
    assert grid_shape(height, width, 8) == (rows, columns)
    grey = np.full((1, height, width), KEEP)
    grey[0, 0, 0] = AFFECTED
    assert (coarsen(unpack(grey), 8).pack() == AFFECTED).sum() == (height // rows) * (width // columns)


def test_windows_are_boxes_with_a_margin_inside_the_picture() -> None:
    primary = np.zeros((4, 20, 30), bool)
    primary[0, 8, 10] = primary[0, 12, 17] = True
    primary[1, 0, 29] = True
    primary[3] = True
    np.testing.assert_array_equal(windows(primary, 0), [[10, 8, 18, 13], [29, 0, 30, 1], [0, 0, 0, 0], [0, 0, 30, 20]])
    np.testing.assert_array_equal(windows(primary, 3), [[7, 5, 21, 16], [26, 0, 30, 4], [0, 0, 0, 0], [0, 0, 30, 20]])
    assert windows(primary, 3).dtype == np.int64


@pytest.mark.parametrize("rule", ["exact", "released"])
def test_an_unknown_rule_is_refused_with_the_rules_there_are(rule: str) -> None:
    with pytest.raises(InputError, match=f"scene.mask={rule}.*released_kubric"):
        compose_config([f"scene.mask={rule}"])
