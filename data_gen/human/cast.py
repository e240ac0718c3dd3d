"""Which sequence, figure and camera variant a scene has: all sequences come before one comes again."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from data_gen.blender.kubric_compat import load_kubric
from data_gen.human.config import HumanConfig
from data_gen.human.motion import MotionSource
from data_gen.quota import VAL, Place
from data_gen.seeds import generator
from void.errors import InputError

TRIES = 6
"""Draws of a scene with one sequence before it takes the next one."""


def chosen_sequences(source: MotionSource, config: HumanConfig) -> tuple[str, ...]:
    """The sequences that the configuration leaves.

    Raises:
        InputError: a name in `sequences` or `exclude` is unknown, or fewer than two are left.
    """
    known = set(source.sequences)
    for key in ("sequences", "exclude"):
        unknown = sorted(set(getattr(config, key)) - known)
        if unknown:
            raise InputError(
                f"scene.human.{key}: {', '.join(unknown)} unknown among {len(known)} sequences",
                f"sequences are {', '.join(source.sequences[:8])}{', ...' if len(known) > 8 else ''}",
            )
    wanted = set(config.sequences) or known
    left = tuple(name for name in source.sequences if name in wanted and name not in set(config.exclude))
    if len(left) < 2:
        raise InputError(
            f"{len(left)} sequence is left for scenes of family human",
            "give scene.human.sequences two or more: one is held out for validation",
        )
    return left


def of_split(sequences: Sequence[str], held_out: float, split: str) -> tuple[str, ...]:
    """The sequences of train or val scenes, by the rule that Kubric holds assets out by; at least one in each."""
    listed = SimpleNamespace(all_asset_ids=sorted(sequences))
    _, drawn = load_kubric().AssetSource.get_test_split(listed, max(held_out, 1 / len(sequences)))
    held = {str(name) for name in drawn} or {min(sequences)}
    return tuple(name for name in sequences if (name in held) == (split == VAL))


def cast(
    place: Place, sequences: Sequence[str], source: MotionSource, config: HumanConfig, *, seed: int, attempt: int
) -> tuple[str, str | None, str]:
    """Sequence, character (None: the sequence's own) and camera variant of a scene.

    The n-th scene of a split takes the n-th sequence of a random order, so each is used once before any is used twice,
    then with another variant.

    Args:
        place: of the scene; `place.number` counts.
        sequences: of its split.
        source: of the motions.
        config: `cast` says who plays.
        seed: of the data set.
        attempt: number of the draw.
    """
    number = place.number + attempt // TRIES
    lap, position = divmod(number, len(sequences))
    order = generator(seed, 0, lap, f"sequences of {place.split}").permutation(len(sequences))
    sequence = sequences[int(order[position])]
    variant = config.variants[(position + lap) % len(config.variants)]
    return sequence, _character(sequence, source, config, seed, number), variant


def _character(sequence: str, source: MotionSource, config: HumanConfig, seed: int, number: int) -> str | None:
    characters = source.characters
    if not characters:
        return None
    if config.cast == "halves":
        share = source.sequences.index(sequence) / len(source.sequences)
        return characters[int(np.floor(share * len(characters)))]
    return characters[int(generator(seed, number, 0, "character").integers(len(characters)))]
