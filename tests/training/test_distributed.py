"""Two real processes on the CPU: DDP and DeepSpeed's ZeRO-2, killed and continued."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file
from toy import toy_overrides

from void.composition import compose_config
from void.models.checkpoints import find_checkpoint
from void.tracking.metrics_file import read_metrics
from void.training.distributed import zero_settings
from void.training.optim import learning_rate

REPOSITORY = Path(__file__).resolve().parents[2]
STEPS = 6


def launch(root: Path, overrides: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    arguments = [*overrides, f"training.root={root}"]
    return subprocess.Popen([*command, str(REPOSITORY / "train.py"), *arguments], cwd=root.parent, env=environment)


def finish(process: subprocess.Popen[bytes]) -> None:
    assert process.wait(timeout=400) == 0


def outcome(root: Path) -> tuple[list[tuple[int, float, float]], dict[str, torch.Tensor]]:
    records = [record for record in read_metrics(root) if record["kind"] == "train"]
    folder = find_checkpoint(root) / "transformer"
    losses = [(record["step"], record["loss"], record["lr"]) for record in records]
    return losses, load_file(folder / "diffusion_pytorch_model.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ["distributed=ddp", "training.validate_every=6", "training.validation_steps=1"],
        ["distributed=deepspeed", "training.validate_every=0", "training.optimizer=came"],
        ["distributed=deepspeed", "training.validate_every=0", "training.mixed_precision=bf16"],
    ],
    ids=["ddp", "zero2-came", "zero2-bf16"],
)
def test_two_processes_continue_bit_for_bit(
    overrides: list[str], toy_data: Path, toy_cache: Path, tmp_path: Path
) -> None:
    common = [
        *toy_overrides(toy_data, tmp_path / "run"),
        *(f"cache.root={toy_cache}", "training.batch_size=1", f"training.steps={STEPS}", "training.log_every=1"),
        *("training.checkpoint_every=2", *overrides),
    ]
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    finish(launch(straight, common))
    process = launch(broken, common)
    while not (broken / "checkpoints" / "step-000002").is_dir():
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.01)
    # torchrun gives each process a session of its own, which outlives it.
    workers = psutil.Process(process.pid).children(recursive=True)
    for victim in (psutil.Process(process.pid), *workers):
        victim.kill()
    psutil.wait_procs(workers)
    process.wait()
    finish(launch(broken, common))
    losses, weights = outcome(straight)
    again, continued = outcome(broken)
    assert losses == again
    assert all(torch.equal(weights[name], continued[name]) for name in weights)
    # The schedule is stepped once an optimiser step, not once a process.
    rate = learning_rate(compose_config(common).training)
    assert [lr for _, _, lr in losses] == [rate(step) for step in range(1, STEPS + 1)]


def test_deepspeed_is_told_not_to_clip() -> None:
    settings = zero_settings(compose_config(["recipe.clip_gradients=false"]), overlap=True)
    assert settings["gradient_clipping"] == 0


def test_deepspeed_is_told_to_clip() -> None:
    settings = zero_settings(compose_config(["training.max_grad_norm=0.5", "training.batch_size=3"]), overlap=True)
    assert settings["gradient_clipping"] == 0.5
    assert settings["train_micro_batch_size_per_gpu"] == 3
    assert settings["zero_optimization"]["stage"] == 2
