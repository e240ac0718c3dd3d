"""One line of what `void doctor` reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Args:
        name: Name of what was looked at.
        found: What is there.
        remedy: The command or value that mends it; None where all is well.
        optional: True for what may be missing.
    """

    name: str
    found: str
    remedy: str | None = None
    optional: bool = False
