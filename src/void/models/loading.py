"""Giving a network its weights, strictly: every key present, none too many, every shape right.

One exception, by name: a transformer of 33 input channels is expanded to 48 when the caller says by which rule.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from void.errors import InputError
from void.models.comfyui import COMFYUI_BLOCKS, DIFFUSERS_BLOCKS, from_comfyui
from void.models.expansion import BASE_CHANNELS, PATCH_EMBEDDING, VOID_CHANNELS, expand_patch_embed, in_channels
from void.models.lora import is_lora_matrix
from void.models.weights import read_shapes, read_tensors
from void.recipe import MaskExpansion

if TYPE_CHECKING:
    import torch
    from torch import nn

NAMED_AT_MOST = 5
# The first of these that some tensor's name begins with says what a file holds.
KINDS = {
    "transformer": (DIFFUSERS_BLOCKS, COMFYUI_BLOCKS),
    "text encoder": ("encoder.block.",),
    "VAE": ("encoder.down_blocks.", "decoder."),
}

Shapes = dict[str, tuple[int, ...]]

log = logging.getLogger(__name__)


def load_strict(
    module: nn.Module, path: Path, *, dtype: torch.dtype | None = None, expansion: MaskExpansion | None = None
) -> None:
    """Give `module` the weights below `path`.

    Tensors are read one at a time and converted as they come, so that at no time more than one copy is in memory.

    Args:
        module: may be on the meta device, which spares its random weights.
        path: a safetensors file, or a folder of one or several; a transformer's names may also be ComfyUI's.
        dtype: Type of the weights in memory; None: float32.
        expansion: how a transformer of 33 input channels becomes one of 48; None: not at all.

    Raises:
        InputError: the files cannot be read, hold something else, have neither 33 nor 48 input channels, or do not have
            exactly the module's keys and shapes; the first few of each kind of difference are named.
    """
    names, rule = check_fits(module, path, expansion=expansion)
    if rule is not None:
        log.info("%s: %d input channels become %d by rule %s", path, BASE_CHANNELS, VOID_CHANNELS, rule.value)
    weights = {}
    for name, tensor in read_tensors(path):
        if rule is not None and names[name] == PATCH_EMBEDDING:
            tensor = expand_patch_embed(tensor, rule)
        weights[names[name]] = tensor.float() if dtype is None else tensor.to(dtype)
    module.load_state_dict(weights, strict=True, assign=True)
    for parameter in module.parameters():
        parameter.requires_grad_(True)


def check_fits(
    module: nn.Module, path: Path, *, expansion: MaskExpansion | None = None
) -> tuple[dict[str, str], MaskExpansion | None]:
    """Compare the weights below `path` with what `module` needs; only headers are read.

    Args:
        module: Network that is to get the weights; may be on the meta device.
        path: Safetensors file, or folder of one or several.
        expansion: How a transformer of 33 input channels becomes one of 48; None: not at all.

    Returns:
        The module's name of each tensor on disk, and the rule of expansion where it has to be applied.

    Raises:
        InputError: As `load_strict`.
    """
    on_disk = read_shapes(path)
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    _check_kind(_kind(expected), on_disk, path)
    names = _module_names(on_disk)
    found = {names[name]: shape for name, shape in on_disk.items()}
    rule = expansion if _is_narrow(found, path) else None
    if rule is not None:
        found[PATCH_EMBEDDING] = expected[PATCH_EMBEDDING]
    problems = difference(expected, found)
    if problems:
        raise InputError(
            f"{path} does not fit this {type(module).__name__}: {'; '.join(problems)}",
            "use weights of this architecture, or the model=NAME that fits the weights",
        )
    return names, rule


def needs_expansion(path: Path) -> bool:
    """Whether the transformer below `path` has 33 input channels rather than 48; only headers are read.

    Raises:
        InputError: the files cannot be read, hold something else, or have another number of channels.
    """
    shapes = read_shapes(path)
    _check_kind("transformer", shapes, path)
    return _is_narrow(shapes, path)


def difference(expected: Shapes, found: Shapes) -> list[str]:
    """Readable differences in keys and shapes; empty when `found` fits."""
    shapes = [
        f"{name} is {found[name]}, expected {expected[name]}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    kinds = {
        "missing": [name for name in expected if name not in found],
        "unexpected": [name for name in found if name not in expected],
        "mis-shaped": shapes,
    }
    return [f"{len(names)} {kind} ({_some(names)})" for kind, names in kinds.items() if names]


def _is_narrow(shapes: Shapes, path: Path) -> bool:
    shape = shapes.get(PATCH_EMBEDDING, ())
    return len(shape) == 2 and in_channels(shape[1], str(path)) == BASE_CHANNELS


def _check_kind(wanted: str | None, found: Shapes, path: Path) -> None:
    if any(is_lora_matrix(name) for name in found):
        raise InputError(
            f"{path} holds a LoRA, not a whole network",
            f"give it as infer.lora={path}, and as checkpoint the model that it was trained on",
        )
    held = _kind(found)
    if held is not None and held != wanted:
        raise InputError(f"{path} holds a {held}, not a {wanted}", f"give the file or folder of the {wanted}")


def _kind(names: Shapes) -> str | None:
    return next((kind for kind, begin in KINDS.items() if any(name.startswith(begin) for name in names)), None)


def _module_names(on_disk: Shapes) -> dict[str, str]:
    if any(name.startswith(COMFYUI_BLOCKS) for name in on_disk):
        return {name: from_comfyui(name) for name in on_disk}
    return {name: name for name in on_disk}


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED_AT_MOST]) + (", ..." if len(names) > NAMED_AT_MOST else "")
