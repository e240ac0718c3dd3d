"""Small data sets from workers that need no simulator, over a library that holds nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console

from data_gen.config import AssetsConfig, ExecutorConfig, SceneConfig
from data_gen.executors.driver import Failure
from data_gen.executors.process import Command
from data_gen.generate import generate
from void.ledger import LEDGER

HERE = Path(__file__).parent
COUNT = 5


class EmptyLibrary:
    """As much of a `Library` as `generate` looks at."""

    skies = ("noon",)

    def __init__(self, address: str = "gs://bucket/objects.json") -> None:
        self.address = address

    def to_dict(self) -> dict[str, Any]:
        return {"version": 3}

    def describe(self) -> dict[str, Any]:
        return {"source": "local", "version": 3, "manifests": {"objects": {"address": self.address}}}


def fake(**behaviour: list[Any]) -> Command:
    """Starts workers that fail as they are told, see fake_worker.py."""
    return lambda request: [sys.executable, str(HERE / "fake_worker.py"), json.dumps(behaviour), str(request)]


def small_scenes(**changes: Any) -> SceneConfig:
    """Five clips, as small as clips get, of one family unless shares say otherwise."""
    shares = changes.pop("shares", {"variable": 1.0})
    config = SceneConfig(**({"count": COUNT, "frames": 5, "height": 16, "width": 16, "val_every": 5} | changes))
    for name in vars(config.families):
        getattr(config.families, name).share = shares.get(name, 0.0)
    return config


def run(
    root: Path,
    command: Command | None = None,
    *,
    seed: int = 0,
    executor: dict[str, Any] | None = None,
    library: EmptyLibrary | None = None,
    **scene: Any,
) -> tuple[list[Failure], str]:
    """Generate small pairs; the failures and what was printed."""
    console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    (root.parent / "assets").mkdir(parents=True, exist_ok=True)
    with mock.patch("data_gen.generate.open_library", lambda assets: library or EmptyLibrary()):
        failures = generate(
            root,
            small_scenes(**scene),
            AssetsConfig(root=str(root.parent / "assets")),
            ExecutorConfig(**({"failure_budget": 0.5, "retries": 0} | (executor or {}))),
            seed,
            command=command or fake(),
            console=console,
        )
    return failures, console.export_text()


def contents(root: Path) -> dict[str, bytes]:
    """Every published file that must not depend on what happened on the way: all but logs, times and ledgers."""
    files = [path for path in root.rglob("*") if path.is_file() and "logs" not in path.parts]
    timed = ("summary.json", "timings.jsonl", LEDGER)
    return {str(path.relative_to(root)): path.read_bytes() for path in files if path.name not in timed}


def live_processes(marker: str) -> list[str]:
    """Command lines of live processes that mention `marker`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if marker in line]
