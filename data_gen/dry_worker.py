"""`python -m data_gen.dry_worker REQUEST.json`: a chunk of scenes drawn, simulated and judged in one process."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_gen.executors.child import serve
from data_gen.plain import scene_config
from data_gen.quota import Place
from void.errors import InputError
from void.memory import peak_memory
from void.scratch import scratch_folder

MIB = 2**20


@dataclass(frozen=True)
class Chunk:
    """What a worker is told.

    Args:
        scene: configuration of the scenes as a dict.
        library: all assets, `Library.to_dict`.
        seed: of the data set.
        scenes: index, split, family and number of each, see `Place`.
    """

    scene: dict[str, Any]
    library: dict[str, Any]
    seed: int
    scenes: list[tuple[int, str, str, int]]


def dry_command(request: Path) -> list[str]:
    """How a worker is started."""
    return [sys.executable, "-m", "data_gen.dry_worker", str(request)]


def work(chunk: Chunk) -> dict[str, Any]:
    """Judge the scenes of a chunk.

    Returns:
        `scenes`: what `dry_scene` tells of each; `seconds`; `mib`: peak memory after the first and the last scene.
        Or `error`: problem and remedy of an InputError.
    """
    from data_gen.assets.library import Library
    from data_gen.produce import Order, dry_scene

    config, library = scene_config(chunk.scene), Library.from_dict(chunk.library)
    scenes, peaks, start = [], [], time.monotonic()
    try:
        for index, split, family, number in chunk.scenes:
            with scratch_folder("scene") as scratch:
                order = Order(chunk.seed, index, Place(split, family, number))
                scenes.append(dry_scene(config, library, order, scratch))
            peaks.append(peak_memory() / MIB)
    except InputError as error:
        return {"error": [error.problem, error.remedy]}
    return {"scenes": scenes, "seconds": time.monotonic() - start, "mib": [peaks[0], peaks[-1]]}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """A chunk as a dict, and what `work` tells."""
    return work(Chunk(**request))


if __name__ == "__main__":
    serve(answer)
