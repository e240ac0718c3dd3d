"""What a W&B run is given: the configuration's value, else that of W&B's environment variable, else the default."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from void.errors import InputError
from void.tracking.config import TrackerConfig, TrackerMode

DEFAULT_PROJECT = "void"
WANDB_FOLDER = "wandb"
# WANDB_MODE has older names for two of the modes.
MODE_NAMES = {mode.value: mode for mode in TrackerMode} | {"dryrun": TrackerMode.offline, "run": TrackerMode.online}
# Folders that W&B takes from the environment only, and would otherwise make in the home directory.
OWN_FOLDERS = ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_ARTIFACT_DIR")


@dataclass(frozen=True)
class WandbChoice:
    """The identity and the place of a W&B run.

    Args:
        project: Project that the run belongs to.
        entity: Team or user that owns the project; None for the account's own.
        mode: Destination of the data: disk, server or nowhere.
        name: Name that W&B shows.
        tags: Tags of the run; None for no tags.
        root: Folder in which W&B makes its folder `wandb`.
        run_id: Id that the environment asks for; None for the run's own.
    """

    project: str
    entity: str | None
    mode: TrackerMode
    name: str
    tags: list[str] | None
    root: Path
    run_id: str | None

    @property
    def folder(self) -> Path:
        """The folder of W&B's files."""
        return self.root / WANDB_FOLDER


def choose(config: TrackerConfig, folder: Path, name: str, environment: Mapping[str, str]) -> WandbChoice:
    """Combine configuration, environment and defaults, in this order of precedence.

    Args:
        config: Configuration of the tracker; null values leave the choice to the environment.
        folder: Folder of the training run.
        name: Name of the training run.
        environment: Environment variables; an empty one counts as absent.

    Raises:
        InputError: WANDB_MODE is not a mode.
    """
    given = {variable: value for variable, value in environment.items() if value}
    mode = given.get("WANDB_MODE", TrackerMode.offline.value)
    if config.mode is None and mode not in MODE_NAMES:
        raise InputError(f"WANDB_MODE={mode} is unknown", f"use one of {', '.join(TrackerMode)}, or set tracker.mode")
    tags = [tag.strip() for tag in given.get("WANDB_TAGS", "").split(",") if tag.strip()]
    return WandbChoice(
        project=config.project or given.get("WANDB_PROJECT", DEFAULT_PROJECT),
        entity=config.entity or given.get("WANDB_ENTITY"),
        mode=config.mode or MODE_NAMES[mode],
        name=given.get("WANDB_NAME", name),
        tags=(tags or None) if config.tags is None else list(config.tags),
        root=Path(given.get("WANDB_DIR", folder)).expanduser().resolve(),
        run_id=given.get("WANDB_RUN_ID"),
    )


@contextlib.contextmanager
def own_folders(choice: WandbChoice) -> Iterator[None]:
    """While the context lasts, W&B keeps everything below `choice.folder`, unless the environment says otherwise.

    An online run may need the user's own settings (`wandb login --host`), so it reads them where they are.
    """
    wanted = {variable: str(choice.folder / variable.split("_")[1].lower()) for variable in OWN_FOLDERS}
    if choice.mode is TrackerMode.online:
        del wanted["WANDB_CONFIG_DIR"]
    added = {variable: value for variable, value in wanted.items() if variable not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for variable in added:
            os.environ.pop(variable, None)
