"""Whether scenes of family human can be drawn from a configuration at all."""

from __future__ import annotations

import math
from pathlib import Path

from data_gen.human.cast import chosen_sequences, of_split
from data_gen.human.config import CAMERA_MOTIONS, CASTS, MOTION_CACHE, MOTIONS, REMOVALS, TIMES, VARIANTS, HumanConfig
from data_gen.human.physics_config import read_physics_config
from data_gen.human.sources import open_source
from void.errors import InputError

HUMAN = "scene.human"


def check_human(motion: str, config: HumanConfig) -> None:
    """Raise InputError for values that no scene can be drawn from.

    Args:
        motion: `scene.motion`.
        config: `scene.human`.
    """
    if motion not in MOTIONS:
        raise InputError(f"scene.motion = {motion}", f"use one of {', '.join(MOTIONS)}")
    choices = {"time": TIMES, "removal": REMOVALS, "cast": CASTS}
    for name, allowed in choices.items():
        if getattr(config, name) not in allowed:
            raise InputError(f"{HUMAN}.{name} = {getattr(config, name)}", f"use one of {', '.join(allowed)}")
    for name, known in (("variants", VARIANTS), ("motions", CAMERA_MOTIONS)):
        chosen = list(getattr(config, name))
        if not chosen or set(chosen) - set(known):
            raise InputError(f"{HUMAN}.{name} = {chosen}: unknown or empty", f"use some of {', '.join(known)}")
    fractions = {
        "held_out": (config.held_out,),
        "removal_window": config.removal_window,
        "room.walls": (config.room.walls,),
    }
    for name, values in fractions.items():
        if not all(0 <= value <= 1 for value in values):
            shown = ", ".join(f"{value:g}" for value in values)
            raise InputError(f"{HUMAN}.{name} = {shown}", "use fractions between 0 and 1")
    if config.fps is not None and not 0 < config.fps < math.inf:
        raise InputError(f"{HUMAN}.fps = {config.fps:g}", "use a number above 0, such as 30")
    if config.fps is not None and motion == "procedural":
        raise InputError(
            f"{HUMAN}.fps = {config.fps:g} with scene.motion=procedural, whose motions have a rate of their own",
            "leave it out, or set scene.fps for the rate of the clips",
        )
    if config.variations < 1:
        raise InputError(f"{HUMAN}.variations = {config.variations}", "use 1 or more")
    if config.room.textures and not Path(config.room.textures).is_dir():
        raise InputError(
            f"{HUMAN}.room.textures = {config.room.textures} is no folder", "give a folder, or leave it out"
        )


def check_motions(motion: str, config: HumanConfig, root: Path) -> dict[str, object]:
    """Open the source of the motions, and tell what it is for the record of a data set.

    Args:
        motion: `scene.motion`.
        config: `scene.human`.
        root: `assets.root`.

    Raises:
        InputError: their folder or the override of the physics is missing or bad, a sequence or character is unknown.
    """
    source = open_source(motion, config, root / MOTION_CACHE)
    sequences = chosen_sequences(source, config)
    if config.physics_config:
        read_physics_config(config.physics_config)
    held_out = of_split(sequences, config.held_out, "val")
    return {**source.describe(), "sequences": len(sequences), "held_out": list(held_out)}
