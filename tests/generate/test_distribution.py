"""Which scenes a data set is made of, and the memory that judging them takes. Real assets, samplers and physics."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from data_gen.assets.library import Library, open_library
from data_gen.config import AssetsConfig, ExecutorConfig, SceneConfig
from data_gen.dry_run import dry_run
from data_gen.folder import scene_places
from data_gen.rigid.families.registry import FAMILIES
from data_gen.rigid.simulator import RigidSimulator
from data_gen.simulator import RefusedError

# A worker takes at most 50 scenes; one that kept their physics would grow by more.
FLAT_MIB = 100
SIGMAS = 4


def scenes(count: int) -> SceneConfig:
    return SceneConfig(count=count, frames=21, height=96, width=128)


def judged(tmp_path: Path, library: Library, count: int, workers: int = 2) -> dict[str, Any]:
    console = Console(file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    assets = AssetsConfig(root=library.config.root)
    return dry_run(tmp_path, scenes(count), assets, ExecutorConfig(workers=workers), 0, console=console)


def test_two_thousand_scenes_are_drawn_in_their_shares_with_little_lost_for_room(library: Library) -> None:
    config = scenes(2000)
    simulator = RigidSimulator(config, library)
    drawn, crowded, objects = Counter[str](), Counter[str](), Counter[int]()
    for index, place in enumerate(scene_places(config)):
        try:
            spec = simulator.sample(place, seed=0, index=index, attempt=0)
        except RefusedError:
            crowded[place.family] += 1
            continue
        drawn[place.family] += 1
        assert spec.removed and spec.targets and spec.survivors
        if place.family == "variable":
            objects[len(spec.objects)] += 1
    shares = {name: getattr(config.families, name).share for name in FAMILIES}
    for name, share in shares.items():
        assert abs(drawn[name] + crowded[name] - share / sum(shares.values()) * config.count) < 2
        assert crowded[name] <= 0.25 * (drawn[name] + crowded[name]), name
    # As configured, but that crowded scenes of many objects are drawn again.
    counts = config.families.variable.counts
    tries = drawn["variable"] + crowded["variable"]
    for number in set(counts):
        expected = tries * counts.count(number) / len(counts)
        assert abs(objects[number] - expected) < SIGMAS * expected**0.5 + crowded["variable"], number


def test_forty_scenes_are_judged_in_flat_memory(tmp_path: Path, library: Library) -> None:
    report = judged(tmp_path, library, 40)
    assert report["lost"] == 0 and report["scenes"] == 40 and report["accepted"] >= 38
    assert {name: row["scenes"] for name, row in report["families"].items()} == dict(
        Counter(place.family for place in scene_places(scenes(40)))
    )
    assert report["workers_mib"]["growth"] < FLAT_MIB


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_ten_thousand_scenes_have_the_shares_and_the_mix_of_the_configuration_in_flat_memory(tmp_path: Path) -> None:
    """Half an hour on two cores."""
    library = open_library(AssetsConfig(root=str(tmp_path / "assets")))
    report = judged(tmp_path / "data", library, 10_000, workers=os.cpu_count() or 1)
    config = scenes(10_000)
    assert report["lost"] == 0 and report["accepted"] > 9_900
    shares = {name: getattr(config.families, name).share for name in FAMILIES}
    for name, share in shares.items():
        assert abs(report["families"][name]["scenes"] - share / sum(shares.values()) * 10_000) < 2
    # Rejection makes scenes of many objects rarer than they are drawn, but not rare.
    counts = config.families.variable.counts
    found = report["families"]["variable"]["counts"]["objects"]
    for number in set(counts):
        assert found[number] > 0.5 * sum(found.values()) * counts.count(number) / len(counts), number
    assert report["workers_mib"]["growth"] < FLAT_MIB
