"""`void train`."""

from __future__ import annotations

import logging

from void.command import Command
from void.config import VoidConfig
from void.training.checks import check_run


def run(cfg: VoidConfig) -> None:
    """Train, or continue. A finished run is recognised without importing the libraries of the networks."""
    from void.training.finished import finished_checkpoint

    if finished := finished_checkpoint(cfg):
        logging.getLogger(__name__).info("training is finished: %s", finished)
        return

    from void.training.trainer import train

    train(cfg)


TRAIN = Command(
    name="train",
    summary="fine-tune the transformer on the cache; a rerun continues",
    help="""
Trains one stage: the first pass, or with stage=pass2 the second, from the first one's weights (stage.init_from) and
with noise that moves with each clip (void cache stage=pass2).

Reads the latent cache (void cache) and writes below training.root: checkpoints/step-NNNNNN (whole or absent, the newest
training.keep_checkpoints of them), metrics.jsonl, samples/step-NNNNNN/*.mp4 (input | mask | prediction | target of
held-out pairs) and wandb/ (offline: `wandb sync` uploads it).

Interrupted, the same command continues from the newest checkpoint and gives what the uninterrupted run would have
given. Finished, it does nothing; with a larger training.steps it goes on. A changed value that matters is refused by
name.

  void train                                            the tiny model
  torchrun --nproc_per_node 8 train.py experiment=paper_pass1   the published run
  void train experiment=demo_pass2                      the second pass of the demo
  torchrun --standalone --nproc_per_node 2 train.py distributed=ddp
""",
    groups=("training", "stage", "distributed", "tracker", "data", "cache", "noise", "model", "recipe"),
    run=run,
    check=check_run,
    writes=lambda _: ("training.root",),
)
