"""All families by name."""

from __future__ import annotations

from data_gen.rigid.families import ball, barrier, chain, falling, flying, no_effect, support, variable
from data_gen.rigid.families.base import Family

FAMILIES: dict[str, Family] = {
    "variable": Family(variable.sample),
    "falling": Family(falling.sample),
    "flying": Family(flying.sample),
    "ball": Family(ball.sample),
    "chain": Family(chain.sample),
    "support": Family(support.sample, steady=True),
    "barrier": Family(barrier.sample),
    "no_effect": Family(no_effect.sample, changes=False),
}
"""By name, as in `FamiliesConfig`."""
