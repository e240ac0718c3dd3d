"""What a module of shapes is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from data_gen.assets.solids import Solid


@dataclass(frozen=True)
class Recipe:
    """One mesh of the embedded pack."""

    name: str
    """The word for it in captions."""
    tags: tuple[str, ...]
    build: Callable[[], Solid]
    """Makes it in its natural size, in centimetres, standing as it should stand."""


def variants(name: str, *builders: Callable[[], Solid], tags: Iterable[str] = ()) -> dict[str, Recipe]:
    """Free-standing objects of one name by id: `name`, or `name_1`, `name_2`, ... where there are several."""
    stem = name.replace(" ", "_")
    ids = [stem] if len(builders) == 1 else [f"{stem}_{i}" for i in range(1, len(builders) + 1)]
    return {key: Recipe(name, ("object", *tags), build) for key, build in zip(ids, builders, strict=True)}
