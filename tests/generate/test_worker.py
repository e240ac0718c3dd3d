"""A worker's outcome for every end of a scene, with a producer that needs no simulator."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fake_worker import made

from data_gen import produce
from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.plain import as_dict
from data_gen.produce import Made, NoSceneError, Order
from data_gen.quota import Place
from data_gen.worker import Job, Outcome, work
from void.errors import InputError
from void.pairs import read_pair

SECONDS = {"physics": 0.5, "render": 2.0}
UNUSABLE = {"lift_mug_1": "armature is empty"}
NO_SCENE = NoSceneError(Counter(no_contact=50, no_room=10), {"physics": 4.0}, UNUSABLE)


def job(folder: Path) -> Job:
    described = as_dict(SceneConfig(frames=5, height=32, width=48))
    return Job(described, {}, 0, index=3, family="ball", split="train", number=2, first_attempt=0, folder=str(folder))


@pytest.fixture(autouse=True)
def no_assets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "from_dict", lambda data: None)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> None:
    def produced(config: SceneConfig, library: None, order: Order, scratch: Path) -> Made:
        assert order == Order(seed=0, index=3, place=Place("train", "ball", 2), first_attempt=0)
        return Made(made(order.index), SECONDS)

    monkeypatch.setattr(produce, "produce", produced)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    def fail(*args: object, **of: object) -> Made:
        raise request.param

    monkeypatch.setattr(produce, "produce", fail)


@pytest.mark.usefixtures("pair")
def test_a_pair_is_written_and_its_times_are_told(tmp_path: Path) -> None:
    assert work(job(tmp_path / "pair")) == Outcome("done", seconds=SECONDS)
    assert read_pair(tmp_path / "pair").metadata["id"] == "rigid-000003"


@pytest.mark.usefixtures("full_disk", "pair")
def test_a_worker_on_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    outcome = work(job(tmp_path / "pair"))
    assert outcome.kind == "input_error" and "no space left" in outcome.message and outcome.remedy
    assert not (tmp_path / "pair").exists()


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("failing", [OSError(28, "No space left on device")], indirect=True)
def test_a_worker_whose_scratch_space_is_full_says_so(tmp_path: Path) -> None:
    outcome = work(job(tmp_path / "pair"))
    assert outcome.kind == "input_error" and "no space left" in outcome.message and "TMPDIR" in outcome.remedy


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("failing", [InputError("mug.tar.gz is broken", "delete it")], indirect=True)
def test_what_only_the_user_can_mend_is_told_with_its_remedy(tmp_path: Path) -> None:
    assert work(job(tmp_path / "pair")) == Outcome("input_error", "mug.tar.gz is broken", "delete it")


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("failing", [NO_SCENE], indirect=True)
def test_a_scene_whose_draws_were_all_rejected_tells_the_reasons(tmp_path: Path) -> None:
    outcome = work(job(tmp_path / "pair"))
    assert (outcome.kind, outcome.reasons) == ("rejected", {"no_contact": 50, "no_room": 10})
    assert outcome.unusable == UNUSABLE
    assert "none of 60 draws was accepted" in outcome.message and outcome.seconds == {"physics": 4.0}


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("failing", [OSError(5, "Input/output error"), RuntimeError("bpy")], indirect=True)
def test_other_errors_are_crashes(tmp_path: Path) -> None:
    with pytest.raises((OSError, RuntimeError)):
        work(job(tmp_path / "pair"))
