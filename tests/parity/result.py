"""One comparison with a recorded output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One comparison.

    Args:
        name: what was compared.
        difference: the largest absolute one; infinite where shapes differ.
        tolerance: the largest that passes.
    """

    name: str
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """False for NaN as well."""
        return self.difference <= self.tolerance
