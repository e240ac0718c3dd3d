"""What `void COMMAND --help` says about a command's configuration: each key, its value, and its docstring."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape

from void.command import Command
from void.composition import compose_raw, options
from void.config import VoidConfig

WIDTH = 116
INDENT = "  "


def teach(command: Command, overrides: list[str]) -> None:
    """Print a command's help, with the values that `overrides` (an experiment, say) give its keys."""
    console = Console(soft_wrap=True, highlight=False)
    config = compose_raw(overrides)
    console.print(f"[bold]void {command.name}[/]: {command.summary}\n\n{escape(command.help.strip())}\n")
    console.print(f"Its configuration, with {' '.join(overrides) if overrides else 'the defaults'}:\n")
    console.print("[bold]of every command[/]")
    for line in _lines(config, only=_plain_keys(config)):
        console.print(line)
    for group in command.groups:
        console.print(f"\n[bold]{group}[/]  (choose with {group}=NAME: {', '.join(options(group))})")
        for line in _lines(config[group]):
            console.print(line)
    console.print(
        "\nOverride any key: GROUP.KEY=VALUE; experiment=NAME chooses a whole run, name=NAME its folder runs/NAME."
    )
    console.print("`--cfg job` prints the whole configuration. `--multirun` runs one job for each value, each")
    console.print("below `root`/sweep/KEY=VALUE; what a job does not change it shares with the run without --multirun:")
    console.print("  --multirun training.learning_rate=1e-3,3e-3")


def field_docs(node: type) -> dict[str, str]:
    """The docstring below each field of a dataclass, as one line; fields without one are absent."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(node))).body
    assert isinstance(tree, ast.ClassDef)
    docs = {}
    for field, following in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(following, ast.Expr):
            assert isinstance(field.target, ast.Name) and isinstance(following.value, ast.Constant)
            docs[field.target.id] = " ".join(str(following.value.value).split())
    return docs


def _plain_keys(config: DictConfig) -> list[str]:
    groups = {
        field.name for field in dataclasses.fields(VoidConfig) if isinstance(config._get_node(field.name), DictConfig)
    }
    return [str(key) for key in config if key not in groups]


def _lines(config: DictConfig, depth: int = 1, only: list[str] | None = None) -> Iterator[str]:
    """`key: value` for every key of a typed node, each followed by its docstring; nested nodes are indented."""
    node_type = OmegaConf.get_type(config)
    docs: dict[str, str] = {}
    hints: dict[str, Any] = {}
    if node_type is not None and dataclasses.is_dataclass(node_type):
        docs, hints = field_docs(node_type), typing.get_type_hints(node_type)
    margin, below = INDENT * depth, INDENT * (depth + 2)
    for key in only or map(str, config):
        node = config._get_node(key)
        if isinstance(node, DictConfig) and dataclasses.is_dataclass(OmegaConf.get_type(node)):
            yield f"{margin}{key}:"
            yield from _lines(node, depth + 1)
            continue
        yield margin + escape(f"{key}: {_shown(config, key)}{_choices(hints.get(key))}")
        if key in docs:
            doc = textwrap.fill(docs[key], WIDTH, initial_indent=below, subsequent_indent=below)
            yield f"[dim]{escape(doc)}[/]"


def _choices(hint: Any) -> str:
    is_enum = isinstance(hint, type) and issubclass(hint, Enum)
    return f"   ({' | '.join(member.name for member in hint)})" if is_enum else ""


def _shown(config: DictConfig, key: str) -> str:
    """A value on one line; interpolations stand as they are written."""
    value: Any = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    assert isinstance(value, dict)
    shown = OmegaConf.to_yaml(OmegaConf.create({"value": value[key]})).removeprefix("value:").strip()
    if "\n" in shown:
        shown = textwrap.shorten(str(value[key]).replace("'", ""), WIDTH - 40, placeholder=" ...")
    return shown
