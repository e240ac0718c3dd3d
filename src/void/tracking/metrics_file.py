"""metrics.jsonl: one JSON object a line, appended as training goes; always written, whatever the tracker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from void.files import write_text

METRICS = "metrics.jsonl"


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The records of a run, in order. A last line that a killed process left unfinished is not a record."""
    path = folder / METRICS
    if not path.is_file():
        return []
    complete = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in complete.splitlines()]


class MetricsFile:
    """Appends records; each is on its way to the disk when `append` returns.

    Args:
        folder: Folder of the training run.
        keep: Predicate that is true for the records already there that belong to the run; the others are removed.
    """

    def __init__(self, folder: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
        self.kept = [record for record in read_metrics(folder) if keep(record)]
        """Records of earlier parts of the run."""
        self.path = folder / METRICS
        write_text(self.path, "".join(_line(record) for record in self.kept))

    def append(self, record: dict[str, Any]) -> None:
        """Add one record. NaN is refused."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(record))


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, allow_nan=False) + "\n"
