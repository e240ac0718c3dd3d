"""The accelerator of a run: one process, DDP, or DeepSpeed's ZeRO; and folders that all processes write together."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import (
    DeepSpeedPlugin,
    DistributedType,
    GradientAccumulationPlugin,
    InitProcessGroupKwargs,
    broadcast_object_list,
)

from void.config import VoidConfig
from void.device import torch_device
from void.errors import InputError
from void.files import whole_folder
from void.training.config import DistributedKind, Precision

ZERO_STAGES = (1, 2)
BUCKET_ELEMENTS = 500_000_000
MIXED_PRECISION = {Precision.fp32: "no", Precision.bf16: "bf16", Precision.fp16: "fp16"}


def launched_processes() -> int:
    """Processes in all, as the launcher announced them; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_launch(cfg: VoidConfig) -> None:
    """Raise unless the launch fits `cfg.distributed`.

    Raises:
        InputError: several processes with kind=single, no launcher with another kind, an unsupported ZeRO stage, EMA
            under DeepSpeed, or DeepSpeed is not installed.
    """
    kind, processes = cfg.distributed.kind, launched_processes()
    if kind is DistributedKind.single:
        if processes > 1:
            raise InputError(f"distributed=single, but {processes} processes were launched", "add distributed=ddp")
        return
    if "WORLD_SIZE" not in os.environ:
        raise InputError(
            f"distributed={kind} without a launcher",
            f"torchrun --standalone --nproc_per_node 2 train.py distributed={kind} ..., or use distributed=single",
        )
    if kind is DistributedKind.deepspeed:
        if importlib.util.find_spec("deepspeed") is None:
            remedy = "pip install --no-build-isolation 'void[distributed]', or use distributed=ddp"
            raise InputError("distributed=deepspeed, but DeepSpeed is not installed", remedy)
        if cfg.distributed.zero_stage not in ZERO_STAGES:
            raise InputError(f"distributed.zero_stage={cfg.distributed.zero_stage} is not supported", "use 1 or 2")
        if cfg.training.ema_decay is not None:
            raise InputError("training.ema_decay is not supported with distributed=deepspeed", "use distributed=ddp")


def build_accelerator(cfg: VoidConfig) -> Accelerator:
    """A fresh accelerator for this configuration.

    Raises:
        InputError: as `check_launch`.
    """
    check_launch(cfg)
    # accelerate keeps its state in process-wide singletons, which would survive from an earlier job of a sweep.
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    device = torch_device(cfg.device)
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    on_cpu = device.type == "cpu"
    several = cfg.distributed.kind is not DistributedKind.single
    options: dict[str, Any] = {}
    if several and on_cpu:
        options["kwargs_handlers"] = [InitProcessGroupKwargs(backend="gloo")]
    if cfg.distributed.kind is DistributedKind.deepspeed:
        if on_cpu:
            os.environ.setdefault("DS_ACCELERATOR", "cpu")
        options["deepspeed_plugin"] = DeepSpeedPlugin(hf_ds_config=zero_settings(cfg, overlap=not on_cpu))
    accelerator = Accelerator(
        # With cpu=True accelerate would ignore the DeepSpeed plugin without a word.
        cpu=on_cpu and cfg.distributed.kind is not DistributedKind.deepspeed,
        mixed_precision=MIXED_PRECISION[cfg.training.mixed_precision],
        gradient_accumulation_plugin=GradientAccumulationPlugin(
            num_steps=cfg.training.gradient_accumulation, sync_with_dataloader=False
        ),
        **options,
    )
    _check_kind(accelerator, cfg.distributed.kind)
    return accelerator


def _check_kind(accelerator: Accelerator, kind: DistributedKind) -> None:
    """accelerate falls back silently; a run must not."""
    if (accelerator.distributed_type is DistributedType.DEEPSPEED) != (kind is DistributedKind.deepspeed):
        raise InputError(
            f"distributed={kind}, but accelerate started {accelerator.distributed_type.value}",
            "unset ACCELERATE_USE_CPU and ACCELERATE_USE_DEEPSPEED; device=cpu chooses the CPU",
        )
    assert accelerator.num_processes == launched_processes()


def zero_settings(cfg: VoidConfig, *, overlap: bool) -> dict[str, Any]:
    """DeepSpeed's configuration. It states the clipping: under DeepSpeed `accelerator.clip_grad_norm_` only reports."""
    return {
        "train_micro_batch_size_per_gpu": cfg.training.batch_size,
        "gradient_accumulation_steps": cfg.training.gradient_accumulation,
        # 0: not clipped.
        "gradient_clipping": cfg.training.max_grad_norm if cfg.recipe.clip_gradients else 0.0,
        "bf16": {"enabled": cfg.training.mixed_precision is Precision.bf16},
        "fp16": {"enabled": cfg.training.mixed_precision is Precision.fp16},
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "zero_optimization": {
            "stage": cfg.distributed.zero_stage,
            "overlap_comm": overlap,
            "contiguous_gradients": True,
            "reduce_bucket_size": BUCKET_ELEMENTS,
            "allgather_bucket_size": BUCKET_ELEMENTS,
            "offload_optimizer": {"device": "cpu" if cfg.distributed.offload_optimizer else "none"},
        },
    }


@contextlib.contextmanager
def shared_folder(accelerator: Accelerator, path: Path, kind: str) -> Iterator[Path]:
    """`whole_folder` for all processes: each writes into the yielded folder; the first publishes it when all have.

    `path` must be on a file system that all processes share; `kind` is as for `whole_folder`.
    """
    with contextlib.ExitStack() as stack:
        partial: list[Any] = [None]
        if accelerator.is_main_process:
            partial = [str(stack.enter_context(whole_folder(path, kind)))]
        broadcast_object_list(partial)
        yield Path(partial[0])
        accelerator.wait_for_everyone()
    accelerator.wait_for_everyone()
