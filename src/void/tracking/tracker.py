"""Weights & Biases behind two methods, offline by default; everything it writes stays inside the run's folder."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any, Protocol

from void.errors import InputError
from void.files import read_json, write_json
from void.tracking.config import TrackerConfig, TrackerKind

WANDB_FOLDER = "wandb"
RUN_ID = "run-id.json"
MODES = ("offline", "online", "disabled")
_SECRET = re.compile(r"(^|_)(api_?key|secret|password|passwd|token|credentials?)$", re.IGNORECASE)


class Tracker(Protocol):
    """Where numbers and videos of a run go, besides metrics.jsonl."""

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Record numbers at an optimiser step."""

    def log_videos(self, videos: dict[str, Path], step: int) -> None:
        """Record mp4 files by name at an optimiser step."""

    def finish(self) -> None:
        """Close the run."""


class NoTracker:
    """Records nothing."""

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Nothing."""

    def log_videos(self, videos: dict[str, Path], step: int) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


class WandbTracker:
    """A W&B run below `folder/wandb`; a continued run keeps its id.

    Args:
        cfg: project, entity and mode.
        folder: of the training run.
        name: shown in W&B.
        hparams: the configuration; values of keys that look like secrets are left out.
    """

    def __init__(self, cfg: TrackerConfig, folder: Path, name: str, hparams: dict[str, Any]) -> None:
        if cfg.mode not in MODES:
            raise InputError(f"tracker.mode={cfg.mode} is unknown", f"use one of {', '.join(MODES)}")
        inside = (folder / WANDB_FOLDER).resolve()
        inside.mkdir(parents=True, exist_ok=True)
        # wandb takes these folders from the environment only; by default it would fill the home directory.
        for variable in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_ARTIFACT_DIR"):
            os.environ[variable] = str(inside / variable.split("_")[1].lower())
        os.environ["WANDB_DIR"] = str(folder.resolve())
        os.environ["WANDB_SILENT"] = "true"
        import wandb

        self._run = wandb.init(
            project=cfg.project,
            entity=cfg.entity,
            name=name,
            id=_run_id(inside / RUN_ID),
            resume="allow" if cfg.mode == "online" else None,
            mode=cfg.mode,  # type: ignore[arg-type]
            dir=folder.resolve(),
            config=without_secrets(hparams),
            settings=wandb.Settings(silent=True, console="off", save_code=False, disable_git=True),
        )

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Record numbers at an optimiser step."""
        self._run.log(metrics, step=step)

    def log_videos(self, videos: dict[str, Path], step: int) -> None:
        """Record mp4 files by name at an optimiser step."""
        import wandb

        self._run.log({name: wandb.Video(str(path), format="mp4") for name, path in videos.items()}, step=step)

    def finish(self) -> None:
        """Close the run; offline, its files are then ready for `wandb sync`."""
        self._run.finish()


def open_tracker(cfg: TrackerConfig, folder: Path, name: str, hparams: dict[str, Any]) -> Tracker:
    """The tracker of the configuration."""
    return WandbTracker(cfg, folder, name, hparams) if cfg.kind is TrackerKind.wandb else NoTracker()


def without_secrets(hparams: dict[str, Any]) -> dict[str, Any]:
    """The same nested dictionary without the entries whose key names a secret (api_key, password, token, ...)."""
    return {
        key: without_secrets(value) if isinstance(value, dict) else value
        for key, value in hparams.items()
        if not _SECRET.search(str(key))
    }


def _run_id(path: Path) -> str:
    """The run's id, made once and kept."""
    if not path.is_file():
        write_json(path, {"id": secrets.token_hex(4)})
    return str(read_json(path)["id"])
