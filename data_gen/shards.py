"""Several commands that fill one data folder at the same time, each with its own scenes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from void.errors import InputError
from void.lock import sole_writer

SHARDS = ".shards"


@dataclass(frozen=True)
class Shard:
    """The scenes with index % count == index of the shard."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From I/N. Raises InputError for anything else."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if shard.index >= shard.count:
            raise InputError(
                f"executor.shard = {text}", "use I/N with I from 0 to N - 1, such as 0/4, 1/4, 2/4 and 3/4"
            )
        return shard

    def has(self, scene: int) -> bool:
        """Whether a scene is of this shard."""
        return scene % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}-of-{self.count}"


@contextlib.contextmanager
def occupied(root: Path, shard: Shard) -> Iterator[bool]:
    """Hold a shard of a data folder while the context lasts; yields whether no other shard is held.

    Enter it under the lock of `root`, so that commands that start together look at one another in turn.

    Raises:
        InputError: another command makes this shard, or shards of another number.
    """
    with sole_writer(root / SHARDS / str(shard)):
        others = [path.name for path in sorted((root / SHARDS).iterdir()) if path.name != str(shard) and _held(path)]
        clashing = [name for name in others if not name.endswith(f"-of-{shard.count}")]
        if clashing:
            raise InputError(
                f"another command makes shard {clashing[0]} in {root}, this one would make {shard}",
                "give all commands that fill one folder the same number of shards (executor.shard=I/N)",
            )
        yield not others


def _held(folder: Path) -> bool:
    try:
        with sole_writer(folder):
            return False
    except InputError:
        return True
