"""The `void infer` command."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig


def _run(config: VoidConfig) -> None:
    from void.pipelines.infer import infer

    infer(config)


INFER = Command(
    name="infer",
    summary="sample held-out pairs with a checkpoint: the clips without the object and what it caused",
    help="""
Reads the pairs of one split (data.root, infer.split), shows the model each factual clip with its quadmask and caption,
and writes what it predicts. The model does not see the counterfactual clip of the pair.

Writes to infer.root
  PAIR.mp4            the result of one pair
  predictions.json    checkpoint, settings, and the key and checksum of each clip

A second run keeps what is done under the same weights, settings and pairs, and makes again what is stale. Each clip
has a random generator of its own, so results do not depend on order, nor on infer.limit.

  void infer experiment=demo
  void infer experiment=demo infer.limit=2 infer.steps=50
  void infer experiment=demo infer.checkpoint=runs/demo/train/checkpoints/step-000200 infer.root=runs/demo/infer-200
""",
    groups=("infer", "data", "model", "recipe"),
    run=_run,
)
