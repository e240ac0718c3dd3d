"""Where networks run."""

from __future__ import annotations

import torch

from void.errors import InputError


def torch_device(name: str) -> torch.device:
    """The device that the key `device` names: `auto` is CUDA when there is one, else the CPU.

    Raises:
        InputError: no such device, or not on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"device={name} is not a device", "use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise InputError(
            f"device={name}: torch sees {torch.cuda.device_count()} CUDA devices here", "use device=auto or device=cpu"
        )
    return device
