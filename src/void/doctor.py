"""`void doctor`: is everything here that the commands need, and if not, the one command that brings it."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from rich.console import Console
from rich.markup import escape

from void.command import Command
from void.doctor_check import Check
from void.errors import InputError

if TYPE_CHECKING:
    from void.config import VoidConfig

# Shared libraries that Blender's Python module links, and the Debian/Ubuntu packages that hold them.
BLENDER_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libgomp.so.1": "libgomp1",
}
MIN_FREE_GIB = 1.0
MIN_MEMORY_GIB = 4.0


def check_python() -> Check:
    """Python 3.11: Blender's module exists for one Python version only."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Check(
        "Python", found, None if sys.version_info[:2] == (3, 11) else "make a virtual environment with Python 3.11"
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check_system_libraries() -> Check:
    """The shared libraries that Blender needs from the system."""
    missing = [library for library in BLENDER_LIBRARIES if not _loads(library)]
    if not missing:
        return Check("system libraries", f"all {len(BLENDER_LIBRARIES)} for Blender")
    packages = " ".join(BLENDER_LIBRARIES[library] for library in missing)
    return Check("system libraries", f"missing {', '.join(missing)}", f"sudo apt-get install -y {packages}")


def check_packages() -> Check:
    """Installed versions of the project's requirements against its pins."""
    from packaging.requirements import Requirement

    wrong = []
    requirements = [Requirement(text) for text in metadata.requires("void") or []]
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate({"extra": "simulation"}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, not {requirement.specifier}")
    if wrong:
        return Check("Python packages", "; ".join(wrong), "make setup")
    return Check("Python packages", f"{len(requirements)} requirements as pinned")


def check_kubric() -> Check:
    """Kubric, which is installed in a step of its own (requirements/kubric.txt)."""
    try:
        return Check("Kubric", metadata.version("kubric-nightly"))
    except metadata.PackageNotFoundError:
        return Check("Kubric", "not installed", "make kubric")


def check_blender() -> Check:
    """Blender's module, imported in a process of its own because a broken install aborts the interpreter."""
    code = "import bpy; print(bpy.app.version_string)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    if result.returncode == 0:
        return Check("Blender", result.stdout.strip().splitlines()[-1])
    reason = (result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1]
    library = re.search(r"(lib\S+\.so\S*): cannot open", reason)
    remedy = "make setup"
    if library:
        remedy = f"install the system package that holds {library.group(1)}"
    return Check("Blender", f"does not import: {reason}", remedy)


def check_machine(root: Path) -> list[Check]:
    """Free disk space where the run is written, and memory."""
    import psutil

    folder = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free / 2**30
    memory = psutil.virtual_memory().total / 2**30
    return [
        Check(
            "disk",
            f"{free:.0f} GiB free in {folder}",
            None if free >= MIN_FREE_GIB else "free some space, or root=PATH elsewhere",
        ),
        Check("memory", f"{memory:.0f} GiB", None if memory >= MIN_MEMORY_GIB else f"needs {MIN_MEMORY_GIB:.0f} GiB"),
    ]


def check_device() -> Check:
    """What the networks run on."""
    import torch

    if torch.cuda.is_available():
        return Check("device", f"{torch.cuda.get_device_name(0)} (torch {torch.__version__})")
    return Check("device", f"CPU, {torch.get_num_threads()} threads (torch {torch.__version__})")


def check_weights(config: VoidConfig) -> list[Check]:
    """The files that the chosen model names, and the released fine-tunes of it: present, or how to get them."""
    from void.models.config import FILELESS_TOKENIZER
    from void.models.weights import resolve, safetensors_files

    model = config.model
    checks = []
    for key in ("transformer_weights", "vae_weights", "text_encoder_weights", "tokenizer"):
        location = getattr(model, key)
        name = f"model.{key}"
        if location is None:
            checks.append(Check(name, f"none named: random from model.init_seed={model.init_seed}"))
        elif location == FILELESS_TOKENIZER:
            checks.append(Check(name, f"{location} needs no file"))
        else:
            try:
                path = resolve(location, model)
                if key != "tokenizer":
                    safetensors_files(path)
                detail = _channels(path, config) if key == "transformer_weights" else ""
                checks.append(Check(name, f"{path}{detail}"))
            except InputError as error:
                checks.append(Check(name, error.problem, error.remedy))
    return checks + [check_released(config, stage, file) for stage, file in model.released_files.items()]


def check_released(config: VoidConfig, stage: str, file: str) -> Check:
    """One released fine-tune of the chosen model; training does without."""
    model = config.model
    name, path = f"released {stage}", Path(model.released_root or "") / file
    if not path.is_file():
        command = f"hf download {model.released_repository} {file} --local-dir {model.released_root}"
        return Check(name, f"{path} does not exist", f"to sample with it: {command}", optional=True)
    try:
        return Check(name, f"{path}{_channels(path, config)}; use it with infer.checkpoint={path}")
    except InputError as error:
        return Check(name, error.problem, error.remedy, optional=True)


def _channels(transformer: Path, config: VoidConfig) -> str:
    from void.models.expansion import BASE_CHANNELS, VOID_CHANNELS
    from void.models.loading import needs_expansion

    if not needs_expansion(transformer):
        return f" ({VOID_CHANNELS} input channels)"
    rule = config.recipe.mask_expansion.value
    return f" ({BASE_CHANNELS} input channels, expanded to {VOID_CHANNELS} by recipe.mask_expansion={rule})"


def check_data(root: Path) -> list[Check]:
    """Every pair of a data folder: formats, lengths, mask values, checksums."""
    from void.pairs import validate
    from void.provenance import write_pair_again

    problems = validate(root)
    if not problems:
        return [Check("data", f"{root}: every pair is whole")]
    checks = []
    for problem in problems:
        what, _, remedy = problem.partition(" -> ")
        checks.append(Check("data", what, remedy or write_pair_again(root)))
    return checks


def run(config: VoidConfig) -> None:
    """Run the checks, print them, and raise when one fails."""
    from void.readiness import check_run

    checks = [
        check_python(),
        check_system_libraries(),
        check_packages(),
        check_kubric(),
        check_blender(),
        check_device(),
    ]
    checks += check_machine(Path(config.root))
    checks += check_weights(config)
    checks += check_run(config, HydraConfig.get().runtime.choices.get("experiment"))
    if any(override.startswith("data.root=") for override in HydraConfig.get().overrides.task):
        checks += check_data(Path(config.data.root))
    console = Console(soft_wrap=True, highlight=False)
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark = "[green]ok[/]" if check.remedy is None else "[yellow]--[/]" if check.optional else "[red]no[/]"
        console.print(f"{mark}  {check.name:{width}}  {escape(check.found)}")
        if check.remedy:
            console.print(f"    [bold]-> {escape(check.remedy)}[/]")
    failed = [check for check in checks if check.remedy and not check.optional]
    if failed:
        remedies = list(dict.fromkeys(check.remedy for check in failed if check.remedy))
        raise InputError(f"{len(failed)} of {len(checks)} checks failed", "; ".join(remedies[:3]))


DOCTOR = Command(
    name="doctor",
    summary="check the machine, the packages, the weights, what a run needs, or a folder of pairs",
    help="""
Checks Python, the system libraries that Blender needs, the pinned packages, memory, disk and the chosen model's
weights, and names the one command that mends what is missing. What is marked -- can stay as it is.

With an experiment also what that run needs: RAFT and its weights, DeepSpeed and a compiler, GPUs, a W&B account, the
pairs of both splits, the weights that it starts from, and disk space for its checkpoints and its cache. What an earlier
step of the same run will make is marked --, with the command that makes it.

  void doctor                            this machine
  void doctor experiment=paper_pass2     also what this run needs
  void doctor data=PATH                  also every pair below PATH (formats, lengths, mask values, checksums)
  void doctor model=cogvideox_fun_5b     also the weights of the full-size model
""",
    groups=("data", "model"),
    run=run,
    only_asks=True,
)
