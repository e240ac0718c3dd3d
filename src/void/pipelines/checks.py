"""Checks of what a user gives, shared by the pipeline and the commands. Imports no network library."""

from __future__ import annotations

import logging
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from void.config import VoidConfig
from void.errors import InputError
from void.noise.config import FlowMethod, NoiseVideo, check_noise
from void.pipelines.config import Composite, Region
from void.recipe import Stage

if TYPE_CHECKING:
    from void.quadmask import Quadmask

log = logging.getLogger(__name__)

# An object that covers more of a clip than this is rarer than a mask in the opposite polarity.
REVERSED_SHARE = 0.6


INVERT_QUADMASK = (
    "in a quadmask black (0) is removed and white (255) is kept; to invert one: "
    "mask, fps = void.video.read_mask(FILE), then void.video.write_mask(FILE, Quadmask.unpack(quantise(255 - "
    "mask.pack())), fps), both from void.quadmask"
)

_reported: weakref.WeakSet[Quadmask] = weakref.WeakSet()


def check_polarity(quadmask: Quadmask, where: str, remedy: str = INVERT_QUADMASK) -> None:
    """Warn, once for each mask, where it seems reversed: more than 60 % of its pixels are to be removed.

    Args:
        quadmask: of the whole clip.
        where: file or argument that holds it, for the message.
        remedy: how to invert it.
    """
    share = float(quadmask.primary_THW.mean())
    if share > REVERSED_SHARE and quadmask not in _reported:
        _reported.add(quadmask)
        log.warning("%s asks to remove %.0f%% of the clip: it seems reversed; %s", where, 100 * share, remedy)


def check_second_pass(config: VoidConfig) -> None:
    """Raise InputError where the second pass could not get its noise."""
    check_noise(config.noise)
    if config.noise.flow is FlowMethod.simulator:
        raise InputError(
            "noise.flow=simulator: a result of the first pass has no simulated flow",
            "use noise.flow=dis or noise.flow=raft for inference",
        )
    roots = [Path(root).resolve() for root in (config.infer.root, config.infer.pass2.root)]
    if config.stage.name is not Stage.pass2 and roots[0] == roots[1]:
        raise InputError(
            f"infer.root and infer.pass2.root are both {config.infer.root}: each clip has one result in each",
            "give the second pass a folder of its own, or leave infer.pass2.root out",
        )
    if Path(config.infer.pass2.first_pass).resolve() == roots[1]:
        raise InputError(
            f"infer.pass2.first_pass and infer.pass2.root are both {config.infer.pass2.root}: the second pass would "
            "replace what it starts from",
            "give it a folder of its own: infer.pass2.root=PATH",
        )
    if config.noise.inference_video is NoiseVideo.target and config.infer.input is not None:
        raise InputError(
            "noise.inference_video=target: a user's clip has no counterfactual to follow",
            "use noise.inference_video=pass1 or input",
        )


def check_composite(config: VoidConfig) -> None:
    """Raise InputError where the input cannot be put back around a result."""
    infer = config.infer
    if infer.region is Region.auto and infer.input is None:
        raise InputError(
            "infer.region=auto is for a user's clips (infer.input): pairs are compared at the model's size, at which "
            "they are sampled whole",
            "use infer.region=full",
        )
    puts_back = "infer.region=auto" if infer.region is Region.auto else "infer.composite=feather"
    is_put_back = infer.region is Region.auto or infer.composite is Composite.feather
    if is_put_back and infer.input is not None and not config.recipe.trim_padding:
        raise InputError(
            f"{puts_back} with recipe.trim_padding=false: the mirrored frames have no input to be put back into",
            "use recipe.trim_padding=true (recipe=corrected has it), or leave the other out",
        )
