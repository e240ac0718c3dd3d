"""LoRA adapters of the transformer, in the layout that diffusers and peft write.

Each adapted linear layer has two matrices, `transformer.LAYER.lora_A.weight` `(rank, in)` and
`transformer.LAYER.lora_B.weight` `(out, rank)`. Every one is checked before any is loaded: diffusers would leave out
those that have no layer, with a warning.
"""

from __future__ import annotations

import re
from pathlib import Path

from torch import nn

from void.errors import InputError
from void.models.weights import read_shapes, safetensors_files
from void.pipelines.void_pipeline import VoidPipeline

ADAPTER = "lora"
PREFIX = "transformer."
KEY = re.compile(rf"{re.escape(PREFIX)}(?P<layer>.+)\.lora_(?P<matrix>[AB])\.weight")


def load_lora(pipeline: VoidPipeline, path: str | Path, scale: float = 1.0) -> None:
    """Add a LoRA to the pipeline's transformer, which has none; `pipeline.unload_lora_weights()` takes it away again.

    Args:
        pipeline: changed in place.
        path: a safetensors file, or a folder with one.
        scale: factor of its contribution.

    Raises:
        InputError: the file is missing, broken or a pickle, holds a whole network, or is made for another model.
    """
    file = check_fits_transformer(path, pipeline.transformer)
    pipeline.load_lora_weights(
        file.parent, weight_name=file.name, adapter_name=ADAPTER, local_files_only=True, use_safetensors=True
    )
    pipeline.set_adapters([ADAPTER], [scale])


def check_fits_transformer(path: str | Path, transformer: nn.Module) -> Path:
    """The file of a LoRA, which was compared with a transformer (perhaps on the meta device) by its header.

    Raises:
        InputError: As `load_lora`.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"infer.lora={path} does not exist", "check the path")
    files = safetensors_files(path)
    if len(files) != 1:
        raise InputError(f"infer.lora={path} is spread over {len(files)} files", "give one safetensors file")
    problem = _mismatch(transformer, read_shapes(files[0]))
    if problem:
        raise InputError(f"infer.lora={files[0]}: {problem}", "use a LoRA that was trained for this transformer")
    return files[0]


def _mismatch(transformer: nn.Module, shapes: dict[str, tuple[int, ...]]) -> str | None:
    """What is wrong with the first matrix that does not belong to this transformer."""
    if not any("lora" in name for name in shapes):
        return "it holds no LoRA matrices; a whole transformer goes to infer.checkpoint"
    layers = dict(transformer.named_modules())
    for name, shape in sorted(shapes.items()):
        key = KEY.fullmatch(name)
        if key is None:
            return f"{name} is not a key of the form {PREFIX}LAYER.lora_A.weight or {PREFIX}LAYER.lora_B.weight"
        layer = layers.get(key["layer"])
        if not isinstance(layer, nn.Linear):
            return f"{name}: this transformer has no linear layer {key['layer']}"
        matrix, other = (1, "B") if key["matrix"] == "A" else (0, "A")
        partner = f"{PREFIX}{key['layer']}.lora_{other}.weight"
        if partner not in shapes:
            return f"{name} is there without {partner}"
        expected = layer.weight.shape[matrix]
        if len(shape) != 2 or shape[matrix] != expected:
            needed = f"(rank, {expected})" if matrix else f"({expected}, rank)"
            return f"{name} is {shape}, this transformer needs {needed}"
        if len(shapes[partner]) == 2 and shape[1 - matrix] != shapes[partner][matrix]:
            return f"{name} is {shape}, but {partner} {shapes[partner]}: the ranks differ"
    return None
