"""LoRA adapters of the transformer, from the files of any trainer (`void.models.lora` reads them).

diffusers would leave out the matrices that have no layer, with a warning, and takes alpha for the rank where a file's
keys have another form. Here every key is checked before any matrix is loaded.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from void.config import VoidConfig
from void.models.checkpoints import transformer_arguments
from void.models.lora import Lora, linear_layers, open_lora, peft_arguments, read_matrices
from void.pipelines.weights import Checkpoint
from void.recipe import MaskExpansion, RecipeConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

    from void.pipelines.void_pipeline import VoidPipeline

ADAPTER = "lora"

log = logging.getLogger(__name__)


def check_lora(
    path: str | Path, config: VoidConfig, checkpoint: Checkpoint | None = None, key: str = "infer.lora"
) -> Lora:
    """Check a LoRA against the transformer that a configuration samples with; no network is built.

    Args:
        path: A safetensors file, or a folder with one.
        config: The run, which gives the architecture of `model`.
        checkpoint: The transformer's checkpoint; where it is a folder, its config.json gives the architecture.
        key: Configuration key that names the file, for messages.

    Returns:
        The adapted layers, with the scale of each.

    Raises:
        InputError: As `load_lora`.
    """
    location = None if checkpoint is None else checkpoint.location
    return open_lora(path, linear_layers(transformer_arguments(location, config.model)), key)


def load_lora(
    pipeline: VoidPipeline, path: str | Path, scale: float = 1.0, expansion: MaskExpansion | None = None
) -> None:
    """Add a LoRA to the pipeline's transformer, which has none; `pipeline.unload_lora_weights()` takes it away again.

    Each layer's own scale, alpha / rank, is multiplied into its second matrix, so that the adapter has scale 1.

    Args:
        pipeline: The pipeline, changed in place.
        path: A safetensors file, or a folder with one.
        scale: Factor of the whole contribution.
        expansion: Rule by which a patch embedding of 33 input channels gets 48; None for the default recipe's.

    Raises:
        InputError: The file is missing, broken or a pickle, holds a whole network or another kind of adapter, or is
            made for another model.
    """
    transformer = pipeline.transformer
    lora = open_lora(path, _linear_layers(transformer))
    for note in lora.notes:
        log.warning("%s", note)
    matrices: dict[str, Tensor] = {}
    for layer, down, up in read_matrices(lora, expansion or RecipeConfig().mask_expansion):
        matrices[f"{layer.name}.lora_A.weight"] = down.to(transformer.dtype)
        matrices[f"{layer.name}.lora_B.weight"] = (layer.scale * up).to(transformer.dtype)
    ranks = {layer.name: layer.rank for layer in lora.layers}
    adapter = peft_arguments(ranks, ranks)
    transformer.load_lora_adapter(matrices, prefix=None, adapter_name=ADAPTER, metadata=adapter, _pipeline=pipeline)
    pipeline.set_adapters([ADAPTER], [scale])


def _linear_layers(transformer: nn.Module) -> dict[str, tuple[int, int]]:
    # Imported here because torch takes seconds to load, and a file is checked without it.
    from torch import nn

    return {
        name: (layer.out_features, layer.in_features)
        for name, layer in transformer.named_modules()
        if isinstance(layer, nn.Linear)
    }
