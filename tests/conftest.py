"""What several test folders need: a small data folder of real pair files, and configurations that point at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from data_gen.config import AssetsConfig
from data_gen.rigid.assets import Shape, build_pack, read_catalogue
from void import files
from void.cache.store import build_cache
from void.composition import compose_config
from void.config import VoidConfig
from void.pairs import Pair, pair_row, write_manifest, write_pair
from void.quadmask import Quadmask

TOY_FRAMES, TOY_HEIGHT, TOY_WIDTH = 5, 32, 48


def toy_pair(number: int, frames: int = TOY_FRAMES, height: int = TOY_HEIGHT, width: int = TOY_WIDTH) -> Pair:
    """A bright square that moves over a gradient and, in the counterfactual, is not there."""
    rows, columns = np.mgrid[0:height, 0:width]
    background = np.stack([rows * 4, columns * 3, rows + columns + 20 * number], axis=-1) % 200
    removed = np.repeat(background[None].astype(np.uint8), frames, axis=0)
    full = removed.copy()
    primary = np.zeros((frames, height, width), bool)
    for frame in range(frames):
        left = (2 * frame + 3 * number) % (width - 8)
        primary[frame, 8:16, left : left + 8] = True
    full[primary] = 230
    affected = np.zeros_like(primary)
    affected[:, 20:26, 4:20] = True
    metadata = {
        "id": f"toy-{number}",
        "group": f"scene-{number}",
        "source": "toy",
        "caption": f"an empty floor, number {number}",
    }
    return Pair(full, removed, Quadmask(primary, affected), 12.0, metadata)


def write_toy_data(root: Path, train: int = 3, val: int = 1, frames: int = TOY_FRAMES) -> Path:
    """A data folder of `train + val` pairs with its manifest."""
    rows = []
    for number in range(train + val):
        folder = root / "pairs" / f"toy-{number}"
        write_pair(folder, toy_pair(number, frames))
        rows.append(pair_row(root, folder, split="train" if number < train else "val"))
    write_manifest(root, rows)
    return root


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Toy tensors are too small to share: threads that wait for one another make a busy machine ten times slower."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three training pairs and one held-out pair of 5 frames of 32 x 48 pixels; to be read, not changed."""
    return write_toy_data(tmp_path_factory.mktemp("toy-data"))


@pytest.fixture(scope="session")
def toy_cache(toy_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished latent cache of `toy_data`, as `cache.root`; to be read, not changed."""
    root = tmp_path_factory.mktemp("toy-cache")
    build_cache(compose_config(toy_overrides(toy_data, root)))
    return root / "cache"


@pytest.fixture
def toy_config(toy_data: Path, tmp_path: Path) -> Callable[..., VoidConfig]:
    """Composes a configuration of the tiny model over `toy_data`, writing below `tmp_path`; takes further overrides."""

    def compose(*overrides: str) -> VoidConfig:
        return compose_config([*toy_overrides(toy_data, tmp_path / "run"), *overrides])

    return compose


def toy_overrides(data: Path, root: Path) -> list[str]:
    """Command-line overrides of a run that takes seconds: a transformer of one block, clips of `toy_data`'s size."""
    return [
        f"data.root={data}",
        f"root={root}",
        f"data.frames={TOY_FRAMES}",
        f"data.height={TOY_HEIGHT}",
        f"data.width={TOY_WIDTH}",
        "device=cpu",
        "model.transformer.num_layers=1",
        "model.transformer.num_attention_heads=2",
        "tracker=none",
        "training.batch_size=2",
    ]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every whole file is written to /dev/full, where the kernel reports a full disk to any process and any user."""

    def link_to_full_device(path: Path) -> Path:
        partial = path.with_name(f".{path.stem}{files.PARTIAL_MARK}full{path.suffix}")
        if path.suffix:
            partial.symlink_to("/dev/full")
        return partial

    monkeypatch.setattr(files, "_partial_name", link_to_full_device)


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kubric's manifest of the local asset pack, all shapes; to be read, not changed."""
    return build_pack(AssetsConfig(root=str(tmp_path_factory.mktemp("assets"))))


@pytest.fixture(scope="session")
def catalogue(manifest: Path) -> dict[str, Shape]:
    """All shapes of the local asset pack."""
    return read_catalogue(manifest, AssetsConfig().kinds)
