"""`executor.dry_run=true`: all scenes of a data set drawn, simulated and judged, but none rendered."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from data_gen.config import AssetsConfig, ExecutorConfig, SceneConfig
from data_gen.dry_worker import Chunk, dry_command
from data_gen.executors.base import Executor, open_executor
from data_gen.executors.process import Answer, Command
from data_gen.executors.view import View
from data_gen.folder import DataFolder
from data_gen.generate import checked_library, checked_motions
from data_gen.plain import as_dict
from data_gen.shards import Shard
from data_gen.summary import mean_seconds, read_timings
from void.errors import InputError
from void.files import is_our_json, write_json
from void.limits import recheck
from void.progress import print_whole

REPORT = "dry_run.json"
CHUNK = 50
QUANTILES = (0, 10, 50, 90, 100)
COUNTED = ("objects", "removed")
"""Facts of which every value is counted; of the others, quantiles are told."""


def dry_run(
    root: Path,
    scene: SceneConfig,
    assets: AssetsConfig,
    executor: ExecutorConfig,
    seed: int,
    *,
    command: Command = dry_command,
    console: Console | None = None,
) -> dict[str, Any]:
    """Judge every scene that `generate` would make with the same arguments, and write `dry_run.json` in `root`.

    Args:
        root: of the data set; pairs in it are left alone.
        scene, assets, executor: see their classes. `executor.timeout` is for a chunk of 50 scenes.
        seed: of the data set.
        command: starts a worker process.
        console: for messages and progress.

    Returns:
        The report: `scenes`, `accepted`, `at_first_draw`, `draws`, `lost` (scenes whose worker gave no answer) and
        `failures` (why); `families`: the same by name, with reasons and facts; `seconds` of all workers together;
        `workers_mib`: peak memory of a worker after its first scene and at its end, and its growth, the largest each.

    Raises:
        InputError: bad configuration; more scenes lost than the failure budget allows; no cluster; the disk is full.
    """
    console = console or Console(stderr=True)
    shard = Shard.parse(executor.shard)
    recheck(executor, "executor")
    library = checked_library(scene, assets)
    checked_motions(scene, library)
    folder = DataFolder(root.resolve(), scene)
    places = [(index, folder.places[name]) for name, index in folder.indices.items() if shard.has(index)]
    described, packed = as_dict(scene), library.to_dict()
    chunks = deque(
        Chunk(described, packed, seed, [(index, *astuple(place)) for index, place in places[i : i + CHUNK]])
        for i in range(0, len(places), CHUNK)
    )
    folder.root.mkdir(parents=True, exist_ok=True)
    wanted = Counter(place.family for _, place in places)
    with (
        open_executor(executor, command, folders=[folder.root, Path(assets.root)]) as running,
        View(wanted, {}, console) as view,
    ):
        answers, failures = _answers(chunks, running, view)
    report = summarise_dry(wanted, answers, failures)
    write_json(folder.root / REPORT, report, earlier=is_our_json(*report))
    _print(report, folder.root, scene.count, executor.workers, console)
    if report["lost"] > executor.failure_budget * len(places):
        raise InputError(
            f"{report['lost']} of {len(places)} scenes were lost: {failures[0]}",
            f"see failures in {folder.root / REPORT}; if workers timed out, raise executor.timeout",
        )
    return report


def _answers(chunks: deque[Chunk], executor: Executor, view: View) -> tuple[list[dict[str, Any]], list[str]]:
    """What the workers tell, and why some of them do not."""
    running: dict[Future[Answer], Chunk] = {}
    answers, failures = [], []
    while chunks or running:
        while chunks and len(running) < executor.slots:
            chunk = chunks.popleft()
            running[executor.submit(asdict(chunk))] = chunk
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            chunk, answer = running.pop(future), future.result()
            if answer.error is not None:
                raise answer.error
            families = Counter(family for _, _, family, _ in chunk.scenes)
            if answer.value is None:
                failures.append(f"scenes {chunk.scenes[0][0]} to {chunk.scenes[-1][0]}: {answer.failure}")
                for family, count in families.items():
                    view.failed(family, count)
                continue
            if "error" in answer.value:
                raise InputError(*answer.value["error"])
            answers.append(answer.value)
            for family, count in families.items():
                view.made(family, count)
    return answers, failures


def summarise_dry(
    wanted: Mapping[str, int], answers: Sequence[Mapping[str, Any]], failures: Sequence[str]
) -> dict[str, Any]:
    """The report of `dry_run`.

    Args:
        wanted: scenes by family.
        answers: of the workers, see `data_gen.dry_worker.work`.
        failures: why workers gave no answer.
    """
    scenes = [scene for answer in answers for scene in answer["scenes"]]
    families = {family: _of_family([s for s in scenes if s["family"] == family]) for family in wanted}
    return {
        "scenes": sum(wanted.values()),
        "lost": sum(wanted.values()) - len(scenes),
        "failures": list(failures),
        **{key: sum(row[key] for row in families.values()) for key in ("accepted", "at_first_draw", "draws")},
        "families": {
            name: {"scenes": wanted[name], "lost": wanted[name] - row.pop("judged"), **row}
            for name, row in families.items()
        },
        "seconds": sum(answer["seconds"] for answer in answers),
        "workers_mib": _memory([answer["mib"] for answer in answers]),
    }


def _of_family(scenes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for scene in scenes:
        reasons.update(scene["reasons"])
    accepted = [scene for scene in scenes if scene["accepted"]]
    facts = sorted({fact for scene in accepted for fact in scene["facts"]})
    values = {fact: [s["facts"][fact] for s in accepted if fact in s["facts"]] for fact in facts}
    return {
        "judged": len(scenes),
        "accepted": len(accepted),
        "at_first_draw": sum(scene["attempts"] == 1 for scene in accepted),
        "draws": sum(scene["attempts"] for scene in scenes),
        "reasons": dict(reasons.most_common()),
        "unusable": {name: why for scene in scenes for name, why in scene["unusable"].items()},
        "counts": {fact: dict(sorted(Counter(values[fact]).items())) for fact in COUNTED if fact in values},
        "quantiles": {
            fact: dict(zip(map(str, QUANTILES), np.percentile(values[fact], QUANTILES).tolist(), strict=True))
            for fact in facts
            if fact not in COUNTED
        },
    }


def _memory(mib: Sequence[Sequence[float]]) -> dict[str, float]:
    if not mib:
        return {}
    first, last = zip(*mib, strict=True)
    return {
        "after_first_scene": max(first),
        "at_end": max(last),
        "growth": max(b - a for a, b in zip(first, last, strict=True)),
    }


def _print(report: Mapping[str, Any], root: Path, count: int, workers: int, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("family", no_wrap=True)
    for title in ("scenes", "accepted", "first draw", "draws each", "contacts", "m/s"):
        table.add_column(title, justify="right")
    table.add_column("rejected", overflow="fold")
    for name, row in report["families"].items():
        table.add_row(
            name,
            str(row["scenes"]),
            str(row["accepted"]),
            str(row["at_first_draw"]),
            f"{row['draws'] / max(row['scenes'] - row['lost'], 1):.1f}",
            _median(row, "contacts", ".0f"),
            _median(row, "max_speed", ".1f"),
            ", ".join(f"{reason} {number}" for reason, number in row["reasons"].items()),
        )
    print_whole(console, table)
    judged = report["scenes"] - report["lost"]
    each = report["seconds"] / max(judged, 1)
    timings = list(read_timings(root).values())
    lines = [
        f"{report['accepted']} of {report['scenes']} scenes accepted, {report['lost']} lost; {root / REPORT}",
        f"{each:.2f} s a scene and worker, memory of a worker at most {report['workers_mib'].get('at_end', 0):.0f} MiB",
    ]
    if timings:
        rendered = mean_seconds(timings)["total"]
        lines.append(
            f"pairs here took {rendered:.1f} s each: {count} of them take {workers} workers "
            f"{rendered * count / workers / 3600:.1f} hours"
        )
    else:
        lines.append("no pair is here yet: generate a few (scene.count) and a dry run will tell how long all take")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _median(row: Mapping[str, Any], fact: str, form: str) -> str:
    quantiles = row["quantiles"].get(fact)
    return "" if quantiles is None else format(quantiles["50"], form)
