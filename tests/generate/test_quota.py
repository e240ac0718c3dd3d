"""Splits and families by index: exact at every length."""

from __future__ import annotations

from collections import Counter

import pytest

from data_gen.quota import TRAIN, VAL, places, split_of

MIXES = {
    "even": dict.fromkeys("abcdefgh", 1.0),
    "paper": {"a": 1.0, "b": 0.0},
    "uneven": {"a": 0.4, "b": 0.1, "c": 0.05, "d": 0.3, "e": 0.15},
    "tiny share": {"a": 100.0, "b": 1.0, "c": 33.3},
    "thirds": {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3 + 1e-9},
}


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
@pytest.mark.parametrize("split", [TRAIN, VAL])
def test_every_family_has_its_share_of_each_split_after_any_number_of_scenes(mix: dict[str, float], split: str) -> None:
    families = [place.family for place in places(4000, mix, 4) if place.split == split]
    assert len(families) == (3000 if split == TRAIN else 1000)
    total, had = sum(mix.values()), Counter[str]()
    for number, family in enumerate(families, start=1):
        had[family] += 1
        for name, share in mix.items():
            assert abs(had[name] - share / total * number) < 1, f"{name} after {number} scenes"


def test_a_larger_data_set_begins_like_a_small_one() -> None:
    assert places(1000, MIXES["uneven"], 10)[:137] == places(137, MIXES["uneven"], 10)


def test_a_family_without_share_has_no_scene() -> None:
    assert {place.family for place in places(50, MIXES["paper"], 5)} == {"a"}


def test_every_nth_scene_is_for_validation() -> None:
    assert [split_of(index, 3) for index in range(6)] == [TRAIN, TRAIN, VAL] * 2
    assert [place.split for place in places(6, MIXES["even"], 3)] == [TRAIN, TRAIN, VAL] * 2


def test_the_first_scenes_of_equal_families_are_one_of_each() -> None:
    assert [place.family for place in places(8, MIXES["even"], 100)] == list("abcdefgh")
