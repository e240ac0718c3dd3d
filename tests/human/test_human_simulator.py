"""Human scenes from the name of a sequence to a pair: drawn, simulated, judged, rendered; bad sequences are listed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from data_gen.assets.library import Library
from data_gen.check import check_config
from data_gen.config import AssetsConfig, ExecutorConfig, SceneConfig
from data_gen.generate import generate
from data_gen.human import sample
from data_gen.human.config import HumanConfig
from data_gen.human.simulator import HumanSimulator
from data_gen.human.sources.procedural import ProceduralSource
from data_gen.quota import Place
from data_gen.scene.spec import SceneSpec
from data_gen.simulator import RefusedError
from void.errors import InputError
from void.files import read_json
from void.pairs import read_pair

SEQUENCES = ["carry_two_hands_box_000", "hand_over_head_box_000"]
PLACE = Place("train", "human", 0)


def scenes(**changes: object) -> SceneConfig:
    config = SceneConfig(count=2, val_every=2, frames=13, height=64, width=96, renderer="preview", caption="short")
    for family in vars(config.families).values():
        family.share = 0.0
    config.families.human.share = 1.0
    config.human = HumanConfig(sequences=SEQUENCES, variations=1, distance=(4.0, 5.0), held_out=0.5)
    return replace(config, **changes)


@pytest.fixture(scope="module")
def simulator(library: Library) -> HumanSimulator:
    return HumanSimulator(scenes(), library)


def test_a_scene_is_drawn_alike_again_and_is_plain_data(simulator: HumanSimulator, library: Library) -> None:
    spec = simulator.sample(PLACE, seed=0, index=3, attempt=0)
    assert spec == HumanSimulator(scenes(), library).sample(PLACE, seed=0, index=3, attempt=0)
    assert spec != simulator.sample(PLACE, seed=1, index=3, attempt=0)
    assert SceneSpec.from_dict(spec.to_dict()) == spec
    assert spec.removed == (len(spec.objects) - 1,) and spec.objects[-1].name == "person"
    assert spec.person is not None and spec.person.removal_frame == 0
    # An open lens follows the hips.
    assert len(spec.render.focus) == spec.frames and all(0.6 < z < 1.2 for _, _, z in spec.render.focus)
    assert simulator.group(spec) == f"human:procedural:{spec.person.sequence}"


def test_without_the_person_the_box_falls(simulator: HumanSimulator, tmp_path: Path) -> None:
    spec = simulator.sample(PLACE, seed=0, index=3, attempt=0)
    full, without = simulator.simulate(spec, simulator.workshop(spec, "train"), tmp_path)
    (box,) = spec.targets
    person = len(spec.objects) - 1
    assert person in full.joints and person not in without.positions
    assert full.positions[box][:, 2].min() > 0.8 and without.positions[box][-1, 2] < 0.4
    verdict = simulator.judge(spec, full, without)
    assert verdict.reason is None and verdict.measured["divergence_metres"] > 0.5
    for i in spec.survivors:
        if i != box:
            np.testing.assert_array_equal(full.positions[i], without.positions[i])


def test_windows_in_which_nothing_happens_are_passed_over(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    human = replace(scenes().human, sequences=["kick_ball_000", "pull_chair_chair_000"])
    config = scenes(human=human)
    config.frames = 9
    simulator = HumanSimulator(config, library)
    drawn = [simulator.sample(PLACE, seed=0, index=index, attempt=0) for index in range(6)]
    assert all(spec.targets for spec in drawn)
    monkeypatch.setattr(sample, "WINDOWS", 1)
    first = [simulator.sample(PLACE, seed=0, index=index, attempt=0) for index in range(6)]
    assert not all(spec.targets for spec in first)
    # Where the first window will do, it is taken.
    assert any(one == other for one, other in zip(drawn, first, strict=True))


def test_pairs_of_people_are_generated_and_a_bad_sequence_is_listed(
    library: Library, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assets = AssetsConfig(root=library.config.root)
    config = scenes(human=replace(scenes().human, sequences=[*SEQUENCES, "kick_ball_000"], held_out=0.3))
    base = ProceduralSource(config.human, Path(library.config.root) / "motions")._folders["kick_ball_000"]
    request.addfinalizer(lambda: shutil.rmtree(base))
    (base / "objects").mkdir(parents=True)
    (base / "sequences" / "kick_ball_000").mkdir(parents=True)
    (base / "sequences" / "kick_ball_000" / "kick_ball_000.pkl").write_bytes(b"not a pickle")
    failures = generate(
        tmp_path / "people", replace(config, count=6), assets, ExecutorConfig(workers=2), 0, console=Console(quiet=True)
    )
    assert failures == []
    summary = read_json(tmp_path / "people" / "summary.json")
    assert summary["pairs"] == 6 and "kick_ball_000" in summary["unusable"]
    assert summary["rejected_draws"]["bad_sequence"] > 0
    pair = read_pair(next((tmp_path / "people" / "pairs").glob("human-*")), verify=True)
    assert pair.metadata["source"] == "human" and pair.metadata["family"] == "human"
    assert pair.quadmask.primary_THW.any(axis=(1, 2)).all() and pair.quadmask.affected_THW.any()
    assert "person" not in pair.metadata["caption"].lower()


def test_a_hand_that_misses_refuses_the_draw(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    config = scenes()
    simulator = HumanSimulator(config, library)
    recording = simulator._recording

    def missing(*arguments: Any) -> Any:
        motion, rate = recording(*arguments)
        return replace(motion, hold_error=config.human.max_hold_error + 0.01), rate

    monkeypatch.setattr(simulator, "_recording", missing)
    with pytest.raises(RefusedError, match="missed_hold"):
        simulator.sample(PLACE, seed=0, index=0, attempt=0)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"motion": "mocap"}, "scene.motion must be one of .*, got mocap"),
        ({"human.time": "fast"}, "scene.human.time must be one of .*, got fast"),
        ({"human.variants": []}, "scene.human.variants"),
        ({"human.motions": ["roll"]}, "scene.human.motions"),
        ({"human.removal_window": (0.2, 1.5)}, "scene.human.removal_window"),
        ({"human.variations": 0}, "scene.human.variations must be at least 1, got 0"),
    ],
)
def test_a_bad_configuration_is_named(changes: dict[str, object], problem: str) -> None:
    config = scenes()
    for key, value in changes.items():
        group, _, name = key.rpartition(".")
        setattr(config.human if group else config, name, value)
    with pytest.raises(InputError, match=problem):
        check_config(config)
