"""Which split and which family a scene belongs to: fixed by its index, so a larger data set begins like a small one.

The families of each split follow one another so that after any number of its scenes every family has had its share, to
within one scene.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

TRAIN = "train"
VAL = "val"


@dataclass(frozen=True)
class Place:
    """What is decided about a scene before it is drawn."""

    split: str
    family: str
    number: int
    """How many scenes of its split and family come before it."""


def split_of(index: int, val_every: int) -> str:
    """The split of a scene: every `val_every`-th one is for validation."""
    return VAL if index % val_every == val_every - 1 else TRAIN


def places(count: int, shares: Mapping[str, float], val_every: int) -> list[Place]:
    """The places of the scenes 0 to `count - 1`.

    Args:
        count: number of scenes.
        shares: of the families, at least 0, in any unit; at least one is above 0.
        val_every: see `split_of`.
    """
    streams = {split: _families(shares) for split in (TRAIN, VAL)}
    before: Counter[tuple[str, str]] = Counter()
    found = []
    for split in (split_of(index, val_every) for index in range(count)):
        family = next(streams[split])
        found.append(Place(split, family, before[split, family]))
        before[split, family] += 1
    return found


def _families(shares: Mapping[str, float]) -> Iterator[str]:
    """Families without end.

    The k-th scene of a family with share s (of 1) may come after floor((k - 1) / s) scenes and is due by ceil(k / s).
    Taking what is due first, of what may come, keeps every family less than one scene from its share at all times:
    for jobs of equal length earliest deadline first meets all deadlines if they can be met, and they can.
    """
    exact = {name: Fraction(str(share)) for name, share in shares.items() if share > 0}
    unit = math.lcm(*(share.denominator for share in exact.values()))
    weights = {name: int(share * unit) for name, share in exact.items()}
    whole = sum(weights.values())
    had = dict.fromkeys(weights, 0)
    position = 0
    while True:
        may_come = [name for name, weight in weights.items() if had[name] * whole < weight * (position + 1)]
        # Among equals, the one that lacks most.
        chosen = min(
            may_come,
            key=lambda name: (
                -(-(had[name] + 1) * whole // weights[name]),
                had[name] * whole - weights[name] * position,
            ),
        )
        had[chosen] += 1
        position += 1
        yield chosen
