"""The accelerator of a run: one process, DDP, or DeepSpeed's ZeRO; and folders that all processes write together."""

from __future__ import annotations

import contextlib
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
from void.training.checks import check_launch, launched_processes
from void.training.config import DistributedKind, Precision

BUCKET_ELEMENTS = 500_000_000
MIXED_PRECISION = {Precision.fp32: "no", Precision.bf16: "bf16", Precision.fp16: "fp16"}


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
