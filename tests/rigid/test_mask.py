"""The quadmask of rigid pairs, on arrays made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from data_gen.config import MaskConfig
from data_gen.rigid.mask import View, changed, drop_specks, noise_level, quadmask
from void.quadmask import AFFECTED, KEEP, OVERLAP, PRIMARY

CONFIG = MaskConfig(min_change=12, noise_factor=6.0, min_speck=0.0)
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


def label(full: View, without: View, hidden: View, moved: bool, config: MaskConfig = CONFIG) -> np.ndarray:
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
