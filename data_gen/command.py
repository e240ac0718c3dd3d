"""`void generate`."""

from __future__ import annotations

from pathlib import Path

from void.command import Command
from void.config import VoidConfig

HELP = """
Simulates counterfactual pairs: a scene in which launched objects hit a target, the same scene without one or two of
them, and the quadmask of what differs. Reads nothing; shapes are built on the spot and the light is Blender's own.

Writes to data.root:
  pairs/ID/         rgb_full.mp4, rgb_removed.mp4, mask.mp4, metadata.json
  manifest.jsonl    one finished pair a row, with its split
  summary.json      counts, why draws were rejected, which scenes failed
Every scene is a process of its own. The same command again continues where it stopped and skips what is finished;
a larger scene.count adds pairs.

  void generate experiment=demo
  void generate name=big scene.count=200 executor.workers=8
  void generate name=other seed=7 scene.object_counts=[4,5]
"""


def run(config: VoidConfig) -> None:
    """Generate the data set of a configuration."""
    from data_gen.generate import generate

    generate(Path(config.data.root), config.scene, config.assets, config.executor, config.seed)


GENERATE = Command(
    name="generate",
    summary="simulate counterfactual pairs (Kubric, PyBullet, Blender)",
    help=HELP,
    groups=("scene", "assets", "executor", "data"),
    run=run,
)
