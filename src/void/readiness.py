"""What a chosen run needs before hours are spent on it: packages, weights, GPUs, pairs, initial weights, disk.

What an earlier step of the same run will make (below `root`) may still be missing; what comes from elsewhere may not.
"""

from __future__ import annotations

import netrc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from void.composition import options
from void.doctor_check import Check
from void.errors import InputError
from void.noise.config import FlowMethod
from void.recipe import Stage
from void.tracking.config import TrackerKind, TrackerMode
from void.tracking.wandb_environment import choose
from void.training.config import DistributedKind

if TYPE_CHECKING:
    from void.config import VoidConfig

COMPILERS = ("c++", "g++", "clang++")
# torchvision 0.N belongs to torch 2.(N - 15).
TORCHVISION_OFFSET = 15
IMPORT_SECONDS = 300
LARGE_MODEL = 10**9
"""Parameters from which on a model needs a GPU."""
# Prints where torchvision keeps the weights that it downloads.
RAFT_CODE = """
from torchvision.models.optical_flow import Raft_Large_Weights, raft_large
import os, torch
name = os.path.basename(Raft_Large_Weights.C_T_SKHT_V2.url)
print(os.path.join(torch.hub.get_dir(), "checkpoints", name))
"""
DEEPSPEED_CODE = "import deepspeed; print(deepspeed.__version__)"


def check_run(config: VoidConfig, experiment: str | None) -> list[Check]:
    """Checks of what the configuration asks for; with an experiment also of its pairs, its start and its disk space.

    Args:
        config: Configuration of the run.
        experiment: Name of the chosen experiment; None without one.
    """
    checks = [*check_flow(config), *check_processes(config), *check_tracker(config)]
    if experiment is not None:
        checks += [*check_pairs(config, experiment), *check_initial(config, experiment), *check_disk(config)]
    return checks


def check_flow(config: VoidConfig) -> Iterator[Check]:
    """RAFT, where the second pass takes its noise from RAFT's flow."""
    if config.noise.flow is not FlowMethod.raft or config.stage.name is Stage.pass1:
        return
    path, reason = _run_code(RAFT_CODE)
    if path is None:
        yield Check("torchvision (RAFT)", f"does not import: {reason}", f"{torchvision_command()}; or noise.flow=dis")
        return
    yield Check("torchvision (RAFT)", "imports")
    given = config.noise.raft_weights
    if given is not None:
        found = Path(given).is_file()
        remedy = "give the safetensors file of RAFT large: noise.raft_weights=FILE"
        yield Check("RAFT weights", f"{given}{'' if found else ' does not exist'}", None if found else remedy)
    elif Path(path).is_file():
        yield Check("RAFT weights", path)
    else:
        remedy = "torchvision downloads them at first use; where there is no network: noise.raft_weights=FILE"
        yield Check("RAFT weights", f"{path} does not exist", remedy, optional=True)


def check_processes(config: VoidConfig) -> Iterator[Check]:
    """DeepSpeed with its compiler, where the run shards with it, and the GPUs of the run."""
    import torch

    if config.distributed.kind is DistributedKind.deepspeed:
        version, reason = _run_code(DEEPSPEED_CODE)
        remedy = "make distributed; or distributed=ddp"
        yield Check("DeepSpeed", version or f"does not import: {reason}", None if version else remedy)
        compiler = next((name for name in (os.environ.get("CXX"), *COMPILERS) if name and shutil.which(name)), None)
        remedy = "sudo apt-get install -y g++"
        yield Check("C++ compiler", compiler or "none; DeepSpeed compiles at first use", None if compiler else remedy)
    parameters = _parameters(config)
    several = config.distributed.kind is not DistributedKind.single
    if (parameters < LARGE_MODEL and not several) or config.device == "cpu":
        return
    count, wanted = torch.cuda.device_count(), config.plan.processes if several else 1
    found = f"{count} here"
    if count == 0:
        found += f"; the model has about {parameters / 1e9:.1f} billion parameters"
        remedy = "train on a GPU machine (`void plan` says which); a GPU that torch does not see needs its CUDA build"
        yield Check("GPUs", found, remedy, optional=parameters < LARGE_MODEL)
    elif count < wanted:
        remedy = f"planned for plan.processes={wanted}; here start torchrun --nproc_per_node {count}"
        yield Check("GPUs", found, remedy, optional=True)
    else:
        yield Check("GPUs", found)


def check_tracker(config: VoidConfig) -> Iterator[Check]:
    """An account for W&B, where the run logs online."""
    if config.tracker.kind is not TrackerKind.wandb:
        return
    try:
        choice = choose(config.tracker, Path(config.training.root), config.name, os.environ)
    except InputError as error:
        yield Check("W&B", error.problem, error.remedy)
        return
    if choice.mode is TrackerMode.online:
        known = bool(os.environ.get("WANDB_API_KEY")) or _in_netrc()
        found = "an API key is set" if known else "tracker.mode=online without an API key"
        yield Check("W&B", found, None if known else "wandb login; or tracker.mode=offline")


def check_pairs(config: VoidConfig, experiment: str) -> Iterator[Check]:
    """The pairs of both splits, long enough for the run."""
    from void.pairs import read_manifest

    data = config.data
    root = Path(data.root)
    if not root.exists():
        yield _not_yet(
            config, "pairs", root, f"void generate experiment={experiment}", "data.root=PATH, a folder of pairs"
        )
        return
    try:
        rows = read_manifest(root)
    except InputError as error:
        yield Check("pairs", error.problem, error.remedy)
        return
    for split in (data.train_split, data.eval_split):
        chosen = [row for row in rows if row.split == split]
        short = sum(row.frames < data.frames for row in chosen)
        name = f"pairs of {split}"
        if not chosen:
            present = ", ".join(sorted({row.split for row in rows}))
            remedy = f"choose a split that {root} has ({present}): data.train_split=NAME, data.eval_split=NAME"
            yield Check(name, f"none in {root}", remedy)
        elif short:
            remedy = "data.frames=N with fewer frames, or pairs that are longer"
            yield Check(name, f"{short} of {len(chosen)} have fewer than data.frames={data.frames} frames", remedy)
        else:
            yield Check(name, f"{len(chosen)} in {root}")


def check_initial(config: VoidConfig, experiment: str) -> Iterator[Check]:
    """The weights that the stage begins with (stage.init_from)."""
    from void.models.checkpoints import resolve_checkpoint

    if config.stage.init_from is None:
        return
    path = Path(config.stage.init_from)
    try:
        yield Check("stage.init_from", str(resolve_checkpoint(path, "stage.init_from")))
    except InputError:
        made_by = next((name for name in path.parts if name in options("experiment")), experiment)
        train = f"void train experiment={made_by} stage=pass1"
        yield _not_yet(config, "stage.init_from", path, train, "stage.init_from=PATH, a checkpoint")


def check_disk(config: VoidConfig) -> Iterator[Check]:
    """Free space for the checkpoints and the cache, less what is there already."""
    from void.plan.disk import cache_gib, checkpoints_gib

    needs = {Path(config.training.root): checkpoints_gib(config)}
    num_pairs = _num_pairs(config)
    if num_pairs:
        needs[Path(config.cache.root)] = cache_gib(config, num_pairs)
    for folders in _by_disk(list(needs)):
        needed = sum(max(0.0, needs[folder] - _size_gib(folder)) for folder in folders)
        free = shutil.disk_usage(_existing(folders[0])).free / 2**30
        names = " and ".join(map(str, folders))
        remedy = None if free >= needed else "free some space, or training.root=PATH, cache.root=PATH elsewhere"
        yield Check("disk of the run", f"{needed:.1f} GiB needed for {names}, {free:.1f} GiB free", remedy)


def torchvision_command() -> str:
    """The command that installs the torchvision that belongs to the installed torch."""
    import torch

    _, minor, *_ = torch.__version__.split(".")
    command = f'pip install "torchvision==0.{int(minor) + TORCHVISION_OFFSET}.*"'
    return f"{command} (its CPU build, as that of torch)" if torch.version.cuda is None else command


def _not_yet(config: VoidConfig, name: str, path: Path, command: str, other: str) -> Check:
    """What is missing: no fault where an earlier step of the same run will make it."""
    own = path.absolute().is_relative_to(Path(config.root).absolute())
    return Check(name, f"{path} {'is not there yet' if own else 'does not exist'}", f"{command}; or {other}", own)


def _run_code(code: str) -> tuple[str | None, str]:
    """The last line that a fresh interpreter prints for `code`; or None, and the reason.

    A process of its own: an installation that does not fit can abort the interpreter.
    """
    try:
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None, f"no end after {IMPORT_SECONDS} s"
    printed, complaint = result.stdout.strip().splitlines(), result.stderr.strip().splitlines()
    if result.returncode == 0 and printed:
        return printed[-1], ""
    return None, complaint[-1] if complaint else f"exit status {result.returncode}"


def _parameters(config: VoidConfig) -> int:
    """The number of a transformer's parameters, roughly: attention 4, feed-forward 8 matrices of width x width."""
    transformer = config.model.transformer
    width = transformer["num_attention_heads"] * transformer["attention_head_dim"]
    return 12 * int(transformer["num_layers"]) * int(width) ** 2


def _num_pairs(config: VoidConfig) -> int:
    """Pairs of the manifest, or else those that `void generate` would make."""
    from void.pairs import read_manifest

    try:
        return len(read_manifest(config.data.root))
    except InputError:
        return int(getattr(config.scene, "count", 0))


def _in_netrc() -> bool:
    try:
        return any("wandb" in host for host in netrc.netrc().hosts)
    except (OSError, netrc.NetrcParseError):
        return False


def _existing(path: Path) -> Path:
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())


def _by_disk(folders: list[Path]) -> list[list[Path]]:
    """Folders that share a file system, together."""
    groups: dict[int, list[Path]] = {}
    for folder in folders:
        groups.setdefault(_existing(folder).stat().st_dev, []).append(folder)
    return list(groups.values())


def _size_gib(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**30
