"""`void COMMAND [key=value ...]`: every command is a Hydra app over the same typed configuration."""

from __future__ import annotations

import difflib
import os
import sys
from importlib.metadata import entry_points, version

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape

from void.command import Command
from void.composition import HYDRA_VERSION_BASE, compose_raw, conf_dir, options, to_typed
from void.config import register
from void.errors import InputError
from void.full_disk import explain_full_disk, is_disk_full
from void.teaching import teach

COMMAND_ORDER = ("generate", "cache", "train", "infer", "eval", "doctor")
# Flags of Hydra that the next word belongs to.
VALUE_FLAGS = ("--cfg", "-c", "--package", "-p", "--info", "-i")
USAGE_STATUS = 2
INTERRUPT_STATUS = 130


def commands() -> dict[str, Command]:
    """Every installed command by name: the data flow's in its order, then the others."""
    loaded = {entry.name: entry.load() for entry in entry_points(group="void.commands")}
    names = [name for name in COMMAND_ORDER if name in loaded] + sorted(set(loaded) - set(COMMAND_ORDER))
    return {name: loaded[name] for name in names}


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
    available = commands()
    if name not in available:
        near = difflib.get_close_matches(name, available, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"unknown command: {name}", f"{meant}commands are: {', '.join(available)}")
    command = available[name]
    arguments = [_expand_path_shorthand(argument) for argument in arguments]
    overrides, flags = _split(arguments)
    if "-h" in flags or "--help" in flags:
        teach(command, overrides)
        return
    if "--multirun" not in flags and "-m" not in flags:
        to_typed(compose_raw(overrides))
    _run_hydra(command, overrides + flags)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Overrides, and Hydra's flags with their values, in whatever order they were typed."""
    overrides: list[str] = []
    flags: list[str] = []
    for argument in arguments:
        if argument.startswith("--") and "=" in argument:
            raise InputError(f"unknown flag: {argument}", f"write {argument.lstrip('-')}, without dashes")
        is_value = bool(flags) and flags[-1] in VALUE_FLAGS
        (flags if argument.startswith("-") or is_value else overrides).append(argument)
    return overrides, flags


def _expand_path_shorthand(override: str) -> str:
    """`data=PATH` means `data.root=PATH`, unless PATH is the name of a file in conf/data."""
    key, _, value = override.partition("=")
    return f"data.root={value}" if key == "data" and value and value not in options("data") else override


def _run_hydra(command: Command, arguments: list[str]) -> None:
    failures: list[InputError] = []

    @hydra.main(config_path=str(conf_dir()), config_name="config", version_base=HYDRA_VERSION_BASE)
    def app(config: DictConfig) -> None:
        try:
            command.run(to_typed(config))
        except InputError as error:
            # Carried past Hydra, which would print a trace of its own; a sweep's jobs, though, must be seen to fail.
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            failures.append(error)

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
