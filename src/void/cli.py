"""`void COMMAND [key=value ...]`: every command is a Hydra app over the same typed configuration."""

from __future__ import annotations

import difflib
import logging
import os
import sys
from importlib.metadata import EntryPoint, entry_points, version

import hydra
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape

from void.command import Command
from void.composition import HYDRA_VERSION_BASE, compose_job, conf_dir, expand_home, to_typed, without_hydra
from void.config import VoidConfig, register
from void.errors import InputError
from void.full_disk import explain_full_disk, is_disk_full
from void.overrides import MULTIRUN, readable, split
from void.scratch import temporary_files_in_scratch
from void.sweep import job_config, sweep_jobs
from void.teaching import teach

COMMAND_ORDER = ("generate", "cache", "train", "infer", "eval", "doctor")
USAGE_STATUS = 2
INTERRUPT_STATUS = 130

log = logging.getLogger(__name__)


def commands() -> dict[str, Command]:
    """Every installed command by name: the data flow's in its order, then the others."""
    return {name: entry.load() for name, entry in _entries().items()}


def _entries() -> dict[str, EntryPoint]:
    found = {entry.name: entry for entry in entry_points(group="void.commands")}
    names = [name for name in COMMAND_ORDER if name in found] + sorted(set(found) - set(COMMAND_ORDER))
    return {name: found[name] for name in names}


def main(name: str | None = None) -> None:
    """Entry point of `void`, and, with a command's name, of the scripts train.py and eval.py."""
    arguments = sys.argv[1:]
    if name is None:
        if not arguments or arguments[0] in ("-h", "--help"):
            _list_commands()
            return
        if arguments[0] == "--version":
            sys.stdout.write(f"void {version('void')}\n")
            return
        name, *arguments = arguments
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    # A log file on a full disk must not print a traceback for each line.
    logging.raiseExceptions = False
    try:
        _dispatch(name, arguments)
    except InputError as error:
        errors.print(f"[bold red]error:[/] {escape(error.problem)}\n[bold]->[/] {escape(error.remedy)}")
        sys.exit(USAGE_STATUS)
    except Exception as error:  # Each library reports a full disk by an error of its own.
        if not is_disk_full(error):
            raise
        full = explain_full_disk(error)
        errors.print(f"[bold red]error:[/] {escape(full.problem)}\n[bold]->[/] {escape(full.remedy)}")
        sys.exit(USAGE_STATUS)
    except KeyboardInterrupt:
        errors.print("interrupted; the same command continues where it stopped")
        sys.exit(INTERRUPT_STATUS)


def _dispatch(name: str, arguments: list[str]) -> None:
    available = _entries()
    if name not in available:
        near = difflib.get_close_matches(name, available, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"unknown command: {name}", f"{meant}commands are: {', '.join(available)}")
    command: Command = available[name].load()
    typed, flags = split(arguments, command.groups)
    is_sweep = any(flag in MULTIRUN for flag in flags) or "hydra.mode=MULTIRUN" in typed
    overrides = [readable(override, sweeps=is_sweep) for override in typed]
    if "-h" in flags or "--help" in flags:
        teach(command, overrides)
    elif is_sweep:
        _run_sweep(command, overrides, flags)
    elif flags:
        compose_job(overrides, command.name)
        _run_hydra(command, overrides + flags, [], [])
    else:
        _run(command, overrides)


def _checked(command: Command, config: DictConfig) -> VoidConfig:
    typed = to_typed(config)
    if command.check is not None:
        command.check(typed)
    return typed


def _run(command: Command, overrides: list[str]) -> None:
    """Run one job. What needs no file is refused before anything is written or a heavy library is imported."""
    config = compose_job(overrides, command.name)
    typed = _checked(command, without_hydra(config))
    config.hydra.mode = RunMode.RUN
    if command.only_asks:
        HydraConfig.instance().set_config(config)
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
        command.run(typed)
        return
    GlobalHydra.instance().clear()
    initialize_config_dir(str(conf_dir()), job_name=command.name, version_base=HYDRA_VERSION_BASE)
    loader = GlobalHydra.instance().config_loader()
    context = HydraContext(config_loader=loader, callbacks=Callbacks(config))
    failures: list[Exception] = []

    def job(_: DictConfig) -> None:
        try:
            with temporary_files_in_scratch(command.name):
                command.run(typed)
        # Carried past Hydra, which would print a line of its own before the error.
        except Exception as error:
            failures.append(error)

    run_job(job, config, job_dir_key="hydra.run.dir", job_subdir_key=None, hydra_context=context)
    if failures:
        raise failures[0]


def _run_sweep(command: Command, overrides: list[str], flags: list[str]) -> None:
    """Run the jobs of a sweep, each in a root of its own. One that fails does not stop the others.

    Raises:
        InputError: A job is refused at composition, before any job has run; or, after all have run, one of them failed.
    """
    swept, jobs = sweep_jobs(overrides)
    for job in jobs:
        _checked(command, without_hydra(compose_job(job, command.name)))
    failures: list[InputError] = []
    try:
        _run_hydra(command, overrides + flags, swept, failures)
    except InputError as error:
        # Where the jobs ran in other processes, the launcher tells of the first failure alone.
        failed = f"{len(failures)} of {len(jobs)} jobs" if failures else "a job"
        raise InputError(
            f"{failed} of the sweep failed; the first: {error.problem}",
            f"{error.remedy}; the same command again skips the jobs that are finished",
        ) from error


def _run_hydra(command: Command, arguments: list[str], swept: list[str], failures: list[InputError]) -> None:
    """Leave the run to Hydra; a sweep's failures in this process are added to `failures`, and the first is raised."""

    @hydra.main(config_path=str(conf_dir()), config_name="config", version_base=HYDRA_VERSION_BASE)
    def app(config: DictConfig) -> None:
        job = HydraConfig.get()
        is_sweep = job.mode == RunMode.MULTIRUN
        expand_home(config)
        if is_sweep:
            config = job_config(config, swept, list(job.overrides.task), command.writes(to_typed(config)))
            log.info("job %s: %s", job.job.num, config.root)
        try:
            with temporary_files_in_scratch(command.name):
                command.run(_checked(command, config))
        except InputError as error:
            failures.append(error)
            if is_sweep:
                log.error("job %s failed: %s\n-> %s", job.job.num, error.problem, error.remedy)
                raise

    register()
    GlobalHydra.instance().clear()
    sys.argv = [f"void {command.name}", f"hydra.job.name={command.name}", *arguments]
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    app()
    if failures:
        raise failures[0]


def _list_commands() -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print("[bold]void[/] COMMAND \\[key=value ...]    remove an object from a video, and what it caused\n")
    available = commands()
    width = max(map(len, available))
    for name, command in available.items():
        console.print(f"  [bold]{name:{width}}[/]  {command.summary}")
    console.print(
        "\n`void COMMAND --help` teaches one. Whole runs are files in conf/experiment: void train experiment=demo"
    )


if __name__ == "__main__":
    main()
