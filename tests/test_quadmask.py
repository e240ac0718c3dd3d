"""Quadmask properties on random volumes."""

from __future__ import annotations

import numpy as np
import pytest

from void.errors import InputError
from void.quadmask import LEVELS, Quadmask, quantise


def random_mask(seed: int, shape: tuple[int, int, int] = (3, 24, 40)) -> Quadmask:
    generator = np.random.default_rng(seed)
    return Quadmask(generator.random(shape) < 0.3, generator.random(shape) < 0.5)


def layers_equal(one: Quadmask, other: Quadmask) -> bool:
    return np.array_equal(one.primary_THW, other.primary_THW) and np.array_equal(one.affected_THW, other.affected_THW)


@pytest.mark.parametrize("seed", range(5))
def test_pack_and_unpack_invert_each_other(seed: int) -> None:
    mask = random_mask(seed)
    assert set(np.unique(mask.pack())) == set(LEVELS)
    assert layers_equal(Quadmask.unpack(mask.pack()), mask)


def test_each_level_means_its_layers() -> None:
    mask = Quadmask.unpack(np.array([[[0, 63, 127, 255]]], np.uint8))
    assert mask.primary_THW.tolist() == [[[True, True, False, False]]]
    assert mask.affected_THW.tolist() == [[[False, True, True, False]]]


@pytest.mark.parametrize("value", [1, 62, 64, 126, 128, 254])
def test_a_neighbour_of_a_level_is_refused(value: int) -> None:
    grey = random_mask(0).pack()
    grey[2, 5, 7] = value
    with pytest.raises(InputError, match=rf"lime\.mp4 holds grey values .*: {value} \(1 pixels"):
        Quadmask.unpack(grey, "lime.mp4")


def test_many_foreign_values_are_counted_not_listed() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    with pytest.raises(InputError, match=r"1, 2, 3, 4, 5, 6, \.\.\. \(252 pixels, 98\.44%\)"):
        Quadmask.unpack(grey)


def test_quantise_goes_to_the_nearest_level_and_keeps_levels() -> None:
    values = np.arange(256, dtype=np.uint8)
    distances = np.abs(values[:, None].astype(int) - np.array(LEVELS))
    chosen = np.abs(quantise(values).astype(int) - values)
    assert np.array_equal(chosen, distances.min(axis=1))
    assert quantise(np.array([31, 32, 95, 96, 191, 192], np.uint8)).tolist() == [0, 63, 63, 127, 127, 255]
    assert quantise(np.array(LEVELS, np.uint8)).tolist() == list(LEVELS)


@pytest.mark.parametrize("size", [(12, 20), (24, 40), (7, 13), (48, 80), (50, 31), (12, 90), (60, 20), (1, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_resize_treats_layers_apart_so_no_level_is_invented(seed: int, size: tuple[int, int]) -> None:
    mask = random_mask(seed)
    only_primary = Quadmask(mask.primary_THW, np.zeros_like(mask.primary_THW))
    resized = only_primary.resize(*size)
    assert resized.shape == (3, *size)
    assert set(np.unique(resized.pack())) <= {0, 255}
    assert np.array_equal(mask.resize(*size).primary_THW, resized.primary_THW)


@pytest.mark.parametrize("seed", range(3))
def test_whole_number_enlarging_of_blocks_and_shrinking_back_is_exact(seed: int) -> None:
    mask = random_mask(seed)
    enlarged = Quadmask(*(layer.repeat(4, axis=1).repeat(2, axis=2) for layer in (mask.primary_THW, mask.affected_THW)))
    assert layers_equal(enlarged.resize(24, 40), mask)
    assert layers_equal(mask.resize(24, 40), mask)


@pytest.mark.parametrize(("covered", "expected"), [(1, False), (2, True), (3, True)])
def test_half_of_the_area_sets_a_pixel(covered: int, expected: bool) -> None:
    layer = np.zeros((1, 2, 2), np.bool_)
    layer.ravel()[:covered] = True
    assert Quadmask(layer, ~layer).resize(1, 1).primary_THW.item() is expected


def test_uneven_scales_weigh_exact_areas() -> None:
    # From 30 to 20 pixels a side, a target pixel covers 3 x 3 half pixels: areas are exact counts on the doubled grid.
    layer = np.random.default_rng(3).random((1, 30, 30)) < 0.5
    fine = layer.repeat(2, axis=1).repeat(2, axis=2)
    ninths = fine.reshape(1, 20, 3, 20, 3).sum(axis=(2, 4))
    assert np.array_equal(Quadmask(layer, layer).resize(20, 20).primary_THW, ninths * 2 >= 9)


def test_shrinking_one_side_while_the_other_grows_keeps_areas() -> None:
    layer = np.zeros((1, 64, 4), np.bool_)
    layer[:, ::8] = True  # An eighth of each area: thin lines that sampling would catch or miss by chance.
    assert not Quadmask(layer, layer).resize(8, 12).primary_THW.any()
    assert Quadmask(~layer, layer).resize(8, 12).primary_THW.all()


@pytest.mark.parametrize("seed", range(5))
def test_regions_partition_the_volume(seed: int) -> None:
    mask = random_mask(seed)
    regions = mask.regions()
    assert list(regions) == ["removed", "affected", "kept"]
    assert np.array_equal(sum(region.astype(int) for region in regions.values()), np.ones(mask.shape, int))
    grey = mask.pack()
    assert np.array_equal(regions["removed"], grey <= 63)
    assert np.array_equal(regions["affected"], grey == 127)
    assert np.array_equal(regions["kept"], grey == 255)


def test_slicing_crops_both_layers() -> None:
    mask = random_mask(1)
    assert layers_equal(mask[1:, 2:10, ::2], Quadmask.unpack(mask.pack()[1:, 2:10, ::2]))
    assert mask[:2].shape == (2, 24, 40)
