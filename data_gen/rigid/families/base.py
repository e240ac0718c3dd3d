"""What a family's sampler is given, and what it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from data_gen.assets.library import Shape
from data_gen.scene.camera import CameraSpec
from data_gen.scene.spec import ObjectSpec
from data_gen.seeds import Streams


class NoRoomError(Exception):
    """The drawn objects do not fit without touching one another."""


@dataclass(frozen=True)
class Draw:
    """What a sampler draws from."""

    shapes: Mapping[str, Shape]
    """Of the split of the scene, by id."""
    streams: Streams
    """An independent generator for each part of the scene, by name."""
    camera: CameraSpec
    """At the first frame."""
    seconds: float
    """Length of the clip."""


@dataclass(frozen=True)
class Family:
    """A kind of scene.

    Args:
        sample: draws the objects from a family's configuration; raises NoRoomError.
        changes: whether the counterfactual must differ in what moves (else it must not).
        steady: whether targets must stay where they are in the full world.
    """

    sample: Callable[[Any, Draw], tuple[ObjectSpec, ...]]
    changes: bool = True
    steady: bool = False
