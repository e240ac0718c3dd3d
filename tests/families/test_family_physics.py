"""What the families promise, in real physics: the first accepted scenes of each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.rigid.families.base import NoRoomError
from data_gen.rigid.families.registry import FAMILIES
from data_gen.rigid.sample import sample_scene
from data_gen.scene.accept import Reason, judge
from data_gen.scene.counterfactual import simulate_both
from data_gen.scene.influence import reached
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from data_gen.scene.workshop import Workshop

DRAWS = 14
Scene = tuple[SceneSpec, World, World]


@pytest.fixture(scope="module")
def outcomes(
    library: Library, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[list[Scene], Counter[Reason | None]]]:
    """Accepted scenes at the demo's length, and all verdicts, by family."""
    scratch, train = tmp_path_factory.mktemp("scratch"), library.split("train")
    workshop, config = Workshop(train), SceneConfig(frames=21, height=96, width=128)
    found = {}
    for name, family in FAMILIES.items():
        accepted, verdicts = [], Counter[Reason | None]()
        for index in range(DRAWS):
            try:
                spec = sample_scene(config, train, seed=2, index=index, family=name, attempt=0)
            except NoRoomError:
                verdicts[Reason.no_room] += 1
                continue
            worlds = simulate_both(spec, workshop, scratch)
            window = getattr(config.families, name).contact_window
            rules = {"contact_window": window, "changes": family.changes, "steady": family.steady}
            reason = judge(spec, *worlds, config.accept, **rules).reason
            verdicts[reason] += 1
            if reason is None:
                accepted.append((spec, *worlds))
        found[name] = accepted, verdicts
    return found


def tilt(world: World, index: int) -> float:
    """Degrees by which an object's own vertical has turned at the end."""
    _, x, y, _ = world.quaternions[index][-1]
    return float(np.degrees(np.arccos(np.clip(1 - 2 * (x * x + y * y), -1, 1))))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fair_share_of_draws_is_accepted(name: str, outcomes: dict) -> None:
    accepted, verdicts = outcomes[name]
    assert len(accepted) >= 0.25 * DRAWS, verdicts
    assert not verdicts[Reason.not_finite] and not verdicts[Reason.too_fast] and not verdicts[Reason.below_floor]


@pytest.mark.parametrize("name", FAMILIES)
def test_worlds_are_equal_to_the_bit_until_a_removed_object_acts(name: str, outcomes: dict) -> None:
    for spec, full, without in outcomes[name][0]:
        times = reached(spec, full, without)
        first = min(times.values(), default=np.inf)
        for i in spec.survivors:
            same = spec.frames if np.isinf(times[i]) else int(np.ceil(first))
            np.testing.assert_array_equal(full.positions[i][:same], without.positions[i][:same])
            np.testing.assert_array_equal(full.quaternions[i][:same], without.quaternions[i][:same])


def test_dominoes_behind_the_gap_stay_up(outcomes: dict) -> None:
    for spec, full, without in outcomes["chain"][0]:
        row = [i for i, item in enumerate(spec.objects) if item.name == "domino"]
        (last,) = spec.targets
        assert last == row[-1]
        assert tilt(full, last) > 30 > 5 > tilt(without, last)
        assert tilt(without, row[0]) > 30


def test_what_was_held_up_comes_down_at_once(outcomes: dict) -> None:
    for spec, full, without in outcomes["support"][0]:
        (target,) = spec.targets
        drop = full.positions[target][-1, 2] - without.positions[target][-1, 2]
        assert drop > 0.1
        assert np.linalg.norm(full.positions[target] - full.positions[target][0], axis=-1).max() < 0.2


def test_the_ball_goes_on_without_the_barrier(outcomes: dict) -> None:
    for spec, full, without in outcomes["barrier"][0]:
        (ball,) = spec.targets
        start, direction = full.positions[ball][0], np.array(spec.objects[ball].velocity)
        direction /= np.linalg.norm(direction)
        stopped, free = ((world.positions[ball] - start) @ direction for world in (full, without))
        assert free.max() > stopped.max() + 0.3


def test_nothing_changes_where_nothing_may(outcomes: dict) -> None:
    moving = 0
    for spec, full, without in outcomes["no_effect"][0]:
        for i in spec.survivors:
            np.testing.assert_array_equal(full.positions[i], without.positions[i])
        moving += any(np.ptp(full.positions[i], axis=0).max() > 0.3 for i in spec.removed)
    assert moving


def test_others_are_hit_only_because_of_the_removed(outcomes: dict) -> None:
    for name in ("falling", "flying", "ball", "variable"):
        for spec, full, without in outcomes[name][0]:
            assert full.first_contact(spec.removed, spec.survivors) is not None
            assert without.first_contact(spec.removed, spec.survivors) is None
            assert max(np.abs(full.positions[i] - without.positions[i]).max() for i in spec.survivors) > 0.1
