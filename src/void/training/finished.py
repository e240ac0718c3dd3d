"""Recognising a finished run before any network library is imported."""

from __future__ import annotations

from pathlib import Path

from void.cache.noise import open_noise
from void.cache.store import open_cache
from void.config import VoidConfig
from void.recipe import Stage
from void.training import checkpoint
from void.training.checks import launched_processes
from void.training.samples import validation_owed


def finished_checkpoint(config: VoidConfig) -> Path | None:
    """The last checkpoint of a run that has nothing left to do; None where something is left.

    Raises:
        InputError: The cache, the noise of pass 2 or the checkpoint to begin with is missing, or the folder holds a run
            of other settings.
    """
    newest = checkpoint.newest_checkpoint(Path(config.training.root))
    if newest is None:
        return None
    state = checkpoint.read_state(newest)
    if state.step != config.training.steps or validation_owed(config.training, state.step):
        return None
    noise = open_noise(config) if config.stage.name is Stage.pass2 else None
    settings = checkpoint.settings_of(
        config, open_cache(config).key, None if noise is None else noise.key, launched_processes()
    )
    checkpoint.check_continues(state, settings, config.training.steps, newest)
    return newest
