"""Fixtures that several test folders use."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tiny_disk import mounted
from toy import toy_overrides, write_toy_data

from data_gen.assets.library import Library, open_library
from data_gen.config import AssetsConfig
from void import files
from void.cache.store import build_cache
from void.composition import compose_config
from void.config import VoidConfig


@atexit.register
def silence_blender() -> None:
    """Blender's module, on its way out, prints how much memory it never freed; the summary stays the last line."""
    if "bpy" in sys.modules:
        sys.stdout.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())


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


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every whole file is written to /dev/full, where the kernel reports a full disk to any process and any user."""

    def link_to_full_device(path: Path) -> Path:
        partial = path.with_name(f".{path.stem}{files.PARTIAL_MARK}full{path.suffix}")
        if path.suffix:
            partial.symlink_to("/dev/full")
        return partial

    monkeypatch.setattr(files, "_partial_name", link_to_full_device)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of two megabytes."""
    with mounted(tmp_path / "disk") as folder:
        yield folder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The embedded asset pack, built once; to be read, not changed."""
    return open_library(AssetsConfig(root=str(tmp_path_factory.mktemp("assets"))))
