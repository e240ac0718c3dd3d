"""Whether scenes of family human can be drawn from a configuration at all."""

from __future__ import annotations

from pathlib import Path

from data_gen.human.cast import chosen_sequences, of_split
from data_gen.human.config import MOTION_CACHE, HumanConfig
from data_gen.human.physics_config import read_physics_config
from data_gen.human.sources import open_source
from data_gen.human.sources.characters import Characters
from void.errors import InputError

HUMAN = "scene.human"


def check_human(config: HumanConfig) -> None:
    """Raise InputError for a folder that `scene.human` names and that does not exist."""
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
        InputError: their folder or the override of the physics is missing or bad, a sequence or character is unknown,
            a character's file cannot be used.
    """
    source = open_source(motion, config, root / MOTION_CACHE)
    Characters(config, root / MOTION_CACHE).check()
    sequences = chosen_sequences(source, config)
    if config.physics_config:
        read_physics_config(config.physics_config)
    held_out = of_split(sequences, config.held_out, "val")
    return {**source.describe(), "sequences": len(sequences), "held_out": list(held_out)}
