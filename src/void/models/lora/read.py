"""Reading a LoRA file, whatever program wrote it.

Everything that a header and its few scalars tell is checked before any matrix is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.errors import InputError
from void.files import sha256_file
from void.models.expansion import BASE_CHANNELS, COLUMNS_PER_CHANNEL, PATCH_EMBEDDING, VOID_CHANNELS, expand_patch_embed
from void.models.lora.layers import LayerShapes
from void.models.lora.names import LayerNames, Part, is_lora_matrix, is_of_text_encoder, other_method, split_key
from void.models.lora.scales import ADAPTER_WEIGHTS, AdapterConfig, config_file, find_config
from void.models.weights import read_dtypes, read_metadata, read_shapes, read_tensors, safetensors_files
from void.recipe import MaskExpansion

if TYPE_CHECKING:
    from torch import Tensor

PEFT_PREFIX = "base_model.model."
PATCH_LAYER = PATCH_EMBEDDING.removesuffix(".weight")
BASE_COLUMNS, VOID_COLUMNS = BASE_CHANNELS * COLUMNS_PER_CHANNEL, VOID_CHANNELS * COLUMNS_PER_CHANNEL
FLOATS = ("F64", "F32", "F16", "BF16")
REMEDY = "use a LoRA that was trained for this transformer"
NAMED_AT_MOST = 3

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LoraLayer:
    """An adapted layer: it adds `scale * up @ down` to the layer's weight.

    Args:
        name: Name of the layer in the transformer, as diffusers has it.
        down: Key of the matrix `(rank, in)` in the file.
        up: Key of the matrix `(out, rank)` in the file.
        rank: Rank of both matrices.
        alpha: Numerator of the scale.
        is_narrow: True for a patch embedding of 33 input channels.
    """

    name: str
    down: str
    up: str
    rank: int
    alpha: float
    is_narrow: bool = False

    @property
    def scale(self) -> float:
        """Factor of the product of the matrices."""
        return self.alpha / self.rank


@dataclass(frozen=True)
class Lora:
    """A LoRA file that fits the transformer.

    Args:
        file: The safetensors file.
        layers: Adapted layers, in order of name.
        notes: Sentences that the user should read, such as one about keys that are passed over.
    """

    file: Path
    layers: tuple[LoraLayer, ...]
    notes: tuple[str, ...] = ()


def open_lora(path: str | Path, layers: LayerShapes, key: str = "infer.lora") -> Lora:
    """Check a LoRA against a transformer; only the header and the alphas are read.

    Args:
        path: A safetensors file, or a folder with one.
        layers: Name and weight shape `(out, in)` of the transformer's linear layers.
        key: Configuration key that names the file, for messages.

    Raises:
        InputError: The file is missing, broken or a pickle, holds a whole network or another kind of adapter, or does
            not fit the transformer; the first key that is wrong is named.
    """
    file = lora_file(path, key)
    where, shapes = f"{key}={file}", read_shapes(file)
    of_text = sorted(name for name in shapes if is_of_text_encoder(name))
    found = _parts_by_layer({name: shape for name, shape in shapes.items() if name not in of_text}, layers, where)
    if not found:
        raise _nothing_to_adapt(where, of_text)
    _check_types(file, where)
    config = find_config(file, read_metadata(file), of_peft=any(name.startswith(PEFT_PREFIX) for name in shapes))
    alphas = _alphas(file, found, where)
    adapted = tuple(
        _layer(name, found[name], shapes, layers[name], alphas.get(name), config, where) for name in sorted(found)
    )
    return Lora(file, adapted, tuple(_notes(file, of_text, adapted, config, alphas)))


def read_matrices(lora: Lora, expansion: MaskExpansion) -> Iterator[tuple[LoraLayer, Tensor, Tensor]]:
    """Each adapted layer with its matrices down `(rank, in)` and up `(out, rank)`, in float32.

    The down matrix of a 33-channel patch embedding is expanded like the weight itself. The expansion E acts on columns
    and is linear, so E(W + s up down) = E(W) + s up E(down).

    Args:
        lora: The checked file.
        expansion: Rule by which 33 input channels become 48.

    Raises:
        InputError: A matrix holds a value that is not finite.
    """
    keys = {name for layer in lora.layers for name in (layer.down, layer.up)}
    tensors = dict(read_tensors(lora.file, keys))
    for layer in lora.layers:
        down, up = tensors[layer.down].float(), tensors[layer.up].float()
        for name, matrix in ((layer.down, down), (layer.up, up)):
            if not matrix.isfinite().all():
                raise InputError(f"{lora.file}: {name} holds values that are not finite", "save the LoRA again")
        yield layer, expand_patch_embed(down, expansion) if layer.is_narrow else down, up


def lora_identity(path: str | Path, expansion: MaskExpansion, key: str = "infer.lora") -> dict[str, Any]:
    """Everything that a LoRA's effect depends on, as JSON: its files by checksum, and the expansion where it is used.

    Raises:
        InputError: The file is missing or broken.
    """
    file = lora_file(path, key)
    files = [file, *filter(None, [config_file(file)])]
    is_narrow = any("patch_embed" in name and shape[1:] == (BASE_COLUMNS,) for name, shape in read_shapes(file).items())
    return {"files": {item.name: sha256_file(item) for item in files}} | (
        {"mask_expansion": expansion.value} if is_narrow else {}
    )


def lora_file(path: str | Path, key: str = "infer.lora") -> Path:
    """The one safetensors file that a path names.

    Raises:
        InputError: Nothing is there, or more than one file.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{key}={path} does not exist", "check the path")
    if (path / ADAPTER_WEIGHTS).is_file():
        return path / ADAPTER_WEIGHTS
    files = safetensors_files(path)
    if len(files) != 1:
        raise InputError(f"{key}={path} is spread over {len(files)} files", "give one safetensors file")
    return files[0]


def _parts_by_layer(shapes: Mapping[str, Shape], layers: LayerShapes, where: str) -> dict[str, dict[Part, str]]:
    """The key of each part of each adapted layer, by the layer's name."""
    names, found = LayerNames(layers), dict[str, dict[Part, str]]()
    for key in sorted(shapes):
        split = split_key(key)
        if split is None:
            raise _unknown_key(key, shapes, where)
        layer, part = names.find(split[0]), split[1]
        if layer is None:
            num_lacking = sum((other := split_key(name)) is None or names.find(other[0]) is None for name in shapes)
            raise InputError(
                f"{where}: {key}: this transformer has no linear layer {split[0]} ({num_lacking} of {len(shapes)} keys "
                "are of layers that it lacks)",
                REMEDY,
            )
        parts = found.setdefault(layer, {})
        if part in parts:
            raise InputError(f"{where}: {parts[part]} and {key} are of one layer, {layer}", "give a file of one LoRA")
        parts[part] = key
    return found


def _unknown_key(key: str, shapes: Mapping[str, Shape], where: str) -> InputError:
    method = next(filter(None, map(other_method, shapes)), None)
    if method is not None:
        named = next(name for name in shapes if other_method(name))
        return InputError(
            f"{where}: {named} belongs to {method}, which is not plain LoRA",
            "merge the adapter into its model with the program that trained it, or train a plain LoRA",
        )
    if not any(split_key(name) for name in shapes):
        return InputError(f"{where} holds no LoRA matrices", "a whole transformer goes to infer.checkpoint")
    return InputError(
        f"{where}: {key} is not a key of a LoRA layer, such as LAYER.lora_A.weight, LAYER.lora_down.weight or "
        "LAYER.alpha",
        REMEDY,
    )


def _nothing_to_adapt(where: str, of_text: list[str]) -> InputError:
    if of_text:
        return InputError(f"{where} adapts a text encoder only ({of_text[0]}, ...)", REMEDY)
    return InputError(f"{where} holds no LoRA matrices", "a whole transformer goes to infer.checkpoint")


def _check_types(file: Path, where: str) -> None:
    # An alpha may be an integer: kohya's trainer keeps it as it was given.
    for name, dtype in read_dtypes(file).items():
        if is_lora_matrix(name) and not is_of_text_encoder(name) and dtype not in FLOATS:
            raise InputError(f"{where}: {name} is of type {dtype}", "save the LoRA as float32, float16 or bfloat16")


def _alphas(file: Path, found: Mapping[str, Mapping[Part, str]], where: str) -> dict[str, float]:
    """The alpha of each layer whose alpha is in the file."""
    keys = {parts[Part.alpha]: layer for layer, parts in found.items() if Part.alpha in parts}
    alphas = {}
    for name, tensor in read_tensors(file, keys):
        if tensor.numel() != 1 or not tensor.isfinite().all():
            raise InputError(f"{where}: {name} is {tensor.tolist()}, not one number", "save the LoRA again")
        alphas[keys[name]] = float(tensor.item())
    return alphas


def _layer(
    name: str,
    parts: Mapping[Part, str],
    shapes: Mapping[str, Shape],
    weight: tuple[int, int],
    alpha: float | None,
    config: AdapterConfig | None,
    where: str,
) -> LoraLayer:
    for part, other in ((Part.down, Part.up), (Part.up, Part.down)):
        if part not in parts:
            have = parts.get(other) or parts[Part.alpha]
            raise InputError(f"{where}: {have} is there without the {part.value} matrix of {name}", REMEDY)
    down, up = parts[Part.down], parts[Part.up]
    narrow = name == PATCH_LAYER and weight[1] == VOID_COLUMNS and shapes[down][1:] == (BASE_COLUMNS,)
    columns = BASE_COLUMNS if narrow else weight[1]
    if len(shapes[down]) != 2 or shapes[down][1] != columns:
        raise InputError(f"{where}: {down} is {shapes[down]}, this transformer needs (rank, {columns})", REMEDY)
    if len(shapes[up]) != 2 or shapes[up][0] != weight[0]:
        raise InputError(f"{where}: {up} is {shapes[up]}, this transformer needs ({weight[0]}, rank)", REMEDY)
    rank = shapes[down][0]
    if rank != shapes[up][1] or rank < 1:
        raise InputError(f"{where}: {down} is {shapes[down]}, but {up} {shapes[up]}: the ranks differ", REMEDY)
    if alpha is None:
        alpha = float(rank) if config is None else config.alpha_of(name, rank)
    return LoraLayer(name, down, up, rank, alpha, narrow)


def _notes(
    file: Path,
    of_text: list[str],
    layers: tuple[LoraLayer, ...],
    config: AdapterConfig | None,
    alphas: Mapping[str, float],
) -> Iterator[str]:
    if of_text:
        shown = ", ".join(of_text[:NAMED_AT_MOST]) + (", ..." if len(of_text) > NAMED_AT_MOST else "")
        yield f"{file}: {len(of_text)} keys adapt a text encoder and are not used ({shown})"
    if config is None and not alphas and layers[0].down.startswith(PEFT_PREFIX):
        yield f"{file} lies without the adapter_config.json that peft saves with it: alpha is taken to be the rank"
