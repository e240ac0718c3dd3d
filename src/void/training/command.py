"""`void train`."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig


def run(cfg: VoidConfig) -> None:
    """Train, or continue."""
    from void.training.trainer import train

    train(cfg)


TRAIN = Command(
    name="train",
    summary="fine-tune the transformer on the cache; a rerun continues",
    help="""
Reads the latent cache (void cache) and writes below training.root: checkpoints/step-NNNNNN (whole or absent, the newest
training.keep_checkpoints of them), metrics.jsonl, samples/step-NNNNNN/*.mp4 (input | mask | prediction | target of
held-out pairs) and wandb/ (offline: `wandb sync` uploads it).

Interrupted, the same command continues from the newest checkpoint and gives what the uninterrupted run would have
given. Finished, it does nothing; with a larger training.steps it goes on. A changed value that matters is refused by
name.

  void train                                            the tiny model
  torchrun --nproc_per_node 8 train.py experiment=paper_pass1   the published run
  torchrun --standalone --nproc_per_node 2 train.py distributed=ddp
""",
    groups=("training", "stage", "distributed", "tracker", "data", "cache", "model", "recipe"),
    run=run,
)
