"""A small data folder of real pair files, and configurations that point at it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
