"""Seconds a pair of `void generate`, beside the plain way to render the same scenes, in one run.

    .venv/bin/python benchmarks/generation.py [--scene rigid] [--size 128] [--samples 8] [--frames 21] [--scenes 8]
        [--plain 8] [--workers 2]

Plain: one process; three separate scenes loaded and rendered in full (all objects; removed ones invisible; simulated
without them), every one with all seven layers of Kubric's renderer, its default denoiser and all cores. It takes so
long that `--plain` may be fewer of the same scenes.
Ours: `void generate` with its workers, from the first draw to the written pair, draws that were rejected included.
Both simulate the same scenes, of the default mix or of people, with the same number of samples a pixel.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from data_gen.assets.library import Library, open_library
from data_gen.generate import generate
from data_gen.produce import open_simulator
from data_gen.scene.render import BlenderRenderer
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from data_gen.scene.views import rounded_poses
from data_gen.scene.workshop import Workshop
from void.composition import compose_config
from void.config import VoidConfig
from void.files import read_json
from void.pairs import METADATA, read_manifest
from void.progress import progress_bar

SEED = 5
PLANNED_PAIRS, PLANNED_NODES, CORES_A_NODE = 2000, (1, 8, 64), 32


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", default="rigid", choices=("rigid", "human"))
    parser.add_argument("--size", type=int, default=128, help="height and width, pixels")
    parser.add_argument("--samples", type=int, default=8, help="paths a pixel")
    parser.add_argument("--frames", type=int, default=21)
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--plain", type=int, default=8, help="scenes to render the plain way, at most --scenes")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="void-benchmark-") as folder:
        config = configuration(Path(folder), arguments)
        library = open_library(config.assets)
        start = time.perf_counter()
        generate(Path(config.data.root), config.scene, config.assets, config.executor, config.seed, console=console)
        ours = (time.perf_counter() - start) / arguments.scenes
        rows = read_manifest(Path(config.data.root))[: arguments.plain]
        seconds, alike = [], []
        with progress_bar("the plain way", len(rows)) as advance:
            for row in rows:
                stage = Stage(config, library, Path(config.data.root) / row.path, row.split, Path(folder))
                start = time.perf_counter()
                pictures_THWC = plain_pair(stage)
                seconds.append(time.perf_counter() - start)
                alike.append(psnr(pictures_THWC, our_pictures(stage)))
                advance()
    plain = float(np.mean(seconds))
    title = f"{arguments.scenes} pairs of {arguments.frames} frames of {arguments.size}^2, {arguments.samples} samples"
    table = Table("", "seconds a pair", "pairs an hour", title=title)
    for name, value in (("plain, one process", plain), (f"void generate, {arguments.workers} workers", ours)):
        table.add_row(name, f"{value:.1f}", f"{3600 / value:.0f}")
    console.print(table)
    console.print(f"ratio {plain / ours:.2f}; PSNR between the two renderings of a frame: ", end="")
    console.print(f"mean {np.mean(np.concatenate(alike)):.1f} dB, least {np.min(np.concatenate(alike)):.1f} dB")
    console.print(plan(ours * arguments.workers))


def configuration(root: Path, arguments: argparse.Namespace) -> VoidConfig:
    """The default mix at the size asked for."""
    return compose_config(
        [
            f"root={root}/run", f"seed={SEED}",
            f"data.frames={arguments.frames}", f"data.height={arguments.size}", f"data.width={arguments.size}",
            f"scene={arguments.scene}", f"scene.count={arguments.scenes}", f"scene.render.samples={arguments.samples}",
            f"executor.workers={arguments.workers}",
        ]
    )  # fmt: skip


class Stage:
    """A finished pair's scene, to be made again.

    Args:
        config: that it was made with.
        library: all assets.
        pair: its folder.
        split: of the pair.
        scratch: an existing folder for temporary files.
    """

    def __init__(self, config: VoidConfig, library: Library, pair: Path, split: str, scratch: Path) -> None:
        self.spec = SceneSpec.from_dict(read_json(pair / METADATA)["scene"])
        self.scratch = scratch
        self._split = split
        self._simulator = open_simulator(self.spec.family, config.scene, library)
        # What a sequence is read from and its objects are cut into is kept from the first time on.
        self.workshop()

    def workshop(self) -> Workshop:
        """What makes its objects."""
        return self._simulator.workshop(self.spec, self._split)

    def worlds(self) -> tuple[World, World]:
        """With all objects, and without the removed ones."""
        return self._simulator.simulate(self.spec, self.workshop(), self.scratch)


def plain_pair(stage: Stage) -> NDArray[np.uint8]:
    """Render a pair the plain way; returns the frames `(T, H, W, 3)` of its first view."""
    everything, survivors = tuple(range(len(stage.spec.objects))), stage.spec.survivors
    full, without = stage.worlds()
    first: NDArray[np.uint8] | None = None
    for world, visible in ((full, everything), (full, survivors), (without, survivors)):
        renderer = plain_renderer(stage)
        renderer.prepare({i: rounded_poses(world, i) for i in visible}, range(stage.spec.frames))
        renderer._blender.scratch_dir = tempfile.mkdtemp(dir=stage.scratch)
        layers = renderer._blender.render()
        first = layers["rgba"][..., :3] if first is None else first
    assert first is not None
    return first


def plain_renderer(stage: Stage) -> BlenderRenderer:
    """The scene in Kubric's renderer as it is by default, but for the noise pattern and the curve to sRGB."""

    def settings(renderer: Any, *, seed: int, view_transform: str, **_: object) -> None:
        renderer.blender_scene.cycles.seed = seed
        renderer.blender_scene.view_settings.view_transform = view_transform

    from data_gen.blender import engine

    with mock.patch.object(engine, "configure", settings), mock.patch.object(engine, "only_segmentation"):
        return BlenderRenderer(stage.spec, stage.workshop(), stage.scratch)


def our_pictures(stage: Stage) -> NDArray[np.uint8]:
    """The frames `(T, H, W, 3)` of the first view as `void generate` renders them, before they become a video."""
    renderer = BlenderRenderer(stage.spec, stage.workshop(), stage.scratch)
    return renderer.render(stage.worlds()[0], range(len(stage.spec.objects))).rgb_THWC


def psnr(first_THWC: NDArray[np.uint8], second_THWC: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Decibels `(T,)` for each frame; infinity is given as 100."""
    error_T = np.square(first_THWC.astype(np.float64) - second_THWC).mean(axis=(1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(error_T, 255**2 / 1e10))


def plan(core_seconds: float) -> Table:
    """Hours that 2,000 such pairs take, one core a pair."""
    table = Table("nodes", "hours", title=f"{PLANNED_PAIRS} pairs on nodes of {CORES_A_NODE} cores (on paper)")
    for nodes in PLANNED_NODES:
        rounds = -(-PLANNED_PAIRS // (nodes * CORES_A_NODE))
        table.add_row(str(nodes), f"{rounds * core_seconds / 3600:.2f}")
    return table


if __name__ == "__main__":
    main()
