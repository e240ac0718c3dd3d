"""Pickles of plain data: containers, numbers, strings and numpy arrays. Nothing else is ever made, so no code runs."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from data_gen.human.motion import SequenceError


def _scalar(dtype: np.dtype[Any], data: bytes = b"") -> Any:
    if dtype.hasobject:
        raise pickle.UnpicklingError("holds a number whose type is object")
    return np.frombuffer(data, dtype, 1)[0]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1" if encoding == "latin1" else "utf-8")


_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC_MODULES = ("numpy.core.numeric", "numpy._core.numeric")
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    **{(module, "_reconstruct"): np.zeros(0).__reduce__()[0] for module in _ARRAY_MODULES},
    **{(module, "scalar"): _scalar for module in _ARRAY_MODULES},
    ("_codecs", "encode"): _encode,
    **{(module, "_frombuffer"): np.zeros(0).__reduce_ex__(5)[0] for module in _NUMERIC_MODULES},
}
"""What a pickle may name, and what is called in its place. Protocols below 3 make bytes by `_codecs.encode`."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"names {module}.{name}, which is no plain data") from None


def load_plain(path: Path, sequence: str) -> Any:
    """The value that a pickle holds.

    Args:
        path: the file.
        sequence: that an error names.

    Raises:
        SequenceError: the file is missing or damaged, holds arrays of objects, or names what is not plain data.
    """
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(io.BytesIO(file.read())).load()
    except FileNotFoundError as error:
        raise SequenceError(sequence, "pkl", f"is missing: {path} does not exist", "fetch the file again") from error
    except Exception as error:  # A damaged pickle raises nearly anything.
        raise SequenceError(
            sequence, "pkl", f"cannot be read from {path.name}: {error}", "fetch the file again from its publisher"
        ) from error
