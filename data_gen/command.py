"""`void generate`."""

from __future__ import annotations

from pathlib import Path

from void.command import Command
from void.config import VoidConfig

HELP = """
Simulates counterfactual pairs: a scene of rigid objects, or of a person who handles some, the same scene as it would
have been without some of them or without the person, and the quadmask of what differs. With assets=local, the default,
nothing is downloaded: shapes are built on the spot, and the light is Blender's own.

Writes to data.root:
  pairs/ID/         rgb_full.mp4, rgb_removed.mp4, mask.mp4, physics.npz, metadata.json
  manifest.jsonl    one finished pair a row, with its split
  summary.json      by family: pairs, why draws were rejected, scenes that failed, seconds per pair
  generation.json   the recipe; a folder holds pairs of one recipe
  timings.jsonl     seconds of each pair, by stage
  logs/             what the workers of failed scenes printed
The families of scenes (scene.families) share scene.count by their `share`, within one scene; share=0 leaves one out.
Every scene is a process of its own. One that crashes, is killed or takes longer than executor.timeout is tried again
executor.retries times with other draws. The same command again continues where it stopped and skips what is finished; a
larger scene.count adds pairs, a larger scene.max_attempts gives failed scenes more draws.

Exit status: 0 when all pairs are there, or all but as many as executor.failure_budget allows (then a line says so); 2
when more scenes failed, or when the first three scenes of a family were rejected in every draw; it prints the reasons.

First look, without rendering, at what would be accepted:
  void generate name=big scene.count=2000 executor.dry_run=true
Then make it, here, on a Ray cluster, or as an array of Slurm jobs:
  void generate experiment=demo
  void generate name=big scene.count=2000 executor.workers=8 gallery=true
  void generate name=big scene.count=2000 executor=ray executor.address=HEAD:6379
  void generate --multirun name=big scene.count=2000 executor.shard=0/4,1/4,2/4,3/4 executor.workers=8 \\
    hydra/launcher=slurm hydra.launcher.gpus_per_node=null
The paper's scenes with the paper's assets, and seconds a pair with plain pictures, for a test:
  void generate name=paper scene=rigid_paper assets=gso scene.count=1900
  void generate name=smoke scene.renderer=preview scene.count=8
People who handle objects, with motions made here (docs/human-motion.md tells how HUMOTO's are read):
  void generate name=people scene=human scene.count=8 gallery=true
"""


def run(config: VoidConfig) -> None:
    """Generate the data set of a configuration, or judge its scenes (`executor.dry_run`)."""
    root = Path(config.data.root)
    if config.executor.dry_run:
        from data_gen.dry_run import dry_run

        dry_run(root, config.scene, config.assets, config.executor, config.seed)
        return

    from data_gen.generate import generate

    if config.gallery:
        from data_gen.gallery.write import check_free

        check_free(root)
    generate(root, config.scene, config.assets, config.executor, config.seed)
    if config.gallery:
        from data_gen.gallery import write_gallery

        write_gallery(root, config.assets)


GENERATE = Command(
    name="generate",
    summary="simulate counterfactual pairs (Kubric, PyBullet, Blender)",
    help=HELP,
    groups=("scene", "assets", "executor", "data"),
    run=run,
    writes=lambda _: ("data.root",),
)
