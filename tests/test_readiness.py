"""`void doctor experiment=...` says what that run lacks, each thing with its remedy, before hours are spent."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from void import doctor, readiness
from void.cli import main
from void.composition import compose_config
from void.config import VoidConfig
from void.doctor_check import Check
from void.errors import InputError
from void.noise.flow import RaftFlow
from void.plan.disk import cache_gib, checkpoints_gib
from void.training.trainer import train

Compose = Callable[..., VoidConfig]
GIB = 2**30
RAFT = ("noise.flow=raft", "stage=pass2")
TORCHVISION = """
class Weights:
    class C_T_SKHT_V2:
        url = "somewhere/raft.pth"
Raft_Large_Weights, raft_large = Weights, None
"""
MISFIT = 'raise RuntimeError("operator torchvision::nms does not exist")'


def by_name(checks: Iterable[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def install(root: Path, monkeypatch: pytest.MonkeyPatch, module: str, code: str) -> None:
    """Put a module where the interpreters that `void doctor` starts find it before any other."""
    file = root.joinpath(*module.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in file.relative_to(root).parents[:-1]:
        (root / folder / "__init__.py").touch()
    file.write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(root))


def disk_with(free_gib: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free_gib * GIB))


def test_raft_is_looked_for_where_a_run_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "torchvision", 'raise ImportError("No module named torchvision")')
    for overrides in ((), ("noise.flow=raft",), ("stage=pass2",)):
        assert list(readiness.check_flow(compose_config(list(overrides)))) == []
    (check,) = readiness.check_flow(compose_config(list(RAFT)))
    assert check.found == "does not import: ImportError: No module named torchvision"
    assert check.remedy is not None and 'pip install "torchvision==0.' in check.remedy and not check.optional
    install(tmp_path, monkeypatch, "torchvision", MISFIT)
    (check,) = readiness.check_flow(compose_config(list(RAFT)))
    assert "torchvision::nms" in check.found


def test_the_torchvision_of_the_remedy_belongs_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.13.0+cu130")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert readiness.torchvision_command() == 'pip install "torchvision==0.28.*"'
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "CPU build" in readiness.torchvision_command()


def test_the_weights_of_raft_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "torchvision.models.optical_flow", TORCHVISION)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    downloaded = tmp_path / "torch" / "hub" / "checkpoints" / "raft.pth"
    weights = by_name(readiness.check_flow(compose_config(list(RAFT))))["RAFT weights"]
    assert weights.found == f"{downloaded} does not exist" and weights.optional
    assert "noise.raft_weights=FILE" in (weights.remedy or "")
    downloaded.parent.mkdir(parents=True)
    downloaded.touch()
    checks = by_name(readiness.check_flow(compose_config(list(RAFT))))
    assert [check.remedy for check in checks.values()] == [None, None]
    for name, missing in (("absent.safetensors", True), ("torch/hub/checkpoints/raft.pth", False)):
        given = compose_config([*RAFT, f"noise.raft_weights={tmp_path / name}"])
        weights = by_name(readiness.check_flow(given))["RAFT weights"]
        assert (weights.remedy is not None) is missing and not weights.optional


def test_a_torchvision_for_another_torch_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "torchvision", MISFIT)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(InputError, match="torchvision::nms does not exist") as refused:
        RaftFlow(None, torch.device("cpu"))
    assert "void doctor" in refused.value.remedy


def test_deepspeed_needs_itself_and_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose_config(["distributed=deepspeed", "device=cpu"])
    install(tmp_path, monkeypatch, "deepspeed", 'raise ImportError("No module named deepspeed")')
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    checks = by_name(readiness.check_processes(config))
    assert checks["DeepSpeed"].remedy == "make distributed; or distributed=ddp"
    assert checks["C++ compiler"].remedy == "sudo apt-get install -y g++"
    install(tmp_path, monkeypatch, "deepspeed", '__version__ = "0.19.8"')
    (tmp_path / "g++").touch(mode=0o755)
    checks = by_name(readiness.check_processes(config))
    assert [(check.found, check.remedy) for check in checks.values()] == [("0.19.8", None), ("g++", None)]
    assert list(readiness.check_processes(compose_config(["device=cpu"]))) == []


def test_the_number_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def gpus(count: int, *overrides: str) -> list[Check]:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        return list(readiness.check_processes(compose_config(list(overrides))))

    large = "model=cogvideox_fun_5b"
    (none,) = gpus(0, large)
    assert none.remedy is not None and not none.optional and "4.8 billion" in none.found
    assert [check.remedy for check in gpus(1, large)] == [None]
    (few,) = gpus(2, large, "distributed=ddp")
    assert few.optional and "--nproc_per_node 2" in (few.remedy or "")
    assert [check.remedy for check in gpus(8, large, "distributed=ddp")] == [None]
    # The tiny model trains on several CPU processes, too.
    assert [check.optional for check in gpus(0, "distributed=ddp")] == [True]
    assert gpus(0) == [] and gpus(0, large, "device=cpu") == []


def test_logging_online_needs_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    online = compose_config(["tracker.mode=online"])
    assert [check.remedy for check in readiness.check_tracker(online)] == ["wandb login; or tracker.mode=offline"]
    assert list(readiness.check_tracker(compose_config([]))) == []
    assert list(readiness.check_tracker(compose_config(["tracker=none"]))) == []
    monkeypatch.setenv("WANDB_MODE", "onlin")
    (unknown,) = readiness.check_tracker(compose_config([]))
    assert "WANDB_MODE=onlin" in unknown.found and unknown.remedy is not None
    monkeypatch.setenv("WANDB_API_KEY", "secret-key")
    (known,) = readiness.check_tracker(online)
    assert known.remedy is None and "secret-key" not in known.found
    monkeypatch.delenv("WANDB_API_KEY")
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine api.wandb.ai login user password secret-key\n")
    netrc.chmod(0o600)
    assert [check.remedy for check in readiness.check_tracker(online)] == [None]


def test_pairs_of_both_splits_and_their_length(toy_config: Compose, tmp_path: Path) -> None:
    good = list(readiness.check_pairs(toy_config(), "demo"))
    assert [(check.name, check.found.split()[0], check.remedy) for check in good] == [
        ("pairs of train", "3", None),
        ("pairs of val", "1", None),
    ]
    absent = by_name(readiness.check_pairs(toy_config("data.eval_split=test"), "demo"))["pairs of test"]
    assert absent.found.startswith("none in") and "(train, val)" in (absent.remedy or "") and not absent.optional
    for check in readiness.check_pairs(toy_config("data.frames=13"), "demo"):
        assert "fewer than data.frames=13 frames" in check.found and check.remedy and not check.optional
    (elsewhere,) = readiness.check_pairs(toy_config(f"data.root={tmp_path}/nowhere"), "demo")
    assert elsewhere.found == f"{tmp_path}/nowhere does not exist" and not elsewhere.optional
    assert elsewhere.remedy == "void generate experiment=demo; or data.root=PATH, a folder of pairs"
    (own,) = readiness.check_pairs(toy_config(f"data.root={tmp_path}/run/pairs"), "demo")
    assert own.optional and own.remedy == elsewhere.remedy
    (tmp_path / "empty").mkdir()
    (empty,) = readiness.check_pairs(toy_config(f"data.root={tmp_path}/empty"), "demo")
    assert "manifest.jsonl does not exist" in empty.found and empty.remedy and not empty.optional


def test_the_weights_that_a_stage_begins_with(toy_config: Compose, tmp_path: Path) -> None:
    assert list(readiness.check_initial(toy_config(), "demo")) == []
    (own,) = readiness.check_initial(toy_config("stage=pass2"), "demo_pass2")
    assert own.optional and (own.remedy or "").startswith("void train experiment=demo_pass2 stage=pass1")
    (other,) = readiness.check_initial(compose_config(["experiment=paper_pass2"]), "paper_pass2")
    assert not other.optional and (other.remedy or "").startswith("void train experiment=paper_pass1 stage=pass1")
    # A run that has saved nothing yet.
    (tmp_path / "begun" / "checkpoints").mkdir(parents=True)
    (begun,) = readiness.check_initial(toy_config(f"stage.init_from={tmp_path}/begun"), "demo")
    assert begun.remedy and not begun.optional
    step = tmp_path / "begun" / "checkpoints" / "step-000004"
    (step / "transformer").mkdir(parents=True)
    (step / "trainer.json").write_text("{}")
    (there,) = readiness.check_initial(toy_config(f"stage.init_from={tmp_path}/begun"), "demo")
    assert there.remedy is None and there.found == str(step)


def test_disk_space_for_checkpoints_and_cache(toy_config: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    config = toy_config()
    needed = checkpoints_gib(config) + cache_gib(config, 4)
    disk_with(0.9 * needed, monkeypatch)
    (full,) = readiness.check_disk(config)
    assert full.remedy is not None and "training.root=PATH" in full.remedy and not full.optional
    assert config.training.root in full.found and config.cache.root in full.found
    disk_with(1.1 * needed, monkeypatch)
    assert [check.remedy for check in readiness.check_disk(config)] == [None]
    # What is there already counts.
    filler = Path(config.training.root) / "checkpoints" / "file"
    filler.parent.mkdir(parents=True)
    filler.write_bytes(b"\0" * int(0.5 * checkpoints_gib(config) * GIB))
    disk_with(0.9 * needed, monkeypatch)
    assert [check.remedy for check in readiness.check_disk(config)] == [None]


@pytest.mark.parametrize("optimizer", ["adamw", "came"])
def test_the_predicted_disk_space_is_what_a_run_fills(toy_config: Compose, toy_cache: Path, optimizer: str) -> None:
    def size(folder: Path) -> float:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / GIB

    config = toy_config(
        f"cache.root={toy_cache}",
        f"training.optimizer={optimizer}",
        "training.steps=3",
        "training.checkpoint_every=1",
        "training.validate_every=0",
    )
    train(config)
    kept = config.training.keep_checkpoints
    filled = size(Path(config.training.root) / "checkpoints")
    assert checkpoints_gib(config) * kept / (kept + 1) == pytest.approx(filled, rel=0.05)
    shards = [load_file(shard) for shard in toy_cache.rglob("shard-*.safetensors")]
    cached = sum(tensor.nbytes for shard in shards for tensor in shard.values()) / GIB
    assert cache_gib(config, 4) == pytest.approx(cached, rel=0.001)


def test_noise_of_the_second_pass_takes_space_too(toy_config: Compose) -> None:
    first, second = (cache_gib(toy_config(f"stage={stage}"), 100) for stage in ("pass1", "pass2"))
    assert second > first


@pytest.fixture
def quick_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Runs `void doctor` without Blender; returns its exit status."""

    def run(*overrides: str) -> int:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(doctor, "check_blender", lambda: Check("Blender", "not asked"))
        monkeypatch.setattr(sys, "argv", ["void", "doctor", *overrides])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return run


def test_doctor_of_an_experiment_fails_where_its_run_would(
    quick_doctor: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(tmp_path / "modules", monkeypatch, "torchvision", 'raise ImportError("no torchvision")')
    install(tmp_path / "modules", monkeypatch, "deepspeed", 'raise ImportError("no deepspeed")')
    assert quick_doctor("experiment=paper_pass2") == 2
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("    ")]
    marks = {line[4:].split("  ")[0]: line[:2] for line in lines}
    for name in ("torchvision (RAFT)", "DeepSpeed", "stage.init_from", "model.transformer_weights"):
        assert marks[name] == "no"
    assert marks["pairs"] == "--"


def test_doctor_passes_a_run_whose_earlier_steps_are_still_to_come(
    quick_doctor: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert quick_doctor("experiment=demo") == 0
    printed = capsys.readouterr().out
    assert "-> void generate experiment=demo" in printed and "GiB needed for runs/demo/train" in printed
