"""The loop over the draws of a scene: what is refused, rejected, hidden and at last accepted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from two_boxes import SPEC, worlds

from data_gen import produce
from data_gen.config import SceneConfig
from data_gen.produce import NoSceneError, Order, dry_scene
from data_gen.quota import Place
from data_gen.scene.accept import Reason, Verdict
from data_gen.scene.config import AcceptConfig
from data_gen.scene.spec import SceneSpec
from data_gen.simulator import RefusedError
from void.pairs import Pair
from void.quadmask import Quadmask

ORDER = Order(seed=7, index=3, place=Place("train", "ball", 2), first_attempt=10)
CONFIG = SceneConfig(frames=13, height=32, width=48, max_attempts=5)
MEASURED = {"max_speed": 2.0}
SHOWN, HIDDEN = np.ones((SPEC.frames, 4, 4), np.bool_), np.zeros((SPEC.frames, 4, 4), np.bool_)


class Scripted:
    """A simulator whose draws 10, 11, ... are a refusal, a rejection, and then accepted."""

    limits = AcceptConfig()

    def sample(self, place: Place, *, seed: int, index: int, attempt: int) -> SceneSpec:
        assert (place, seed, index) == (ORDER.place, 7, 3)
        if attempt == 10:
            raise RefusedError(Reason.bad_sequence.name, {"walk": "too short"})
        return replace(SPEC, attempt=attempt)

    def workshop(self, spec: SceneSpec, split: str) -> str:
        assert split == "train"
        return f"workshop {spec.attempt}"

    def simulate(self, spec: SceneSpec, workshop: str, scratch: Path) -> tuple[Any, Any]:
        assert workshop == f"workshop {spec.attempt}"
        return worlds()

    def judge(self, spec: SceneSpec, *worlds: Any) -> Verdict:
        return Verdict(Reason.no_contact if spec.attempt == 11 else None, MEASURED)

    def group(self, spec: SceneSpec) -> str:
        return f"draw {spec.attempt}"


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The first accepted draw of `hidden` shows nothing of what is removed."""
    state = SimpleNamespace(hidden={12})

    def rendered(spec: SceneSpec, *of: Any) -> Pair:
        clip = np.zeros((SPEC.frames, 4, 4, 3), np.uint8)
        primary_THW = HIDDEN if spec.attempt in state.hidden else SHOWN
        return Pair(clip, clip, Quadmask(primary_THW, HIDDEN), fps=10, metadata={"scene": spec.attempt})

    monkeypatch.setattr(produce, "open_simulator", lambda *of: Scripted())
    monkeypatch.setattr(produce, "render_pair", rendered)
    return state


def test_a_pair_tells_of_the_draws_before_it(tmp_path: Path) -> None:
    made = produce.produce(CONFIG, None, ORDER, tmp_path)  # type: ignore[arg-type]
    assert made.pair.metadata == {
        "scene": 13,
        "id": "rigid-000003",
        "group": "draw 13",
        "source": "rigid",
        "number": 2,
        "accepted": MEASURED,
        "attempts": 4,
        "rejected": {"bad_sequence": 1, "no_contact": 1, "removed_hidden": 1},
        "rejected_draws": [[10, "bad_sequence"], [11, "no_contact"], [12, "removed_hidden"]],
        "unusable": {"walk": "too short"},
    }
    assert set(made.seconds) == {"sample", "physics"}


def test_when_every_draw_is_hidden_the_reasons_are_told(scripted: SimpleNamespace, tmp_path: Path) -> None:
    scripted.hidden = {12, 13, 14}
    with pytest.raises(NoSceneError) as caught:
        produce.produce(CONFIG, None, ORDER, tmp_path)  # type: ignore[arg-type]
    assert caught.value.reasons == Counter(removed_hidden=3, bad_sequence=1, no_contact=1)
    assert caught.value.unusable == {"walk": "too short"}


def test_a_dry_scene_ends_with_the_first_accepted_draw(tmp_path: Path) -> None:
    told = dry_scene(CONFIG, None, ORDER, tmp_path)  # type: ignore[arg-type]
    facts = {"objects": 2, "removed": 1, "contacts": 2, "max_speed": 2.0}
    assert (told["accepted"], told["attempts"], told["facts"]) == (True, 3, facts)
    assert told["reasons"] == {"bad_sequence": 1, "no_contact": 1} and told["unusable"] == {"walk": "too short"}
    lost = dry_scene(replace(CONFIG, max_attempts=2), None, ORDER, tmp_path)  # type: ignore[arg-type]
    assert (lost["accepted"], lost["attempts"], lost["facts"]) == (False, 2, {})
