"""What a data folder holds and what it cost: `summary.json`, `timings.jsonl`, and the table that is printed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.table import Table

from data_gen.executors.driver import Failure
from data_gen.quota import TRAIN, VAL, Place
from void.files import append_text, read_json
from void.text import read_text

SUMMARY = "summary.json"
TIMINGS = "timings.jsonl"
Seconds = dict[str, float]
"""By stage; `total` is the whole worker process."""


def add_timing(root: Path, pair_id: str, seconds: Seconds) -> None:
    """Note what a pair cost. Call under the lock of `root`.

    Raises:
        InputError: the disk is full, or a file of that name is there that no command wrote.
    """
    line = json.dumps({"id": pair_id, "seconds": {stage: round(value, 3) for stage, value in seconds.items()}})
    append_text(root / TIMINGS, line + "\n", earlier=is_earlier_timings)


def is_earlier_timings(path: Path) -> bool:
    """Whether a file that no ledger lists holds lines that `add_timing` writes, and half a line at most."""
    try:
        lines = path.read_text(encoding="utf-8").rpartition("\n")[0].split("\n")
        notes = [json.loads(line) for line in lines]
        return all(set(note) == {"id", "seconds"} for note in notes) and list(map(json.dumps, notes)) == lines
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def read_timings(root: Path) -> dict[str, Seconds]:
    """Seconds by pair id; of a pair that was made twice, the last ones. Broken lines are skipped."""
    path = root / TIMINGS
    timings: dict[str, Seconds] = {}
    for line in read_text(path).split("\n") if path.is_file() else []:
        try:
            note = json.loads(line)
            timings[str(note["id"])] = dict(note["seconds"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return timings


def past_failures(root: Path) -> list[Failure]:
    """The failures of the last summary."""
    path = root / SUMMARY
    return [Failure(**failure) for failure in read_json(path)["failures"]] if path.is_file() else []


def summarise(
    places: Mapping[str, Place],
    rejected: Mapping[str, Mapping[str, int]],
    failures: Sequence[Failure],
    timings: Mapping[str, Seconds],
    unusable: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The contents of `summary.json`.

    Args:
        places: of all scenes of the data set, by pair id.
        rejected: of each finished pair: draws before it, by reason.
        failures: scenes that gave no pair.
        timings: see `read_timings`.
        unusable: of each finished pair: what its draws found to be unusable, and why.
    """
    families = sorted({place.family for place in places.values()}, key=[p.family for p in places.values()].index)
    seconds = {pair_id: timings[pair_id] for pair_id in rejected if pair_id in timings}
    return {
        "wanted": len(places),
        "pairs": len(rejected),
        "families": {
            family: _of_family({i: place for i, place in places.items() if place.family == family}, rejected, failures)
            | {"seconds_per_pair": mean_seconds([s for i, s in seconds.items() if places[i].family == family])}
            for family in families
        },
        "rejected_draws": _added([*rejected.values(), *(failure.rejected for failure in failures)]),
        "seconds_per_pair": mean_seconds(list(seconds.values())),
        "failures": [asdict(failure) for failure in failures],
        "unusable": _joined([*unusable, *(failure.unusable for failure in failures)]),
    }


def _of_family(
    places: Mapping[str, Place], rejected: Mapping[str, Mapping[str, int]], failures: Sequence[Failure]
) -> dict[str, Any]:
    finished = [pair_id for pair_id in places if pair_id in rejected]
    failed = [failure for failure in failures if failure.id in places]
    return {
        "wanted": len(places),
        "made": {split: sum(places[pair_id].split == split for pair_id in finished) for split in (TRAIN, VAL)},
        "failed": len(failed),
        "rejected_draws": _added([*(rejected[i] for i in finished), *(failure.rejected for failure in failed)]),
    }


def _added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    added: Counter[str] = Counter()
    for count in counts:
        added.update(count)
    return dict(added.most_common())


def _joined(tables: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return dict(sorted(item for table in tables for item in table.items()))


def mean_seconds(seconds: Sequence[Seconds]) -> Seconds:
    """Mean of each stage over the pairs; a stage that a pair lacks took it 0."""
    stages = dict.fromkeys(stage for one in seconds for stage in one)
    return {stage: round(fmean(one.get(stage, 0.0) for one in seconds), 3) for stage in stages}


def summary_table(summary: Mapping[str, Any]) -> Table:
    """A row for each family and one for all."""
    table = Table(box=None, pad_edge=False)
    table.add_column("family", no_wrap=True)
    for title in ("wanted", "made", "failed", "s/pair"):
        table.add_column(title, justify="right")
    table.add_column("draws rejected", overflow="fold")
    everything = {
        "wanted": summary["wanted"],
        "made": {"all": summary["pairs"]},
        "failed": len(summary["failures"]),
        "rejected_draws": summary["rejected_draws"],
        "seconds_per_pair": summary["seconds_per_pair"],
    }
    for name, row in [*summary["families"].items(), ("all", everything)]:
        cost = row["seconds_per_pair"].get("total")
        reasons = ", ".join(f"{reason} {count}" for reason, count in row["rejected_draws"].items())
        table.add_row(
            name,
            str(row["wanted"]),
            str(sum(row["made"].values())),
            str(row["failed"] or ""),
            "" if cost is None else f"{cost:.1f}",
            reasons,
        )
    return table
