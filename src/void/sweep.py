"""Jobs of a sweep: each gets a root of its own and shares with the base run what an earlier step made there.

base root/                        pairs, cache, train, ...: the run without the swept overrides
  sweep/
    training.learning_rate=0.001/ root of a job: its swept overrides, sorted
    training.learning_rate=0.002/
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf, open_dict

from void.composition import unreadable, valid_keys

FOLDER = "sweep"
ALWAYS_SHARED = ("cache.root", "assets.root")
"""Folders whose entries are known by their content, so that jobs never disturb one another there."""
OWN_ROOTS = ("name", "root", "experiment", "stage")
"""Swept keys that part the folders themselves; a stage has folders of its own below one root."""
SHARED_WORK = ("executor", "hydra", "infer.num_shards", "infer.shard")
"""Swept keys (or groups) that share one job among processes, which therefore write into one folder."""
_MAX_NAME = 120
_UNSAFE = re.compile(r"[^\w.,=+@-]+", re.ASCII)


def job_config(
    config: DictConfig, swept: Sequence[str], overrides: Sequence[str], writes: Collection[str]
) -> DictConfig:
    """The configuration of one job, with the folders that it writes below a root of its own.

    A folder of an earlier step is the job's own where the same sweep of that step made one, else that of the base run.

    Args:
        config: Configuration of the job as composed, its interpolations unresolved.
        swept: Keys and groups that differ between the jobs.
        overrides: Overrides of this job, `KEY=VALUE`.
        writes: Keys of the folders that the command writes.
    """
    name = job_name(config, swept, overrides)
    typed_root = [override for override in overrides if override.partition("=")[0] == "root"]
    if not name or any("${" in override for override in typed_root):
        return config
    own = copy.deepcopy(config)
    with open_dict(own):
        own.root = str(Path(str(config.root)) / FOLDER / name)
        own.name = f"{config.name} {name}"
    for key in _texts(config):
        base_path, own_path = str(OmegaConf.select(config, key)), str(OmegaConf.select(own, key))
        if key in writes:
            if base_path == own_path and "${" not in _as_written(config, key):
                OmegaConf.update(own, key, str(Path(base_path) / FOLDER / name))
        elif key in ALWAYS_SHARED or (key not in ("root", "name") and not Path(own_path).exists()):
            OmegaConf.update(own, key, base_path)
    return own


def sweep_jobs(overrides: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """The swept keys and groups of a command line, and the overrides of each of its jobs.

    There are no jobs to tell of where another sweeper than Hydra's own draws the values.

    Raises:
        InputError: An override that cannot be read.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        swept = [override.key_or_group for override in parsed if override.is_sweep_override()]
        return swept, BasicSweeper.split_arguments(parsed, None)[0]
    except OverrideParseException as error:
        raise unreadable(error.override) from error
    except HydraException:
        return swept, []


def job_name(config: DictConfig, swept: Sequence[str], overrides: Sequence[str]) -> str:
    """Name of a job's folder: its swept overrides, readable, and the same for the same values; empty: it has none."""
    parts = []
    for override in overrides:
        key, _, text = override.partition("=")
        key = key.lstrip("+")
        if key not in swept or key in OWN_ROOTS or _is_below(key, SHARED_WORK):
            continue
        is_group = isinstance(OmegaConf.select(config, key.replace("/", "."), default=None), DictConfig)
        value = text if is_group else _shown(OmegaConf.select(config, key))
        parts.append(f"{key.replace('/', '.')}={value}")
    whole = ",".join(sorted(parts))
    safe = _UNSAFE.sub("-", whole)
    if safe == whole and len(safe) <= _MAX_NAME:
        return safe
    return f"{safe[:_MAX_NAME]}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _as_written(config: DictConfig, key: str) -> str:
    parent, _, last = key.rpartition(".")
    holder = OmegaConf.select(config, parent) if parent else config
    written = OmegaConf.to_container(holder, resolve=False)
    assert isinstance(written, dict)
    return str(written[last])


def _is_below(key: str, names: Collection[str]) -> bool:
    return any(key == name or key.startswith((f"{name}.", f"{name}/")) for name in names)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    container = OmegaConf.to_container(value, enum_to_str=True) if OmegaConf.is_config(value) else value
    return str(getattr(container, "value", container))


def _texts(config: DictConfig) -> list[str]:
    """Dotted names of the keys that hold a text."""
    return [key for key in valid_keys(config) if isinstance(OmegaConf.select(config, key, throw_on_missing=False), str)]
