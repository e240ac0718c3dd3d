"""Examples of draws that were not accepted: a few of each family and reason, made again as small videos."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_gen.assets.library import Library
from data_gen.gallery.entries import Entry
from data_gen.gallery.strips import STRIPS, Record
from data_gen.scene.accept import Reason
from void.files import write_json, write_text
from void.progress import progress_bar
from void.scratch import scratch_folder

EACH = 2
"""Examples of a family and a reason."""
UNDRAWABLE = (Reason.no_room.name, Reason.not_finite.name)
"""Reasons that leave no scene to show: they are only counted."""
LOG = "rejected.log"


@dataclass(frozen=True)
class Example:
    """A draw that was not accepted."""

    index: int
    attempt: int
    family: str
    split: str
    number: int
    """Of the scene, see `Place`."""
    reason: str
    seed: int
    height: int
    width: int
    """Of the picture."""

    @property
    def strip(self) -> str:
        """Where its video is, relative to the data folder."""
        return f"{STRIPS}/rejected/{self.index:06d}-{self.attempt:03d}.mp4"


@dataclass(frozen=True)
class Rejection:
    """All rejected draws of one family and reason."""

    family: str
    reason: str
    count: int
    examples: list[Example]

    @property
    def explanation(self) -> str:
        """The reason in words."""
        return Reason[self.reason].value if self.reason in Reason.__members__ else ""

    @property
    def undrawable(self) -> bool:
        """Whether there is no scene to show."""
        return self.reason in UNDRAWABLE


def rejections(entries: Sequence[Entry]) -> list[Rejection]:
    """Families and reasons by which draws were rejected, with the first draws of different scenes as examples."""
    counts: defaultdict[tuple[str, str], int] = defaultdict(int)
    examples: defaultdict[tuple[str, str], list[Example]] = defaultdict(list)
    for entry in entries:
        for reason, count in entry.rejected.items():
            counts[entry.family, reason] += count
        seen: set[str] = set()
        for attempt, reason in entry.rejected_draws:
            known = examples[entry.family, reason]
            if entry.spec is None or reason in seen or reason in UNDRAWABLE or len(known) == EACH:
                continue
            seen.add(reason)
            size = (entry.row.height, entry.row.width)
            place = (entry.family, entry.row.split, entry.number)
            known.append(Example(entry.spec.index, attempt, *place, reason, entry.spec.seed, *size))
    return [Rejection(*key, count, examples[key]) for key, count in sorted(counts.items())]


def draw_again(
    root: Path, recipe: Mapping[str, Any], library: Library, examples: Sequence[Example], record: Record
) -> None:
    """Write the videos of examples that are missing, in a process of its own; what can't be drawn again is left out.

    Args:
        root: of the data set.
        recipe: its generation.json.
        library: the assets of both splits.
        examples: draws to show.
        record: of finished strips.
    """
    source = [recipe, library.version]
    missing = [example for example in examples if not record.has(example.strip, source)]
    if not missing:
        return
    described = {
        "root": str(root.resolve()),
        "scene": recipe["scene"],
        "library": library.to_dict(),
        "examples": [asdict(example) for example in missing],
    }
    with scratch_folder("rejected") as scratch:
        job, log = scratch / "job.json", scratch / "log"
        write_json(job, described)
        _run(job, log, missing, source, record)
        write_text(root / STRIPS / LOG, log.read_text(encoding="utf-8", errors="replace"))
    record.save()


def _run(job: Path, log_file: Path, missing: Sequence[Example], source: object, record: Record) -> None:
    """Draw the examples of a job in a process of its own, whose complaints go to `log_file`."""
    command = [sys.executable, "-m", "data_gen.gallery.redraw", str(job)]
    with (
        log_file.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as worker,
        progress_bar("rejected draws", total=len(missing)) as advance,
    ):
        assert worker.stdout
        # One line a draw: its number.
        for line in worker.stdout:
            if line.startswith("drawn "):
                example = missing[int(line.split()[1])]
                record.add(example.strip, source)
                advance()
