"""Random numbers that depend on what they are for, never on what was drawn before."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def child_seed(*key: int | str) -> int:
    """A 63-bit seed that depends on every part of `key`: `child_seed(seed, "order", epoch)`."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(*key: int | str) -> torch.Generator:
    """A CPU generator seeded from `key`. Draw on the CPU and move: the same numbers come on every device."""
    # Imported here because torch takes seconds to load, and a seed alone needs none of it.
    import torch

    return torch.Generator().manual_seed(child_seed(*key))
