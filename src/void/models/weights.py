"""Finding and reading files of weights: safetensors only.

Pickles (.bin, .pt, .ckpt) are never opened, whatever they are called: they can run code. Tensors are read one by one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from void.errors import InputError
from void.files import read_json
from void.models.config import ModelConfig

if TYPE_CHECKING:
    from torch import Tensor

SHIPPED = Path(__file__).parent / "weights"
PACKAGE_PREFIX = "package:"
INDEX_SUFFIX = ".safetensors.index.json"
SUFFIX = ".safetensors"
"""Of the files that weights are read from, in any case."""
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
# What a pickle begins with: torch's zip archives, and bare pickles of protocol 2 and later.
PICKLE_BEGINNINGS = (b"PK\x03\x04", b"\x80")
NO_PICKLES = "get or make the safetensors version; pickles are not read, they can run code"


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
        if path.suffix.lower() != SUFFIX:
            raise InputError(f"{path} is not a safetensors file", NO_PICKLES)
        return [path]
    indices = sorted(path.glob(f"*{INDEX_SUFFIX}"))
    files = sorted(item for item in path.iterdir() if item.suffix.lower() == SUFFIX and item.is_file())
    if len(indices) == 1:
        shards = sorted({path / name for name in read_json(indices[0])["weight_map"].values()})
        missing = [shard.name for shard in shards if not shard.is_file()]
        if missing:
            raise InputError(f"{path} lacks {', '.join(missing)}, named by {indices[0].name}", "finish the download")
        return shards
    if len(files) == 1:
        return files
    if not files and any(item.suffix.lower() in PICKLE_SUFFIXES for item in path.iterdir()):
        raise InputError(f"{path} holds weights only as pickles", NO_PICKLES)
    raise InputError(
        f"{path} holds {len(files)} safetensors files and {len(indices)} indices",
        "give a folder with one *.safetensors or one *.safetensors.index.json, or name the file itself",
    )


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor below `path` (a file or a folder); only headers are read.

    Raises:
        InputError: as `safetensors_files`, or a file is a pickle, truncated or corrupt.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in safetensors_files(path):
        with _opened(file) as content:
            shapes |= {name: tuple(content.get_slice(name).get_shape()) for name in content.keys()}  # noqa: SIM118
    return shapes


def read_dtypes(path: Path) -> dict[str, str]:
    """Name and type (F32, BF16, ...) of every tensor below `path`; only headers are read.

    Raises:
        InputError: as `read_shapes`.
    """
    dtypes: dict[str, str] = {}
    for file in safetensors_files(path):
        with _opened(file) as content:
            dtypes |= {name: content.get_slice(name).get_dtype() for name in content.keys()}  # noqa: SIM118
    return dtypes


def read_tensors(path: Path, names: Collection[str] | None = None) -> Iterator[tuple[str, Tensor]]:
    """Name and values of every tensor below `path`, one at a time, as they are on disk.

    Args:
        path: A file or a folder.
        names: Names of the tensors to read; None for all.

    Raises:
        InputError: as `read_shapes`.
    """
    for file in safetensors_files(path):
        with _opened(file, framework="pt") as content:
            for name in content.keys():  # noqa: SIM118
                if names is None or name in names:
                    yield name, content.get_tensor(name)


def read_metadata(file: Path) -> dict[str, str]:
    """The free-text entries of one file's header.

    Raises:
        InputError: as `read_shapes`.
    """
    with _opened(file) as content:
        return content.metadata() or {}


@contextlib.contextmanager
def _opened(file: Path, framework: str = "numpy") -> Iterator[Any]:
    """Open a file. Headers are read with NumPy: safetensors imports the framework, and torch takes seconds to load."""
    try:
        with safe_open(file, framework=framework) as content:
            yield content
    except (SafetensorError, OSError) as error:
        if _begins_like_a_pickle(file):
            raise InputError(f"{file} is a pickle, whatever its name", NO_PICKLES) from error
        raise InputError(
            f"{file} cannot be read ({error})", "it is truncated or corrupt: download or write the file again"
        ) from error


def _begins_like_a_pickle(file: Path) -> bool:
    # Asked only of what is not safetensors: the length that such a file begins with may look the same.
    with file.open("rb") as content:
        return content.read(4).startswith(PICKLE_BEGINNINGS)
