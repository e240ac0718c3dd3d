"""metrics.jsonl: one JSON object a line, appended as training goes; always written, whatever the tracker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from void.errors import InputError
from void.files import append_text, check_replaceable, write_text
from void.text import read_text

METRICS = "metrics.jsonl"


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The records of a run, in order. A last line that a killed process left unfinished is not a record.

    Raises:
        InputError: a line is not a JSON object.
    """
    path = folder / METRICS
    if not path.is_file():
        return []
    complete = read_text(path).rpartition("\n")[0]
    return [_record(path, number, line) for number, line in enumerate(complete.split("\n"), start=1) if line]


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
        write_text(self.path, "".join(_line(record) for record in self.kept), earlier=_is_earlier)

    def append(self, record: dict[str, Any]) -> None:
        """Add one record. NaN is refused."""
        append_text(self.path, _line(record), earlier=_is_earlier)


def check_metrics(folder: Path) -> None:
    """Raise unless a run may write its records into `folder`.

    Raises:
        InputError: a metrics.jsonl is there that no run wrote, or that was changed since.
    """
    check_replaceable(folder / METRICS, earlier=_is_earlier)


def _is_earlier(path: Path) -> bool:
    """Whether a file that no ledger lists holds exactly what a run writes, but for half a line at its end."""
    try:
        records = read_metrics(path.parent)
        written = "".join(map(_line, records))
        return bool(records) and path.read_text(encoding="utf-8").rpartition("\n")[0] == written.removesuffix("\n")
    except (InputError, ValueError):
        return False


def _record(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {number} is not valid JSON ({error})", "move the file away") from error
    if not isinstance(record, dict):
        raise InputError(f"{path}, line {number} holds a {type(record).__name__}, not a record", "move the file away")
    return record


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, allow_nan=False) + "\n"
