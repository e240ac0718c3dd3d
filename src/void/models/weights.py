"""Reading weight files strictly: safetensors only, every key present, every shape right.

Anything else is refused with the list of what differs. Pickles (.bin, .pt, .ckpt) are never opened: they can run code.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from void.errors import InputError
from void.files import read_json
from void.models.config import ModelConfig

SHIPPED = Path(__file__).parent / "weights"
PACKAGE_PREFIX = "package:"
INDEX_SUFFIX = ".safetensors.index.json"
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
NO_PICKLES = "get or make the safetensors version; pickles are not read, they can run code"
NAMED_AT_MOST = 5


def resolve(location: str, model: ModelConfig) -> Path:
    """The path that a `*_weights` key or `tokenizer` names.

    Raises:
        InputError: nothing is there; the remedy shows how to download it.
    """
    if location.startswith(PACKAGE_PREFIX):
        path = SHIPPED / location.removeprefix(PACKAGE_PREFIX)
        if not path.exists():
            shipped = ", ".join(sorted(item.name for item in SHIPPED.glob("*.safetensors")))
            raise InputError(f"{location} is not shipped with this package", f"shipped weights are: {shipped}")
        return path
    path = Path(location)
    if not path.exists():
        if model.hub_repository and model.weights_root:
            remedy = f"download it once: hf download {model.hub_repository} --local-dir {model.weights_root}"
        else:
            remedy = "check the path given in the model's configuration"
        raise InputError(f"model={model.name}: {path} does not exist", remedy)
    return path


def safetensors_files(path: Path) -> list[Path]:
    """The files that hold a module's weights: `path` itself, or a folder's single or sharded safetensors.

    Raises:
        InputError: pickles only, no or several candidates, a shard missing.
    """
    if path.is_file():
        if path.suffix != ".safetensors":
            raise InputError(f"{path} is not a safetensors file", NO_PICKLES)
        return [path]
    indices = sorted(path.glob(f"*{INDEX_SUFFIX}"))
    files = sorted(path.glob("*.safetensors"))
    if len(indices) == 1:
        shards = sorted({path / name for name in read_json(indices[0])["weight_map"].values()})
        missing = [shard.name for shard in shards if not shard.is_file()]
        if missing:
            raise InputError(f"{path} lacks {', '.join(missing)}, named by {indices[0].name}", "finish the download")
        return shards
    if len(files) == 1:
        return files
    if not files and any(item.suffix in PICKLE_SUFFIXES for item in path.iterdir()):
        raise InputError(f"{path} holds weights only as pickles", NO_PICKLES)
    raise InputError(
        f"{path} holds {len(files)} safetensors files and {len(indices)} indices",
        "give a folder with one *.safetensors or one *.safetensors.index.json, or name the file itself",
    )


def read_weights(path: Path) -> dict[str, Tensor]:
    """Every tensor below `path` (a file or a folder).

    Raises:
        InputError: as `safetensors_files`, or a corrupt file.
    """
    tensors: dict[str, Tensor] = {}
    for file in safetensors_files(path):
        try:
            tensors.update(load_file(file))
        except (SafetensorError, OSError) as error:
            raise InputError(f"{file} cannot be read ({error})", "download or write the file again") from error
    return tensors


def load_strict(module: nn.Module, path: Path) -> None:
    """Give `module` the weights below `path`, in float32. `module` may be on the meta device.

    Raises:
        InputError: unless keys and shapes are exactly the module's; the first few of each kind of difference are named.
    """
    found = read_weights(path)
    expected = module.state_dict()
    problems = difference(expected, found)
    if problems:
        raise InputError(
            f"{path} does not fit this {type(module).__name__}: {'; '.join(problems)}",
            "use weights of this architecture, or the model=NAME that fits the weights",
        )
    module.load_state_dict({name: tensor.to(torch.float32) for name, tensor in found.items()}, strict=True, assign=True)
    for parameter in module.parameters():
        parameter.requires_grad_(True)


def difference(expected: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Readable differences in keys and shapes; empty when `found` fits."""
    shapes = [
        f"{name} is {tuple(found[name].shape)}, expected {tuple(expected[name].shape)}"
        for name in expected
        if name in found and found[name].shape != expected[name].shape
    ]
    kinds = {
        "missing": [name for name in expected if name not in found],
        "unexpected": [name for name in found if name not in expected],
        "mis-shaped": shapes,
    }
    return [f"{len(names)} {kind} ({_some(names)})" for kind, names in kinds.items() if names]


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED_AT_MOST]) + (", ..." if len(names) > NAMED_AT_MOST else "")
