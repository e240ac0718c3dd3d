"""Recognising a finished run before any network library is imported."""

from __future__ import annotations

from pathlib import Path

from void.cache.key import find_finished, ingredients
from void.config import VoidConfig
from void.manifest import read_manifest
from void.recipe import Stage
from void.training import checkpoint
from void.training.checks import launched_processes
from void.training.samples import validation_owed


def finished_checkpoint(config: VoidConfig) -> Path | None:
    """The last checkpoint of a run that has nothing left to do.

    None where something is left to do, or where only the trainer can tell: the noise of pass 2 has a key of its own,
    which takes the flow's networks to compute.

    Raises:
        InputError: The cache is missing, or the folder holds a run of other settings.
    """
    newest = checkpoint.newest_checkpoint(Path(config.training.root))
    if newest is None or config.stage.name is not Stage.pass1:
        return None
    state = checkpoint.read_state(newest)
    if state.step != config.training.steps or validation_owed(config.training, state.step):
        return None
    made_from = ingredients(config, read_manifest(Path(config.data.root)))
    index = find_finished(Path(config.cache.root), made_from, "ingredients", "latent cache")
    settings = checkpoint.settings_of(config, index["key"], None, launched_processes())
    checkpoint.check_continues(state, settings, config.training.steps, newest)
    return newest
