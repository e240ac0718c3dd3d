"""`void COMMAND [key=value ...]`: every command is a Hydra app over the same typed configuration."""

from __future__ import annotations

import difflib
import os
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from void.command import Command
from void.config import VoidConfig, register
from void.errors import InputError

USAGE_STATUS = 2


def conf_dir() -> Path:
    """The folder of configuration files: beside src/ in a checkout, inside the package in an installed wheel."""
    here = Path(__file__).resolve().parent
    checkout = here.parents[1] / "conf"
    return checkout if checkout.is_dir() else here / "conf"


def commands() -> dict[str, Command]:
    """Every installed command by name, in the order of the data flow."""
    order = ("generate", "cache", "train", "infer", "eval", "doctor")
    loaded = {entry.name: entry.load() for entry in entry_points(group="void.commands")}
    return dict(sorted(loaded.items(), key=lambda item: (order.index(item[0]) if item[0] in order else len(order), item[0])))


def compose_config(overrides: list[str]) -> VoidConfig:
    """Compose and validate a configuration without running anything.

    Raises:
        InputError: an unknown key (the nearest valid one is named), an ill-typed value or an unknown group option.
    """
    return to_typed(compose_raw(overrides))


def compose_raw(overrides: list[str]) -> DictConfig:
    """`compose_config`, before conversion to dataclasses: keys still hold their interpolations."""
    register()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            config = compose("config", overrides=overrides)
            OmegaConf.resolve(config.copy())
            return config
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(error, overrides) from error


def to_typed(config: DictConfig) -> VoidConfig:
    """Dataclass instances from a composed configuration, interpolations resolved."""
    typed = OmegaConf.to_object(config)
    assert isinstance(typed, VoidConfig)
    return typed


def valid_keys(config: DictConfig, prefix: str = "") -> list[str]:
    """Dotted names of every key below `config`."""
    keys: list[str] = []
    for key in config:
        name = f"{prefix}{key}"
        keys.append(name)
        node = config._get_node(key)
        if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
            keys += valid_keys(node, name + ".")
    return keys


def _nearest(word: str, candidates: list[str]) -> list[str]:
    by_last = {name: difflib.SequenceMatcher(None, word.split(".")[-1], name.split(".")[-1]).ratio() for name in candidates}
    whole = {name: difflib.SequenceMatcher(None, word, name).ratio() for name in candidates}
    ranked = sorted(candidates, key=lambda name: -(by_last[name] + whole[name]))
    return [name for name in ranked if max(by_last[name], whole[name]) > 0.6][:3]


def _explain(error: Exception, overrides: list[str]) -> InputError:
    """Turn Hydra's error into one that names the key and the nearest valid one."""
    causes = [str(error)] + ([str(error.__cause__)] if error.__cause__ else [])
    text = "\n".join(causes)
    override = re.search(r"Could not override '([^']+)'", text)
    key = override.group(1) if override else None
    if key is None and (named := re.search(r"full_key: (\S+)", text)):
        key = named.group(1)
    if key and "Key '" in text and ("not in" in text or "struct" in text):
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            near = _nearest(key, valid_keys(compose("config")))
        hint = f"did you mean {' or '.join(near)}?" if near else "`void COMMAND --help` lists the keys"
        return InputError(f"unknown configuration key: {key}", hint)
    option = re.search(r"Could not find '([^/']+)/([^']+)'", text)
    if option:
        group, name = option.groups()
        options = sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
        near = difflib.get_close_matches(name, options, 1)
        meant = f"did you mean {group}={near[0]}? " if near else ""
        return InputError(f"unknown option: {group}={name}", f"{meant}{group} can be {', '.join(options)}")
    if key:
        value = next((item.split("=", 1)[1] for item in overrides if item.lstrip("+").split("=")[0] == key), None)
        reason = next((line for line in text.splitlines() if "Value" in line or "Invalid" in line or "MISSING" in line), causes[0])
        shown = f"{key}={value}" if value is not None else key
        return InputError(f"bad value: {shown}: {reason.strip()}", "give a value of that type")
    return InputError(f"configuration: {causes[-1].strip()}", "check the override's spelling; `void COMMAND --help` lists the keys")


def _expand_path_shorthand(overrides: list[str]) -> list[str]:
    """`data=PATH` means `data.root=PATH` where PATH is not the name of a file in conf/data."""
    expanded = []
    for override in overrides:
        key, _, value = override.partition("=")
        is_path = key == "data" and value and not (conf_dir() / "data" / f"{value}.yaml").is_file()
        expanded.append(f"data.root={value}" if is_path else override)
    return expanded


def _list_commands(console: Console) -> None:
    console.print("[bold]void[/bold] COMMAND \\[key=value ...]   remove an object from a video, and what it caused\n")
    for name, command in commands().items():
        console.print(f"  [bold]{name:9}[/bold] {command.summary}")
    console.print("\nvoid COMMAND --help teaches one command. conf/experiment holds whole runs: void train experiment=demo")


def _command_help(console: Console, command: Command) -> None:
    console.print(f"[bold]void {command.name}[/bold] - {command.summary}\n\n{command.help.strip()}\n", highlight=False)
    config = compose_raw([])
    for group in command.groups:
        options = sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
        console.print(f"[bold]{group}[/bold]   {group}=NAME chooses one of: {', '.join(options)}", highlight=False)
        console.print(OmegaConf.to_yaml(config[group]).replace("\n", "\n  ").join(("  ", "")).rstrip() + "\n", highlight=False, markup=False)
    console.print("Any key is an override: GROUP.KEY=VALUE. --cfg job prints the whole configuration; --multirun sweeps.", highlight=False)


def main(name: str | None = None) -> None:
    """Entry point of `void`, and, with a command's name, of the scripts train.py and eval.py."""
    arguments = sys.argv[1:]
    console = Console(soft_wrap=True)
    if name is None:
        if not arguments or arguments[0] in ("-h", "--help"):
            _list_commands(console)
            return
        name, *arguments = arguments
    errors = Console(stderr=True, soft_wrap=True)
    try:
        _run(name, arguments, console)
    except InputError as error:
        errors.print(f"[bold red]error:[/bold red] {_escape(error.problem)}\n[bold]->[/bold] {_escape(error.remedy)}", highlight=False)
        sys.exit(USAGE_STATUS)
    except KeyboardInterrupt:
        errors.print("interrupted; the same command continues where it stopped")
        sys.exit(130)


def _escape(text: str) -> str:
    return text.replace("[", "\\[")


def _run(name: str, arguments: list[str], console: Console) -> None:
    register()
    available = commands()
    if name not in available:
        near = difflib.get_close_matches(name, available, 1)
        raise InputError(
            f"unknown command: {name}",
            (f"did you mean {near[0]}? " if near else "") + f"commands are {', '.join(available)}",
        )
    command = available[name]
    if "-h" in arguments or "--help" in arguments:
        _command_help(console, command)
        return
    arguments = _expand_path_shorthand(arguments)
    flags = [argument for argument in arguments if argument.startswith("-")]
    if not flags:
        compose_config(arguments)
        GlobalHydra.instance().clear()

    failure: list[InputError] = []

    @hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")
    def app(config: DictConfig) -> None:
        try:
            command.run(to_typed(config))
        except InputError as error:
            # Hydra would print its own trace; carry the error past it.
            failure.append(error)

    sys.argv = [f"void {name}", f"hydra.job.name={name}", *arguments]
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    app()
    if failure:
        raise failure[0]


if __name__ == "__main__":
    main()
