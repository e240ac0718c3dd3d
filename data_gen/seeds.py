"""Random generators by name, so that adding a draw to one part of a scene leaves all other parts as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
Streams = Callable[[str], Rng]
"""An independent generator for each part of a scene, by name."""


def generator(seed: int, scene: int, attempt: int, name: str) -> np.random.Generator:
    """An independent generator.

    Args:
        seed: of the data set, >= 0.
        scene: index of the scene.
        attempt: index of the draw for that scene.
        name: of the part, e.g. "camera".
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.default_rng(np.random.SeedSequence([seed, scene, attempt, key]))
