"""A data set: which pairs are missing, and making them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from data_gen.assets.library import Library, open_library
from data_gen.check import check_config, check_skies, has_humans
from data_gen.config import AssetsConfig, ExecutorConfig, SceneConfig
from data_gen.executors.base import open_executor
from data_gen.executors.driver import Failure, Policy, run_jobs
from data_gen.executors.process import Command
from data_gen.executors.view import View
from data_gen.folder import DataFolder
from data_gen.plain import as_dict
from data_gen.recipe import claim, recipe
from data_gen.shards import Shard, occupied
from data_gen.summary import summary_table
from data_gen.worker import Job, worker_command
from void.limits import recheck
from void.lock import sole_writer
from void.progress import print_whole


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

    Writes `pairs/ID/`, `manifest.jsonl`, `generation.json` (the recipe), `summary.json` (counts by family, reasons of
    rejected draws, failed scenes, seconds), `timings.jsonl` (seconds of each pair) and `logs/` of failed scenes.

    Args:
        root: of the data set.
        scene, assets, executor: see their classes.
        seed: of the data set.
        command: starts a worker process.
        console: for messages and progress.

    Returns:
        Scenes that failed now, within the failure budget.

    Raises:
        InputError: bad configuration; `root` holds pairs of another recipe, or another command makes the same ones; too
            many failures, or a family of which every draw is rejected; no Ray cluster; the disk is full.
    """
    console = console or Console(stderr=True)
    shard = Shard.parse(executor.shard)
    recheck(executor, "executor")
    library = checked_library(scene, assets)
    folder = DataFolder(root.resolve(), scene)
    with ExitStack() as held:
        with sole_writer(folder.root, wait=True):
            alone = held.enter_context(occupied(folder.root, shard))
            wanted = recipe(scene, library.describe(), seed, checked_motions(scene, library))
            claim(folder.root, wanted, pairs=folder.pairs, may_replace=alone)
            folder.refuse_fewer()
            folder.tidy(shard)
            mine = [name for name, index in folder.indices.items() if shard.has(index)]
            missing = [name for name in mine if not folder.is_made(name)]
            folder.refuse_foreign(missing)
        failures: list[Failure] = []
        try:
            if missing:
                jobs = _jobs(folder, missing, scene, library, seed)
                _make(jobs, mine, folder, scene, assets, executor, failures, command=command, console=console)
        finally:
            summary = folder.publish(failures, tried=set(missing))
            print_whole(console, summary_table(summary))
    made = sum(folder.is_made(name) for name in missing)
    console.print(
        f"{summary['pairs']} of {summary['wanted']} pairs in {folder.root} ({made} new, {len(failures)} failed)",
        highlight=False,
        soft_wrap=True,
    )
    for name, why in summary["unusable"].items():
        console.print(f"not usable: {name}: {why}", highlight=False, soft_wrap=True)
    if failures:
        console.print(
            f"executor.failure_budget={executor.failure_budget:g} lets {len(failures)} of {len(mine)} scenes fail; "
            "summary.json says why, and the same command tries them again",
            highlight=False,
            soft_wrap=True,
        )
    return failures


def checked_library(scene: SceneConfig, assets: AssetsConfig) -> Library:
    """The assets, built or fetched after a look at the configuration. Raises InputError."""
    check_config(scene)
    library = open_library(replace(assets, root=str(Path(assets.root).resolve())))
    check_skies(scene, library)
    return library


def checked_motions(scene: SceneConfig, library: Library) -> dict[str, object]:
    """Facts about the motions of family human, if the mix has it. Raises InputError: they cannot be read."""
    if not has_humans(scene):
        return {}
    from data_gen.human.check import check_motions

    return check_motions(scene.motion, scene.human, Path(library.config.root))


def _jobs(folder: DataFolder, names: list[str], scene: SceneConfig, library: Library, seed: int) -> dict[str, Job]:
    described, assets = as_dict(scene), library.to_dict()
    return {
        name: Job(
            scene=described,
            library=assets,
            seed=seed,
            index=folder.indices[name],
            family=folder.places[name].family,
            split=folder.places[name].split,
            number=folder.places[name].number,
            first_attempt=0,
            folder=str(folder.pairs / name),
        )
        for name in names
    }


def _make(
    jobs: Mapping[str, Job],
    mine: list[str],
    folder: DataFolder,
    scene: SceneConfig,
    assets: AssetsConfig,
    executor: ExecutorConfig,
    failures: list[Failure],
    *,
    command: Command,
    console: Console,
) -> None:
    """Make the pairs of the jobs, of all that this command is to have in the end (`mine`); adds to `failures`."""
    wanted = Counter(folder.places[name].family for name in mine)
    made = Counter(folder.places[name].family for name in mine if name not in jobs)
    policy = Policy(executor.retries, scene.max_attempts, int(executor.failure_budget * len(mine)), made)
    with (
        open_executor(executor, command, folders=[folder.root, Path(assets.root)]) as running,
        View(wanted, made, console) as view,
    ):
        run_jobs(
            jobs,
            running,
            policy,
            view,
            logs=folder.logs,
            on_made=folder.note_seconds,
            on_failure=failures.append,
        )
