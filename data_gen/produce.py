"""One pair, from seed to clips: sample, simulate, accept, render, label."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.quota import Place
from data_gen.scene.accept import Reason, Verdict, shows_removed
from data_gen.scene.label import render_pair
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from data_gen.scene.workshop import Workshop
from data_gen.simulator import HUMAN, RefusedError, Simulator, pair_id, source_of
from data_gen.stopwatch import Stopwatch
from void.pairs import Pair


class NoSceneError(Exception):
    """No draw was accepted.

    Args:
        reasons: why, counted.
        seconds: what the tries took, by stage.
        unusable: see `RefusedError`.
    """

    def __init__(self, reasons: Counter[str], seconds: dict[str, float], unusable: dict[str, str]) -> None:
        counted = ", ".join(f"{name} {count}" for name, count in reasons.most_common())
        super().__init__(f"none of {reasons.total()} draws was accepted ({counted})")
        self.reasons = reasons
        self.seconds = seconds
        self.unusable = unusable


@dataclasses.dataclass(frozen=True, eq=False)
class Made:
    """A pair, and the seconds each stage of making it took."""

    pair: Pair
    seconds: dict[str, float]


@dataclasses.dataclass(frozen=True, eq=False)
class _Accepted:
    spec: SceneSpec
    worlds: tuple[World, World]
    verdict: Verdict
    workshop: Workshop


def open_simulator(family: str, config: SceneConfig, library: Library) -> Simulator:
    """The simulator of a family; `library` holds all assets."""
    if source_of(family) == HUMAN:
        from data_gen.human.simulator import HumanSimulator

        return HumanSimulator(config, library)
    from data_gen.rigid.simulator import RigidSimulator

    return RigidSimulator(config, library)


def produce(
    config: SceneConfig,
    library: Library,
    *,
    seed: int,
    index: int,
    place: Place,
    first_attempt: int,
    scratch: Path,
) -> Made:
    """Make the pair of one scene.

    Args:
        config: of the scenes.
        library: all assets.
        seed: of the data set.
        index: of the scene.
        place: of the scene.
        first_attempt: number of the first draw; another one gives other scenes.
        scratch: an existing folder for temporary files.

    Raises:
        NoSceneError: nothing was accepted in `config.max_attempts` draws.
        InputError: an asset is bad.
    """
    watch = Stopwatch()
    simulator = open_simulator(place.family, config, library)
    rejected: list[tuple[int, str]] = []
    unusable: dict[str, str] = {}
    for attempt in range(first_attempt, first_attempt + config.max_attempts):
        found = _try(simulator, place, scratch, watch, unusable, seed=seed, index=index, attempt=attempt)
        if isinstance(found, _Accepted):
            pair = render_pair(found.spec, *found.worlds, config, found.workshop, scratch, watch)
            if shows_removed(pair.quadmask, simulator.limits):
                facts = {
                    "id": pair_id(index, place.family),
                    "group": simulator.group(found.spec),
                    "source": source_of(place.family),
                    "number": place.number,
                    "accepted": found.verdict.measured,
                    "attempts": len(rejected) + 1,
                    "rejected": dict(sorted(Counter(name for _, name in rejected).items())),
                    "rejected_draws": [list(draw) for draw in rejected],
                    "unusable": unusable,
                }
                return Made(dataclasses.replace(pair, metadata=pair.metadata | facts), watch.seconds)
            found = Reason.removed_hidden.name
        rejected.append((attempt, found))
    raise NoSceneError(Counter(name for _, name in rejected), watch.seconds, unusable)


def dry_scene(
    config: SceneConfig,
    library: Library,
    *,
    seed: int,
    index: int,
    place: Place,
    first_attempt: int,
    scratch: Path,
) -> dict[str, Any]:
    """Sample, simulate and judge as `produce` does, but render nothing.

    Returns:
        `family`, `accepted`, `attempts`, `reasons` (name to count), `unusable` and, for an accepted scene, `facts`:
        numbers of objects, removed objects and contacts, and what was measured (see `accept.judge`).
    """
    simulator = open_simulator(place.family, config, library)
    reasons: Counter[str] = Counter()
    unusable: dict[str, str] = {}
    facts: dict[str, float] = {}
    for attempt in range(first_attempt, first_attempt + config.max_attempts):
        found = _try(simulator, place, scratch, Stopwatch(), unusable, seed=seed, index=index, attempt=attempt)
        if isinstance(found, _Accepted):
            facts = {
                "objects": len(found.spec.objects),
                "removed": len(found.spec.removed),
                "contacts": len(found.worlds[0].contacts),
                **found.verdict.measured,
            }
            break
        reasons[found] += 1
    return {
        "family": place.family,
        "accepted": bool(facts),
        "attempts": reasons.total() + bool(facts),
        "reasons": dict(sorted(reasons.items())),
        "unusable": unusable,
        "facts": facts,
    }


def _try(
    simulator: Simulator,
    place: Place,
    scratch: Path,
    watch: Stopwatch,
    unusable: dict[str, str],
    *,
    seed: int,
    index: int,
    attempt: int,
) -> _Accepted | str:
    """One draw: its worlds when it is accepted, else the name of the reason."""
    try:
        with watch.stage("sample"):
            spec = simulator.sample(place, seed=seed, index=index, attempt=attempt)
    except RefusedError as error:
        unusable |= error.unusable
        return error.reason
    with watch.stage("physics"):
        workshop = simulator.workshop(spec, place.split)
        worlds = simulator.simulate(spec, workshop, scratch)
        verdict = simulator.judge(spec, *worlds)
    return verdict.reason.name if verdict.reason else _Accepted(spec, worlds, verdict, workshop)
