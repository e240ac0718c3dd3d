"""Shards as an array of Slurm jobs: what the launcher's configuration asks of sbatch, without a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from submitit.slurm.slurm import SlurmExecutor, _make_sbatch_string

from void.composition import HYDRA_VERSION_BASE, conf_dir
from void.config import register

SHARDS = "executor.shard=0/4,1/4,2/4,3/4"


def launcher(*overrides: str) -> dict[str, Any]:
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_dir()), version_base=HYDRA_VERSION_BASE):
        config = compose("config", ["hydra/launcher=slurm", *overrides], return_hydra_config=True)
    values = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    assert isinstance(values, dict)
    return values


@pytest.fixture
def sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], str]:
    """The script for four jobs, from the values that the launcher hands on to submitit."""
    monkeypatch.setattr(SlurmExecutor, "affinity", lambda _: 1)
    executor = SlurmExecutor(tmp_path)

    def write(values: dict[str, Any]) -> str:
        shared = {key: values[key] for key in ("timeout_min", "mem_gb", "nodes", "tasks_per_node", "cpus_per_task")}
        own = {key: values[key] for key in ("gpus_per_node", "array_parallelism")}
        return _make_sbatch_string("command", tmp_path, map_count=4, **executor._convert_parameters(shared | own))

    return write


def test_the_shards_of_the_help_are_four_jobs() -> None:
    (override,) = OverridesParser.create().parse_overrides([SHARDS])
    assert override.is_sweep_override()
    assert list(override.sweep_string_iterator()) == ["0/4", "1/4", "2/4", "3/4"]


def test_an_array_of_jobs_without_gpus(sbatch: Callable[..., str]) -> None:
    script = sbatch(launcher("hydra.launcher.gpus_per_node=null", "hydra.launcher.cpus_per_task=16"))
    assert "#SBATCH --array=0-3%4" in script
    assert "#SBATCH --cpus-per-task=16" in script and "#SBATCH --mem=64G" in script and "--time=2880" in script
    assert "gpus" not in script


def test_training_still_asks_for_a_gpu(sbatch: Callable[..., str]) -> None:
    assert "#SBATCH --gpus-per-node=1" in sbatch(launcher())


def test_the_help_names_what_is_tested_here() -> None:
    from data_gen.command import GENERATE

    assert SHARDS in GENERATE.help and "hydra.launcher.gpus_per_node=null" in GENERATE.help
