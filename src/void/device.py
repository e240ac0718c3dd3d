"""Where networks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from void.errors import InputError

if TYPE_CHECKING:
    import torch


def torch_device(name: str) -> torch.device:
    """The device that the key `device` names: `auto` is CUDA when there is one, else the CPU.

    Raises:
        InputError: no such device, or not on this machine.
    """
    # Imported here because torch takes seconds to load, and a finished run needs no device.
    import torch

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
