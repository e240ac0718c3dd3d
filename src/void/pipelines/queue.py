"""What one process of `void infer` has to sample, and what is wrong with the rest.

A pair or clip that is broken does not stop the others: its fault is kept, and told when they are done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from void.config import VoidConfig
from void.errors import InputError
from void.manifest import read_manifest, select
from void.pipelines.sources import ClipSource, PairSource, Source

log = logging.getLogger(__name__)

ALL_SPLITS = "all"
CONTINUE = "mend what is named and run the same command again: it keeps what is done"


@dataclass
class Faults:
    """What is wrong with single pairs or clips, by id."""

    errors: dict[str, InputError] = field(default_factory=dict)

    def add(self, source_id: str, error: InputError) -> None:
        """Keep a fault, and log it where others go on."""
        log.warning("%s is left out: %s", source_id, error.problem)
        self.errors[source_id] = error

    def raise_any(self, total: int) -> None:
        """Raise one InputError that tells all faults, if there are any, of `total` pairs or clips."""
        if not self.errors:
            return
        if total == 1:
            raise next(iter(self.errors.values()))
        remedies = {error.remedy for error in self.errors.values()}
        shared = remedies.pop() if len(remedies) == 1 else None
        lines = [
            f"  {name}: {error.problem}" + ("" if shared else f"; {error.remedy}")
            for name, error in self.errors.items()
        ]
        raise InputError(
            "\n".join([f"{len(lines)} of {total} could not be sampled:", *lines]),
            f"{shared}; then run the same command again: it keeps what is done" if shared else CONTINUE,
        )


@dataclass(frozen=True)
class Queue:
    """The pairs or clips of this process.

    Args:
        sources: Those that can be read, in order; `infer.limit` may leave out the last ones.
        wanted: Those of them that are to be sampled.
        total: Number of pairs and clips that are asked for, the broken ones included.
        faults: What is wrong with the broken ones.
    """

    sources: Sequence[Source]
    wanted: Sequence[Source]
    total: int
    faults: Faults


def find_queue(config: VoidConfig) -> Queue:
    """The pairs of `infer.split` or the clips of `infer.input`, those of this shard, each checked.

    Raises:
        InputError: There is nothing to sample, or nothing that can be.
    """
    shard = slice(config.infer.shard, None, config.infer.num_shards)
    entries = _pairs(config)[shard] if config.infer.input is None else _clips(Path(config.infer.input))[shard]
    total = len(entries[: config.infer.limit])
    faults = Faults()
    sources: list[Source] = []
    wanted: list[Source] = []
    for number, (source_id, read) in enumerate(entries):
        try:
            source = read()
            if number < total:
                source.check(config)
        except InputError as error:
            if number < total:
                faults.add(source_id, error)
            continue
        sources.append(source)
        if number < total:
            wanted.append(source)
    if not wanted:
        faults.raise_any(total)
    return Queue(sources, wanted, total, faults)


Entry = tuple[str, Callable[[], Source]]


def _pairs(config: VoidConfig) -> list[Entry]:
    rows = read_manifest(Path(config.data.root))
    chosen = rows if config.infer.split == ALL_SPLITS else select(rows, config.infer.split)
    return [(row.id, lambda row=row: PairSource(row)) for row in chosen]  # type: ignore[misc]


def _clips(folder: Path) -> list[Entry]:
    # Imported here because pairs need no library of images and videos to be found.
    from void.pipelines.clip_folders import find_clip_folders

    # A path such as `.` has no name of its own.
    return [(item.resolve().name, lambda item=item: _clip(item)) for item in find_clip_folders(folder)]  # type: ignore[misc]


def _clip(folder: Path) -> Source:
    from void.pipelines.clip_folders import read_clip_folder

    files = read_clip_folder(folder)
    masks = ", ".join(mask.name for mask in files.masks)
    log.info("clip %s: mask %s, read as %s", files.id, masks, files.mask_kind.value)
    return ClipSource(files)
