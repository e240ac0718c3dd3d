"""Small human pairs by the real generator, with the preview renderer."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from data_gen.assets.library import Library
from data_gen.config import AssetsConfig
from data_gen.generate import generate
from void.composition import compose_config
from void.pairs import ManifestRow, Pair, read_manifest, read_pair

SMALL = ("scene.renderer=preview", "data.frames=13", "data.height=64", "data.width=96")


def small_pairs(root: Path, library: Library, *overrides: str) -> list[tuple[ManifestRow, Pair]]:
    """The pairs that a configuration gives, written to a folder."""
    config = compose_config([*overrides, *SMALL])
    assets = AssetsConfig(root=library.config.root)
    assert generate(root, config.scene, assets, config.executor, 0, console=Console(quiet=True)) == []
    return [(row, read_pair(root / row.path, verify=True)) for row in read_manifest(root)]
