"""GPU types: memory and peak arithmetic, as third-party pages quote the vendor's documents; those were not at hand."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from void.errors import InputError


@dataclass(frozen=True)
class Gpu:
    """One type.

    Args:
        name: as in `plan.gpu`.
        memory_gib: nominal memory; drivers keep a few hundred MiB of it.
        bf16_tflops: peak of bf16 matrix products with float32 accumulation, dense (without sparsity), 10^12 FLOP/s.
        source: document of the vendor that gives both, to check against.
    """

    name: str
    memory_gib: float
    bf16_tflops: float
    source: str


# Data sheets quote twice the dense rate where they assume 2:4 sparsity; GeForce cards reach half their float16 rate
# when they accumulate in float32, as bf16 always does.
_TABLE = (
    Gpu("a100-40gb", 40, 312.0, "NVIDIA A100 data sheet"),
    Gpu("a100-80gb", 80, 312.0, "NVIDIA A100 data sheet"),
    Gpu("h100-pcie", 80, 756.5, "NVIDIA H100 data sheet: 1,513 with sparsity"),
    Gpu("h100-sxm", 80, 989.5, "NVIDIA H100 data sheet: 1,979 with sparsity"),
    Gpu("h200", 141, 989.5, "NVIDIA H200 data sheet: 1,979 with sparsity"),
    Gpu("l40s", 48, 362.05, "NVIDIA L40S data sheet"),
    Gpu("rtx3090", 24, 71.0, "NVIDIA GA102 architecture white paper"),
    Gpu("rtx4090", 24, 165.2, "NVIDIA Ada architecture white paper"),
    Gpu("rtx5090", 32, 209.5, "NVIDIA RTX Blackwell architecture white paper"),
)
GPUS = {gpu.name: gpu for gpu in _TABLE}


def find_gpu(name: str) -> Gpu:
    """The type of that name.

    Raises:
        InputError: the name is not in the table.
    """
    wanted = name.strip().lower()
    if wanted in GPUS:
        return GPUS[wanted]
    near = difflib.get_close_matches(wanted.replace("_", "-"), GPUS, 1, cutoff=0.5)
    meant = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"plan.gpu={name} is unknown", f"{meant}known types are: {', '.join(GPUS)}")
