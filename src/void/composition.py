"""Composing the configuration from conf/ and overrides, with errors that name the key and the nearest valid one."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf, ValueNode, open_dict, read_write
from omegaconf.errors import GrammarParseError, InterpolationResolutionError, OmegaConfBaseException, ValidationError

from void.config import VoidConfig, register
from void.errors import InputError
from void.limits import LimitError

HYDRA_VERSION_BASE = "1.3"
SCHEMA = "schema"
"""Option of every group that holds its dataclass; nobody chooses it."""


def conf_dir() -> Path:
    """The folder of configuration files: beside src/ in a checkout, inside the package in an installed wheel."""
    here = Path(__file__).resolve().parent
    checkout = here.parents[1] / "conf"
    return checkout if checkout.is_dir() else here / "conf"


def options(group: str) -> list[str]:
    """Names that can be chosen in a config group, as in `group=name`."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def compose_raw(overrides: list[str]) -> DictConfig:
    """A composed and validated configuration whose values still hold their interpolations.

    Args:
        overrides: as on the command line: `training.steps=10`, `model=tiny`.

    Raises:
        InputError: an unknown key (the nearest valid one is named), an ill-typed value or an unknown group option.
    """
    return without_hydra(compose_job(overrides, "app"))


def compose_job(overrides: list[str], job: str) -> DictConfig:
    """`compose_raw` with Hydra's own node, which tells where a job's logs go.

    Args:
        overrides: As on the command line.
        job: Name of the command.

    Raises:
        InputError: As `compose_raw`.
    """
    try:
        config = _compose(overrides, job)
        OmegaConf.to_container(without_hydra(config), resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(error, overrides) from error
    return config


def without_hydra(config: DictConfig) -> DictConfig:
    """The configuration without Hydra's own node."""
    plain = copy.copy(config)
    with open_dict(plain):
        del plain["hydra"]
    return plain


def to_typed(config: DictConfig) -> VoidConfig:
    """Dataclass instances from a composed configuration, interpolations resolved and values checked.

    Raises:
        InputError: a mandatory value is missing, a key was added (`+key=value`) that no code reads, or a value is out
            of range.
    """
    if added := _added_keys(config):
        raise _unknown_key(added[0])
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise InputError(f"configuration: no value for {', '.join(missing)}", f"give one: {missing[0]}=VALUE")
    try:
        typed = OmegaConf.to_object(config)
    except LimitError as error:
        raise error.below(_refusing_node(config)) from None
    assert isinstance(typed, VoidConfig)
    return typed


def compose_config(overrides: list[str]) -> VoidConfig:
    """`compose_raw`, then `to_typed`."""
    return to_typed(compose_raw(overrides))


def valid_keys(config: DictConfig, prefix: str = "") -> list[str]:
    """Dotted names of every key below `config`."""
    keys: list[str] = []
    for key in map(str, config):
        keys.append(f"{prefix}{key}")
        node = config._get_node(key)
        if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
            keys += valid_keys(node, f"{prefix}{key}.")
    return keys


def _compose(overrides: list[str], job: str = "app") -> DictConfig:
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_dir()), job_name=job, version_base=HYDRA_VERSION_BASE):
        config = compose("config", overrides=overrides, return_hydra_config=True)
    expand_home(config)
    return config


def expand_home(config: DictConfig) -> None:
    """Write out `~/` at the start of every text, as a shell does."""
    for key in map(str, config):
        node = config._get_node(key)
        if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing() and key != "hydra":
            expand_home(node)
        elif isinstance(node, ValueNode) and isinstance(text := node._value(), str) and re.match(r"~[\w-]*(/|$)", text):
            with read_write(config):
                config[key] = os.path.expanduser(text)  # noqa: PTH111


def _refusing_node(config: DictConfig, path: str = "") -> str:
    """Path of the innermost typed node whose dataclass refuses its values; empty: the root's does."""
    for key in map(str, config):
        node = config._get_node(key)
        if isinstance(node, DictConfig) and OmegaConf.get_type(node) is not dict and not node._is_none():
            try:
                OmegaConf.to_object(node)
            except LimitError:
                return _refusing_node(node, f"{path}.{key}" if path else key)
    return path


def _nearest(key: str, candidates: list[str]) -> list[str]:
    def likeness(name: str) -> float:
        last_parts = difflib.SequenceMatcher(None, key.split(".")[-1], name.split(".")[-1]).ratio()
        same_group = 0.3 * (key.split(".")[0] == name.split(".")[0])
        return last_parts + difflib.SequenceMatcher(None, key, name).ratio() + same_group

    best = sorted(((likeness(name), name) for name in candidates), reverse=True)[:3]
    return [name for value, name in best if value > max(1.2, best[0][0] - 0.2)]


def _explain(error: Exception, overrides: list[str]) -> InputError:
    text = f"{error}\n{error.__cause__ or ''}"
    if option := re.search(r"Could not find '([^']+)/([^'/]+)'", text):
        known = getattr(error, "options", None) or getattr(error.__cause__, "options", None)
        return _unknown_option(option.group(1), option.group(2), known)
    if ambiguous := re.search(r"Ambiguous value for argument '(([^=]+)=(.*))'", text):
        override, key, values = ambiguous.groups()
        return InputError(
            f"{override}: several values for one key",
            f"add --multirun to run the command once for each, or write a list: '{key}=[{values}]'",
        )
    if isinstance(error, OverrideParseException):
        return unreadable(error.override)
    full_key = re.search(r"full_key: (\S+)", text)
    if full_key is None:
        return InputError(f"configuration: {error}", "check the spelling of the override; --help lists the keys")
    key = full_key.group(1)
    given = [override for override in overrides if override.lstrip("+").split("=")[0] == key]
    if re.search(r"Key '[^']+' (is )?not in", text):
        # A misspelt group is complained about alone; the key that was typed below it says more.
        typed = [override.lstrip("+~").split("=")[0] for override in overrides]
        return _unknown_key(next((name for name in typed if name.startswith(f"{key}.")), key))
    cause = error.__cause__ or error
    reason = str(cause).splitlines()[0]
    unresolved = any(isinstance(link, GrammarParseError | InterpolationResolutionError) for link in (error, cause))
    if unresolved and not isinstance(error, ValidationError):
        remedy = "name a key after ${, or write \\${ (in single quotes) where these two characters are meant"
    else:
        remedy = "give a value of that type"
    return InputError(f"bad value: {(given or [key])[-1]}: {reason}", remedy)


def _added_keys(config: DictConfig, prefix: str = "") -> list[str]:
    """Keys of typed nodes that their dataclass does not have: Hydra lets `+key=value` through."""
    node_type = OmegaConf.get_type(config)
    fields = {field.name for field in dataclasses.fields(node_type)} if dataclasses.is_dataclass(node_type) else None
    added: list[str] = []
    for key in map(str, config):
        node = config._get_node(key)
        if fields is not None and key not in fields:
            added.append(f"{prefix}{key}")
        elif isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
            added += _added_keys(node, f"{prefix}{key}.")
    return added


def _unknown_key(key: str) -> InputError:
    near = _nearest(key, valid_keys(without_hydra(_compose([]))))
    return InputError(
        f"unknown configuration key: {key}",
        f"did you mean {' or '.join(near)}?" if near else "`void COMMAND --help` lists the keys",
    )


def unreadable(override: str) -> InputError:
    """The error for an override that Hydra's grammar does not read; it shows the quoted form that works."""
    key, equals, value = override.partition("=")
    if not equals:
        return InputError(f"{override} is not KEY=VALUE", "`void COMMAND --help` lists the keys")
    if value.startswith(("[", "{")):
        return InputError(
            f"{override}: a text in the value holds characters that are reserved on the command line",
            f"quote the texts in it, such as \"{key}=['TEXT']\" or \"{key}={{LABEL: 'TEXT'}}\"",
        )
    return InputError(
        f"{override}: the value holds characters that are reserved on the command line, such as ( ) , = ~ or a space",
        f"quote it twice, for the shell and for Hydra: {_for_shell(f'{key}={quoted(value)}')}",
    )


def _for_shell(word: str) -> str:
    return shlex.quote(word) if re.search(r'["$`\\!]', word) else f'"{word}"'


def quoted(text: str) -> str:
    """A text as Hydra reads it back whatever characters it holds."""
    return QuotedString(text=text, quote=Quote.single).with_quotes()


def _unknown_option(group: str, name: str, listed: Sequence[str] | None) -> InputError:
    known = sorted(set(listed or options(group)) - {SCHEMA})
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {group}={near[0]}? " if near else ""
    return InputError(f"unknown option: {group}={name}", f"{meant}{group} can be: {', '.join(known)}")
