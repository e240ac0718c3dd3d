"""The dry run: chunks of scenes, their report, and chunks that are lost."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from rich.console import Console
from small_set import HERE, EmptyLibrary, small_scenes
from small_set import run as generate_small

from data_gen.config import AssetsConfig, ExecutorConfig
from data_gen.dry_run import dry_run
from data_gen.executors.process import Command
from void.errors import InputError
from void.files import read_json

COUNT = 120


def fake(**behaviour: list[int]) -> Command:
    return lambda request: [sys.executable, str(HERE / "fake_dry_worker.py"), json.dumps(behaviour), str(request)]


def run(root: Path, command: Command | None = None, *, count: int = COUNT, **executor: Any) -> tuple[dict, str]:
    console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    (root.parent / "assets").mkdir(parents=True, exist_ok=True)
    with mock.patch("data_gen.generate.open_library", lambda assets: EmptyLibrary()):
        report = dry_run(
            root,
            small_scenes(count=count, shares={"variable": 2.0, "ball": 1.0}),
            AssetsConfig(root=str(root.parent / "assets")),
            ExecutorConfig(**executor),
            0,
            command=command or fake(),
            console=console,
        )
    return report, console.export_text()


def test_the_report_counts_scenes_draws_and_reasons_by_family(tmp_path: Path) -> None:
    report, printed = run(tmp_path / "data")
    assert read_json(tmp_path / "data" / "dry_run.json") == json.loads(json.dumps(report))
    # Of 120 scenes, 12 are never accepted and 40 are divisible by 3, of which 4 are among the 12.
    assert (report["scenes"], report["accepted"], report["at_first_draw"], report["lost"]) == (120, 108, 72, 0)
    assert report["draws"] == 12 * 60 + 36 * 3 + 72
    assert report["seconds"] == 60
    families = report["families"]
    assert {name: row["scenes"] for name, row in families.items()} == {"variable": 80, "ball": 40}
    assert sum(row["reasons"]["no_effect"] for row in families.values()) == 72
    assert sum(row["counts"]["objects"]["4"] for row in json.loads(json.dumps(families)).values()) == 48
    assert families["variable"]["quantiles"]["max_speed"]["100"] <= 11.8
    assert report["workers_mib"] == {"after_first_scene": 100, "at_end": 104, "growth": 4}
    assert "108 of 120 scenes accepted, 0 lost" in printed and "0.50 s a scene" in printed
    assert not (tmp_path / "data" / "pairs").exists()


def test_only_the_scenes_of_the_shard_are_judged(tmp_path: Path) -> None:
    report, _ = run(tmp_path / "data", shard="1/4")
    assert report["scenes"] == 30 and report["accepted"] == 24


def test_a_chunk_that_crashes_is_lost_alone(tmp_path: Path) -> None:
    report, _ = run(tmp_path / "data", fake(crash=[60]), failure_budget=0.5)
    assert report["lost"] == 50 and sum(row["lost"] for row in report["families"].values()) == 50
    assert report["failures"] == ["scenes 50 to 99: exit status 1: RuntimeError: the physics engine is gone"]


def test_too_many_lost_scenes_fail_the_command_after_the_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"50 of 120 scenes were lost: scenes 0 to 49: exit status 1"):
        run(tmp_path / "data", fake(crash=[3]))
    assert read_json(tmp_path / "data" / "dry_run.json")["lost"] == 50


def test_a_bad_asset_stops_the_command(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mug\.tar\.gz is broken"):
        run(tmp_path / "data", fake(bad_asset=[3]))


def test_pairs_that_were_made_tell_how_long_all_will_take(tmp_path: Path) -> None:
    root = tmp_path / "data"
    assert "no pair is here yet" in run(root, count=10)[1]
    generate_small(root, count=1)
    pairs = (root / "timings.jsonl", root / "generation.json", root / "pairs" / "rigid-000000" / "metadata.json")
    before = [path.read_bytes() for path in pairs]
    line = json.loads(before[0])
    line["seconds"]["total"] = 90.0
    pairs[0].write_text(json.dumps(line) + "\n")
    assert "pairs here took 90.0 s each: 120 of them take 4 workers 0.8 hours" in run(root, workers=4)[1]
    assert [path.read_bytes() for path in pairs[1:]] == before[1:]
