"""Who plays what: every sequence once before any comes again, none in two splits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from data_gen.human.cast import TRIES, cast, chosen_sequences, of_split
from data_gen.human.config import HumanConfig
from data_gen.quota import Place
from void.errors import InputError

NAMES = tuple(f"carry_mug_{k:02d}" for k in range(20))


class Source:
    """Names only."""

    def __init__(self, characters: tuple[str, ...] = ()) -> None:
        self.sequences = NAMES
        self.characters = characters


def played(count: int, config: HumanConfig, characters: tuple[str, ...] = (), **of: Any) -> list[tuple[Any, ...]]:
    source: Any = Source(characters)
    train = of_split(NAMES, config.held_out, "train")
    options = {"seed": 3, "attempt": 0} | of
    return [cast(Place("train", "human", k), train, source, config, **options) for k in range(count)]


def test_the_splits_share_no_sequence_and_neither_is_empty() -> None:
    train, held = of_split(NAMES, 0.1, "train"), of_split(NAMES, 0.1, "val")
    assert sorted((*train, *held)) == list(NAMES) and len(held) == 2
    assert len(of_split(NAMES[:2], 0.0, "val")) == 1 and len(of_split(NAMES[:2], 0.0, "train")) == 1


def test_every_sequence_comes_once_before_any_comes_twice_and_then_with_other_variants() -> None:
    config = HumanConfig(variants=["v1", "v2", "v3"])
    rows = played(18 * 3, config)
    for lap in range(3):
        assert len({sequence for sequence, *_ in rows[18 * lap : 18 * (lap + 1)]}) == 18
    assert [row[0] for row in rows[:18]] != [row[0] for row in rows[18:36]], "each lap has an order of its own"
    assert set(Counter(variant for *_, variant in rows).values()) == {18}
    assert rows == played(18 * 3, config) and rows != played(18 * 3, config, seed=4)


def test_a_scene_that_is_refused_again_and_again_takes_the_next_sequence() -> None:
    config = HumanConfig()
    first, second = played(2, config)
    assert played(1, config, attempt=TRIES - 1) == [first]
    assert played(1, config, attempt=TRIES) == [second]


def test_characters_are_drawn_or_share_the_sequences_by_halves() -> None:
    assert {character for _, character, _ in played(18, HumanConfig())} == {None}
    drawn = Counter(character for _, character, _ in played(90, HumanConfig(), ("Remy", "Sophie")))
    assert min(drawn["Remy"], drawn["Sophie"]) > 25
    for sequence, character, _ in played(18, HumanConfig(cast="halves"), ("Remy", "Sophie")):
        assert character == ("Remy" if NAMES.index(sequence) < 10 else "Sophie")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (HumanConfig(sequences=["carry_mug_01", "no_such"]), "scene.human.sequences: no_such unknown"),
        (HumanConfig(exclude=["no_such"]), "scene.human.exclude: no_such unknown"),
        (HumanConfig(sequences=["carry_mug_01"]), "1 sequence is left"),
        (HumanConfig(exclude=list(NAMES)), "0 sequence is left"),
    ],
)
def test_bad_choices_are_named(config: HumanConfig, problem: str) -> None:
    source: Any = Source()
    with pytest.raises(InputError, match=problem):
        chosen_sequences(source, config)
