"""Composing the configuration from conf/ and overrides, with errors that name the key and the nearest valid one."""

from __future__ import annotations

import dataclasses
import difflib
import re
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from void.config import VoidConfig, register
from void.errors import InputError

HYDRA_VERSION_BASE = "1.3"


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
    try:
        config = _compose(overrides)
        OmegaConf.to_container(config, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(error, overrides) from error
    return config


def to_typed(config: DictConfig) -> VoidConfig:
    """Dataclass instances from a composed configuration, interpolations resolved.

    Raises:
        InputError: a mandatory value is missing, or a key was added (`+key=value`) that no code reads.
    """
    if added := _added_keys(config):
        raise _unknown_key(added[0])
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise InputError(f"configuration: no value for {', '.join(missing)}", f"give one: {missing[0]}=VALUE")
    typed = OmegaConf.to_object(config)
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


def _compose(overrides: list[str]) -> DictConfig:
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_dir()), version_base=HYDRA_VERSION_BASE):
        return compose("config", overrides=overrides)


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
        return _unknown_option(*option.groups())
    full_key = re.search(r"full_key: (\S+)", text)
    if full_key is None:
        return InputError(f"configuration: {error}", "check the spelling of the override; --help lists the keys")
    key = full_key.group(1)
    given = [override for override in overrides if override.lstrip("+").split("=")[0] == key]
    if re.search(r"Key '[^']+' (is )?not in", text):
        # A misspelt group is complained about alone; the key that was typed below it says more.
        typed = [override.lstrip("+~").split("=")[0] for override in overrides]
        return _unknown_key(next((name for name in typed if name.startswith(f"{key}.")), key))
    reason = str(error.__cause__ or error).splitlines()[0]
    return InputError(f"bad value: {(given or [key])[-1]}: {reason}", "give a value of that type")


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
    near = _nearest(key, valid_keys(_compose([])))
    return InputError(
        f"unknown configuration key: {key}",
        f"did you mean {' or '.join(near)}?" if near else "`void COMMAND --help` lists the keys",
    )


def _unknown_option(group: str, name: str) -> InputError:
    known = options(group)
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {group}={near[0]}? " if near else ""
    return InputError(f"unknown option: {group}={name}", f"{meant}{group} can be: {', '.join(known)}")
