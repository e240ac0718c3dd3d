"""Tensors on disk: what shares memory is written twice, what shares a name is not replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_disk import fill

from void.errors import InputError
from void.tensor_files import write_tensors

WHOLE = torch.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize("dtype", [None, torch.float32, torch.bfloat16])
def test_tensors_that_share_memory_are_written(tmp_path: Path, dtype: torch.dtype | None) -> None:
    shared = {
        "one": WHOLE,
        "the same": WHOLE,
        "a row": WHOLE[1],
        "a column": WHOLE[:, 2],
        "turned": WHOLE.T,
        "spread": torch.zeros(1).expand(5),
        "empty": torch.zeros(0),
        "also empty": torch.zeros(0, 3),
    }
    write_tensors(tmp_path / "a.safetensors", shared, {"key": "value"}, dtype=dtype)
    found = load_file(tmp_path / "a.safetensors")
    assert found.keys() == shared.keys()
    assert all(torch.equal(found[name], tensor.to(dtype or tensor.dtype)) for name, tensor in shared.items())


def test_others_may_read_the_file(tmp_path: Path) -> None:
    (tmp_path / "touched").touch()
    write_tensors(tmp_path / "a.safetensors", {"one": WHOLE})
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "touched").stat().st_mode


def test_a_full_disk_is_one_error(tiny_disk: Path) -> None:
    fill(tiny_disk, leave=2**16)
    with pytest.raises(InputError, match=r"no space left while writing .*a\.safetensors \(\d+ MiB free\)"):
        write_tensors(tiny_disk / "a.safetensors", {"one": torch.zeros(2**20)})
    assert {path.name for path in tiny_disk.iterdir()} == {"ballast"}


def test_weights_of_the_user_stay(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"mine")
    with pytest.raises(InputError, match="void did not write it"):
        write_tensors(tmp_path / "a.safetensors", {"one": WHOLE})
    assert (tmp_path / "a.safetensors").read_bytes() == b"mine"
