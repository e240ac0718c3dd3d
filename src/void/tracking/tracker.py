"""Weights & Biases behind a small interface, offline by default; everything it writes stays inside the run's folder."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from void.errors import InputError
from void.files import read_json, write_json
from void.tracking.config import TrackerConfig, TrackerKind, TrackerMode
from void.tracking.wandb_environment import WANDB_FOLDER, choose, own_folders
from void.tracking.wandb_log import group_of, recorded_steps

RUN_ID = "run-id.json"
FINISHED, FAILED = 0, 1
INTERRUPTED = 255
"""Exit code that W&B itself records for Ctrl+C."""
_SECRET = re.compile(r"(^|_)(api_?key|secret|password|passwd|token|credentials?)$", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


class Tracker(Protocol):
    """Where numbers and videos of a run go, besides metrics.jsonl."""

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Record numbers at an optimiser step."""

    def log_videos(self, videos: dict[str, Path], step: int) -> None:
        """Record mp4 files by name at an optimiser step."""

    def finish(self, exit_code: int = FINISHED) -> None:
        """Close the run."""


class NoTracker:
    """Records nothing."""

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Nothing."""

    def log_videos(self, videos: dict[str, Path], step: int) -> None:
        """Nothing."""

    def finish(self, exit_code: int = FINISHED) -> None:
        """Nothing."""


class WandbTracker:
    """A W&B run whose parts, one for each start of the training run, are one run after `wandb sync`, too.

    Steps that an earlier part holds are not recorded again: W&B would number them anew and shift every later one.

    Args:
        config: Configuration of the tracker.
        folder: Folder of the training run; its `wandb/run-id.json` keeps the id for the next part.
        name: Name of the training run.
        hparams: Configuration of the training run; values of keys that look like secrets are left out.

    Raises:
        InputError: WANDB_MODE is not a mode, or W&B cannot start the run (no account, no connection).
    """

    def __init__(self, config: TrackerConfig, folder: Path, name: str, hparams: dict[str, Any]) -> None:
        choice = choose(config, folder, name, os.environ)
        choice.folder.mkdir(parents=True, exist_ok=True)
        run_id = _run_id(folder / WANDB_FOLDER / RUN_ID, choice.run_id)
        self._recorded = recorded_steps(choice.folder, run_id)
        self._next = max(self._recorded.values(), default=-1) + 1
        self._held = contextlib.ExitStack()
        self._held.enter_context(own_folders(choice))
        import wandb

        try:
            self._run = wandb.init(
                project=choice.project,
                entity=choice.entity,
                name=choice.name,
                tags=choice.tags,
                id=run_id,
                # Offline, the record of the run carries it to `wandb sync`, which then appends this part.
                resume="allow",
                mode=choice.mode.value,
                dir=choice.root,
                config=without_secrets(hparams),
                settings=wandb.Settings(
                    silent=True, console="off", save_code=False, disable_git=True, use_dot_wandb=False
                ),
            )
        except wandb.errors.Error as error:
            self._held.close()
            raise InputError(
                f"W&B cannot start the run ({choice.mode}): {error}",
                "log in with `wandb login`, or use tracker.mode=offline and `wandb sync` later, or tracker=none",
            ) from error
        # A run that only the server knows: what it holds is known by its last step alone.
        self._recorded_by_server = -1
        if choice.mode is TrackerMode.online and self._run.resumed:
            self._next = max(self._next, self._run.starting_step)
            if not self._recorded:
                self._recorded_by_server = self._run.starting_step - 1

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Record numbers at an optimiser step."""
        self._write(self._new(metrics, step), step)

    def log_videos(self, videos: dict[str, Path], step: int) -> None:
        """Record mp4 files by name at an optimiser step."""
        import wandb

        new = self._new(videos, step)
        self._write({name: wandb.Video(str(path), format="mp4") for name, path in new.items()}, step)

    def finish(self, exit_code: int = FINISHED) -> None:
        """Close the run; offline, its files are then ready for `wandb sync`."""
        self._run.finish(exit_code=exit_code)
        self._held.close()

    def _new(self, row: dict[str, Any], step: int) -> dict[str, Any]:
        """What of a row no earlier part holds."""
        return {name: value for name, value in row.items() if step > self._last(group_of(name))}

    def _write(self, row: dict[str, Any], step: int) -> None:
        """Record a row; a late one, such as a validation whose step was left behind, joins the next step."""
        if row:
            self._run.log(row, step=max(step, self._next))

    def _last(self, group: str) -> int:
        return max(self._recorded.get(group, -1), self._recorded_by_server)


def open_tracker(config: TrackerConfig, folder: Path, name: str, hparams: dict[str, Any]) -> Tracker:
    """The tracker of the configuration.

    Raises:
        InputError: as `WandbTracker`.
    """
    return WandbTracker(config, folder, name, hparams) if config.kind is TrackerKind.wandb else NoTracker()


@contextlib.contextmanager
def closing(tracker: Tracker) -> Iterator[Tracker]:
    """Close the tracker when the context ends, as finished, failed or interrupted."""
    try:
        yield tracker
    except BaseException as error:
        tracker.finish(INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED)
        raise
    tracker.finish(FINISHED)


def without_secrets(hparams: dict[str, Any]) -> dict[str, Any]:
    """The same nested values without what must stay secret.

    Left out are entries whose key names a secret (api_key, password, token, ...), and user and password in addresses.
    """
    return {key: _public(value) for key, value in hparams.items() if not _SECRET.search(str(key))}


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return without_secrets(value)
    if isinstance(value, list | tuple):
        return [_public(item) for item in value]
    return _USER_INFO.sub("", value) if isinstance(value, str) else value


def _run_id(path: Path, wanted: str | None) -> str:
    """The run's id, made once and kept; the one that the environment asks for takes its place."""
    if wanted is not None:
        write_json(path, {"id": wanted})
    elif not path.is_file():
        write_json(path, {"id": secrets.token_hex(4)})
    return str(read_json(path)["id"])
