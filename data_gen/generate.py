"""A data set: which pairs are missing, making them, and the manifest of those that exist."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console

from data_gen.config import AssetsConfig, ExecutorConfig, SceneConfig
from data_gen.rigid.assets import build_pack, check_kinds
from data_gen.rigid.produce import SOURCE, pair_id
from data_gen.rigid.sample import check_config
from data_gen.runner import Command, Failure, check_executor, run_jobs, worker_command
from data_gen.worker import Job
from void.errors import InputError
from void.files import read_json, remove_partials, write_json
from void.pairs import METADATA, pair_row, write_manifest
from void.shapes import check_frames, check_size

PAIRS = "pairs"
RECIPE = "generation.json"
SUMMARY = "summary.json"
SCHEMA = 1
# May differ from one run to the next in one folder.
EXTENSIBLE = ("count",)
# Keys that came later, with the value that pairs without them were made by.
ADDED = {"scene.flow": False}


def generate(
    root: Path,
    scene: SceneConfig,
    assets: AssetsConfig,
    executor: ExecutorConfig,
    seed: int,
    *,
    command: Command = worker_command,
    console: Console | None = None,
) -> list[Failure]:
    """Make the pairs that `root` lacks, and its manifest.

    Writes `pairs/ID/`, `manifest.jsonl`, `generation.json` (the recipe), `summary.json` (counts, reasons of rejected
    draws, failed scenes) and `logs/` of failed scenes.

    Args:
        root: of the data set.
        scene, assets, executor: see their classes.
        seed: of the data set.
        command: starts a worker, see `run_jobs`.
        console: for messages and progress.

    Returns:
        Scenes that failed, within the failure budget.

    Raises:
        InputError: bad configuration; `root` holds pairs of another recipe; too many failures; the disk is full.
    """
    console = console or Console(stderr=True)
    check_config(scene)
    check_frames(scene.frames, "scene.frames")
    check_size(scene.height, scene.width, "scene")
    check_executor(executor)
    check_kinds(assets)
    pairs = root / PAIRS
    _claim(root, _recipe(scene, assets, seed))
    _refuse_fewer(pairs, scene.count)
    remove_partials(root)
    remove_partials(pairs)
    wanted = {pair_id(index): index for index in range(scene.count)}
    missing = {name: index for name, index in wanted.items() if not (pairs / name / METADATA).is_file()}
    failures: list[Failure] = []
    try:
        if missing:
            manifest = build_pack(assets)
            described = OmegaConf.to_container(OmegaConf.structured(scene))
            assert isinstance(described, dict)
            jobs = {
                name: Job(
                    {str(k): v for k, v in described.items()},
                    list(assets.kinds),
                    str(manifest),
                    seed,
                    index,
                    str(pairs / name),
                )
                for name, index in missing.items()
            }
            run_jobs(
                jobs,
                executor,
                total=len(wanted),
                logs=root / "logs",
                report=failures.append,
                command=command,
                console=console,
            )
    finally:
        finished = {name: index for name, index in wanted.items() if (pairs / name / METADATA).is_file()}
        _publish(root, finished, scene.val_every, failures)
    made = len(finished) - (len(wanted) - len(missing))
    console.print(
        f"{len(finished)} of {len(wanted)} pairs in {root} ({made} new, {len(failures)} failed)", highlight=False
    )
    return failures


def split_of(index: int, val_every: int) -> str:
    """The split of a scene."""
    return "val" if index % val_every == val_every - 1 else "train"


def _recipe(scene: SceneConfig, assets: AssetsConfig, seed: int) -> dict[str, Any]:
    described = OmegaConf.to_container(OmegaConf.structured(scene))
    assert isinstance(described, dict)
    kept = {key: value for key, value in described.items() if key not in EXTENSIBLE}
    return {"schema": SCHEMA, "seed": seed, "scene": kept, "assets": {"kinds": list(assets.kinds)}}


def _refuse_fewer(pairs: Path, count: int) -> None:
    """A smaller count would take pairs out of the manifest that other stages have used already."""
    made = [path.parent.name for path in sorted(pairs.glob(f"{SOURCE}-*/{METADATA}"))]
    wanted = {pair_id(index) for index in range(count)}
    beyond = [name for name in made if name not in wanted]
    if beyond:
        raise InputError(
            f"scene.count = {count}, but {pairs} holds {len(made)} pairs, up to {beyond[-1]}",
            f"use scene.count={int(beyond[-1].rsplit('-', 1)[1]) + 1} or more, or another folder (data.root=PATH)",
        )


def _claim(root: Path, recipe: dict[str, Any]) -> None:
    """Write the recipe, or compare it with the one under which the pairs in `root` were made."""
    path = root / RECIPE
    remedy = "choose another folder (data.root=PATH or name=NAME), or delete that one"
    if not any((root / PAIRS).glob(f"*/{METADATA}")):
        path.unlink(missing_ok=True)
    if not path.is_file():
        if any((root / PAIRS).glob("*/")):
            raise InputError(
                f"{root / PAIRS} holds pairs but {path} is missing: nobody knows how they were made", remedy
            )
        write_json(path, recipe)
        return
    before, now = ADDED | _flat(read_json(path)), _flat(recipe)
    different = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    if different:
        shown = ", ".join(f"{key} (there {before.get(key)}, now {now.get(key)})" for key in different)
        raise InputError(f"{root} holds pairs made with another configuration: {shown}", remedy)


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return flat


def _publish(root: Path, finished: dict[str, int], val_every: int, failures: list[Failure]) -> None:
    """Manifest and summary, from the finished pairs alone."""
    rejected: Counter[str] = Counter()
    for name in finished:
        rejected.update(read_json(root / PAIRS / name / METADATA).get("rejected", {}))
    if finished:
        rows = [
            pair_row(root, root / PAIRS / name, split=split_of(index, val_every)) for name, index in finished.items()
        ]
        write_manifest(root, rows)
    summary = {
        "pairs": len(finished),
        "rejected_draws": dict(rejected),
        "failures": [asdict(failure) for failure in failures],
    }
    write_json(root / SUMMARY, summary)
