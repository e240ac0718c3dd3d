"""The files that describe an installation agree with one another."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler import MatchSpec

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
CONDA_ENTRY = re.compile(r"[a-z0-9][a-z0-9._-]*(=[0-9][0-9A-Za-z.*]*)?")
PINNED = re.compile(r"==[0-9][0-9A-Za-z.+!]*")


def requirements(lines: list[str]) -> dict[str, str]:
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in parsed}


def conda_entries() -> list[str]:
    return [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]


def pip_entries() -> list[str]:
    return next(entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements" / "lock.txt").read_text().splitlines()
    return requirements([line for line in lines if line and not line.startswith("#")])


def pyproject() -> dict[str, str]:
    extras = [line for group in PROJECT["optional-dependencies"].values() for line in group]
    return requirements(PROJECT["dependencies"] + extras)


def test_every_requirement_is_pinned_exactly() -> None:
    loose = {name: pin for name, pin in (pyproject() | locked()).items() if not PINNED.fullmatch(pin)}
    assert loose == {}


def test_environment_has_the_pins_of_pyproject() -> None:
    assert requirements(pip_entries()) == pyproject()


def test_the_lock_has_the_pins_of_pyproject_but_for_multi_process_training_and_raft() -> None:
    extras = PROJECT["optional-dependencies"]
    left_out = requirements(extras["distributed"] + extras["raft"])
    lock = locked()
    assert {name: lock.get(name) for name in pyproject() if name not in left_out} == {
        name: pin for name, pin in pyproject().items() if name not in left_out
    }


def test_the_lock_needs_no_gpu_build_and_no_torchvision() -> None:
    unwanted = [name for name in locked() if name.startswith(("nvidia-", "torchvision", "torchcodec", "triton"))]
    assert unwanted == []


@pytest.mark.parametrize("entry", conda_entries())
def test_conda_entries_are_well_formed(entry: str) -> None:
    assert CONDA_ENTRY.fullmatch(entry)
    assert MatchSpec(entry).name is not None


def test_environment_and_project_want_the_same_python() -> None:
    assert "python=3.11" in conda_entries()
    assert PROJECT["requires-python"] == ">=3.11,<3.12"


def test_kubric_is_named_in_one_place() -> None:
    pin = (ROOT / "requirements" / "kubric.txt").read_text().splitlines()[-1]
    assert PINNED.search(pin)
    others = [ROOT / "pyproject.toml", ROOT / "environment.yml", ROOT / "Makefile", ROOT / "requirements" / "lock.txt"]
    assert [path.name for path in others if pin in path.read_text()] == []
    assert "requirements/kubric.txt" in (ROOT / "Makefile").read_text()


def test_every_command_has_an_entry_point_that_loads() -> None:
    from void.cli import COMMAND_ORDER, commands

    assert set(COMMAND_ORDER) <= set(commands())
    assert {name: command.name for name, command in commands().items()} == {name: name for name in commands()}


def test_the_environment_holds_what_every_experiment_names() -> None:
    from void.composition import compose_config, options
    from void.noise.config import FlowMethod
    from void.training.config import DistributedKind

    needed = set()
    for experiment in options("experiment"):
        config = compose_config([f"experiment={experiment}"])
        if config.noise.flow is FlowMethod.raft:
            needed.add("torchvision")
        if config.distributed.kind is DistributedKind.deepspeed:
            needed |= {"deepspeed"}
            assert "cxx-compiler" in conda_entries()
    assert needed == {"torchvision", "deepspeed"}
    assert needed <= requirements(pip_entries()).keys()


def test_torchvision_is_the_release_that_belongs_to_torch() -> None:
    pins = requirements(pip_entries())
    torch, torchvision = (pins[name].removeprefix("==").split(".") for name in ("torch", "torchvision"))
    # 0.15 came with 2.0, and each release since with the next.
    assert torch[0] == "2" and torchvision == ["0", str(int(torch[1]) + 15), torch[2]]
