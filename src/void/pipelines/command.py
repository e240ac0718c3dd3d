"""The `void infer` command."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig
from void.recipe import Stage


def _run(config: VoidConfig) -> None:
    from void.pipelines.infer import infer

    infer(config)


def _check(config: VoidConfig) -> None:
    from void.pipelines.checks import check_composite, check_second_pass

    check_composite(config)
    if config.stage.name is not Stage.pass1:
        check_second_pass(config)


def _writes(config: VoidConfig) -> tuple[str, ...]:
    """Folders of both passes; where they run one after the other, the second reads what the first has just written."""
    folders = ("infer.root", "infer.pass2.root")
    runs_both = config.stage.name in (Stage.both, Stage.auto)
    return (*folders, "infer.pass2.first_pass") if runs_both else folders


INFER = Command(
    name="infer",
    summary="sample held-out pairs or your own clips: the video without the object and what it caused",
    help="""
Without infer.input: the pairs of one split (data.root, infer.split). The model is shown each factual clip with its
quadmask and caption, never the counterfactual clip.

With infer.input=FOLDER: your own clips. FOLDER holds input_video.mp4, one mask (such as quadmask_0.mp4) and
prompt.json ({"bg": "the scene without the object"}), or is a folder of such folders (docs/inference.md).

Writes to infer.root
  ID.mp4              the result of one pair or clip; a clip's has the input's length, size and frame rate
                      (infer.format: ID.mkv, ID.mov, or a folder of pictures)
  strips/ID.mp4       input | mask | result, of your own clips
  predictions.json    checkpoint, settings, and the key and checksum of each clip

A large clip keeps its resolution with infer.region=auto (the model is shown a window of its own size around what the
mask marks) and infer.composite=feather (what the mask keeps comes from the input, bit for bit but for a seam).

The second pass starts from noise that moves with the first one's results, which keeps objects from changing their form
in long clips.
  stage=pass1   the first pass (the default; experiment=..._pass2 has pass2)
  stage=pass2   reads the results in infer.pass2.first_pass and writes infer.pass2.root, which also gets
                noise/ID.safetensors and morphing/ID.json
  stage=both    one after the other
  stage=auto    the second only for clips whose first result morphs (infer.pass2.morphing_threshold)

A second run keeps what is done under the same weights, settings and inputs, and makes again what is stale. Files that
it did not write are never replaced. A broken clip stops no other one: it is named at the end (exit status 2). Each clip
has a random generator of its own, so results do not depend on order, nor on infer.limit, nor on infer.num_shards.

  void infer experiment=demo
  void infer experiment=demo_pass2 stage=both
  void infer experiment=demo infer.limit=2 infer.steps=50
  void infer experiment=demo infer.input=my-clips infer.root=runs/my-clips infer.aspect=crop
  void infer experiment=demo infer.input=my-clips infer.region=auto infer.composite=feather infer.format=ffv1
  void infer experiment=demo infer.checkpoint=runs/demo/train/checkpoints/step-000200 infer.root=runs/demo/infer-200
""",
    groups=("infer", "stage", "noise", "data", "model", "recipe"),
    run=_run,
    check=_check,
    writes=_writes,
)
