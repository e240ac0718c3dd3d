"""The words typed after `void COMMAND`: overrides and flags, and texts that Hydra's grammar would take apart.

Hydra reads a value as an expression: `a(1)` calls a function, `a,b` sweeps, `007` is a number. A key whose type is a
text takes its value as it stands, so this module quotes it. Left alone are quoted values, null, and in a sweep commas.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from void.composition import options, quoted
from void.config import VoidConfig, group_types
from void.errors import InputError

# Flags of Hydra, by the number of words that follow.
FLAGS = {
    **dict.fromkeys(("--help", "-h", "--hydra-help", "--resolve", "--run", "-r", "--multirun", "-m"), 0),
    **dict.fromkeys(("--cfg", "-c", "--package", "-p", "--info", "-i", "--config-dir", "-cd"), 1),
    **dict.fromkeys(("--config-path", "-cp", "--config-name", "-cn", "--experimental-rerun"), 1),
}
MULTIRUN = ("--multirun", "-m")
_SWEEP_CALL = re.compile(r"(choice|range|interval|glob|shuffle|sort|tag)\(.*\)$")
_OPEN_VALUES = ("", "null", "???")


def split(arguments: Sequence[str], groups: Sequence[str]) -> tuple[list[str], list[str]]:
    """Overrides, and Hydra's flags with their values, in whatever order they were typed.

    Args:
        arguments: Words after the command's name.
        groups: Config groups that the command reads; keys of theirs are offered first for an unknown flag.

    Raises:
        InputError: A flag that Hydra does not have; the key that was meant is named.
    """
    overrides: list[str] = []
    flags: list[str] = []
    left = 0
    for position, argument in enumerate(arguments):
        if left:
            flags.append(argument)
            left -= 1
        elif not argument.startswith("-"):
            overrides.append(argument)
        elif (name := argument.partition("=")[0]) in FLAGS:
            flags.append(argument)
            left = 0 if "=" in argument else FLAGS[name]
        else:
            raise _unknown_flag(argument, arguments[position + 1 : position + 2], groups)
    return overrides, flags


def readable(override: str, *, sweeps: bool) -> str:
    """The override in a form that Hydra reads as it was meant.

    Args:
        override: `KEY=VALUE` as typed. `data=PATH` means `data.root=PATH`, unless PATH is a file's name in conf/data.
        sweeps: Whether commas separate the values of several jobs.
    """
    key, equals, value = override.partition("=")
    if not equals:
        return override
    if key == "data" and value and value not in options("data"):
        key = "data.root"
    if is_text(key.lstrip("+")):
        value = _swept(value) if sweeps else _literal(value)
    return f"{key}={value}"


def is_text(key: str) -> bool:
    """Whether the value of a dotted key is a text (a path, a name), which no grammar should take apart."""
    hint: Any = VoidConfig
    for part in key.split("."):
        if dataclasses.is_dataclass(hint):
            hints = typing.get_type_hints(hint)
            hint = group_types().get(part, hints.get(part)) if hint is VoidConfig else hints.get(part)
        elif typing.get_origin(hint) is dict:
            hint = typing.get_args(hint)[1]
        else:
            return False
        hint = _without_null(hint)
    return hint is str


def _literal(value: str) -> str:
    if value in _OPEN_VALUES or re.fullmatch(r"'.*'|\".*\"", value, re.DOTALL):
        return value
    if re.match(r"~[\w-]*(/|$)", value):
        value = str(Path(value).expanduser())
    return quoted(value)


def _swept(value: str) -> str:
    """The values of a sweep, each as a text: what commas separate outside quotes. A call such as glob(*) stays one."""
    if _SWEEP_CALL.match(value):
        return value
    parts = re.findall(r"(?:'(?:\\.|[^'])*'|\"(?:\\.|[^\"])*\"|[^,])+", value)
    return ",".join(_literal(part.strip()) for part in parts)


def _without_null(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        others = [arm for arm in typing.get_args(hint) if arm is not type(None)]
        return others[0] if len(others) == 1 else hint
    return hint


def _unknown_flag(argument: str, following: Sequence[str], groups: Sequence[str]) -> InputError:
    name, equals, value = argument.lstrip("-").partition("=")
    key = name.replace("-", "_")
    if not equals and following and not following[0].startswith("-") and "=" not in following[0]:
        value = following[0]
    meant = _meant(key, groups)
    shown = value or "VALUE"
    if meant:
        return InputError(
            f"unknown flag: {argument}", f"write {' or '.join(f'{k}={shown}' for k in meant)}, without dashes"
        )
    return InputError(
        f"unknown flag: {argument}",
        f"keys are written without dashes: GROUP.KEY={shown}; `void COMMAND --help` lists them",
    )


def _meant(name: str, groups: Sequence[str]) -> list[str]:
    """The keys that a flag's name can mean, those of the command's groups alone where there are some."""
    keys = typed_keys()
    if name in keys or any(key.startswith(f"{name}.") for key in keys) or options(name):
        return [name]
    named = [key for key in keys if key.split(".")[-1] == name]
    own = [key for key in named if key.split(".")[0] in groups]
    # The groups are listed by their importance for the command.
    own.sort(key=lambda key: (groups.index(key.split(".")[0]), key.count(".")))
    if own or named:
        return (own or named)[:3]
    return difflib.get_close_matches(
        name, [*keys, *(key.split(".")[-1] for key in keys if "." not in key)], 1, cutoff=0.75
    )


def typed_keys(node: Any = VoidConfig, prefix: str = "") -> list[str]:
    """Dotted names of every key that a dataclass declares, at any depth."""
    keys = []
    hints = typing.get_type_hints(node)
    for name, hint in hints.items():
        if node is VoidConfig:
            hint = group_types().get(name, hint)
        keys.append(f"{prefix}{name}")
        if dataclasses.is_dataclass(hint) and not (isinstance(hint, type) and issubclass(hint, Enum)):
            keys += typed_keys(hint, f"{prefix}{name}.")
    return keys
