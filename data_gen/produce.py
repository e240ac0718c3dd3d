"""One pair, from seed to clips: sample, simulate, accept, render, label."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
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


@dataclasses.dataclass(frozen=True)
class Order:
    """A scene that is wanted."""

    seed: int
    """Of the data set."""
    index: int
    place: Place
    first_attempt: int = 0
    """Number of the first draw; another one gives other scenes."""


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


def produce(config: SceneConfig, library: Library, order: Order, scratch: Path) -> Made:
    """Make the pair of one scene.

    Args:
        config: of the scenes.
        library: all assets.
        order: which scene.
        scratch: an existing folder for temporary files.

    Raises:
        NoSceneError: nothing was accepted in `config.max_attempts` draws.
        InputError: an asset is bad.
    """
    simulator = open_simulator(order.place.family, config, library)
    search = _Search()
    for attempt, found in search.accepted(simulator, order, config.max_attempts, scratch):
        pair = render_pair(found.spec, *found.worlds, config, found.workshop, scratch, search.watch)
        if not shows_removed(pair.quadmask, simulator.limits):
            search.rejected.append((attempt, Reason.removed_hidden.name))
            continue
        facts = {
            "id": pair_id(order.index, order.place.family),
            "group": simulator.group(found.spec),
            "source": source_of(order.place.family),
            "number": order.place.number,
            "accepted": found.verdict.measured,
            "attempts": len(search.rejected) + 1,
            "rejected": dict(sorted(search.reasons.items())),
            "rejected_draws": [list(draw) for draw in search.rejected],
            "unusable": search.unusable,
        }
        return Made(dataclasses.replace(pair, metadata=pair.metadata | facts), search.watch.seconds)
    raise NoSceneError(search.reasons, search.watch.seconds, search.unusable)


def dry_scene(config: SceneConfig, library: Library, order: Order, scratch: Path) -> dict[str, Any]:
    """Sample, simulate and judge as `produce` does, but render nothing.

    Returns:
        `family`, `accepted`, `attempts`, `reasons` (name to count), `unusable` and, for an accepted scene, `facts`:
        numbers of objects, removed objects and contacts, and what was measured (see `accept.judge`).
    """
    simulator = open_simulator(order.place.family, config, library)
    search = _Search()
    _, found = next(search.accepted(simulator, order, config.max_attempts, scratch), (0, None))
    facts = found and {
        "objects": len(found.spec.objects),
        "removed": len(found.spec.removed),
        "contacts": len(found.worlds[0].contacts),
        **found.verdict.measured,
    }
    return {
        "family": order.place.family,
        "accepted": found is not None,
        "attempts": len(search.rejected) + (found is not None),
        "reasons": dict(sorted(search.reasons.items())),
        "unusable": search.unusable,
        "facts": facts or {},
    }


class _Search:
    """The draws of one scene, and what became of them."""

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self.rejected: list[tuple[int, str]] = []
        """Number of the draw and name of the reason."""
        self.unusable: dict[str, str] = {}

    @property
    def reasons(self) -> Counter[str]:
        """Rejected draws by reason."""
        return Counter(name for _, name in self.rejected)

    def accepted(
        self, simulator: Simulator, order: Order, draws: int, scratch: Path
    ) -> Iterator[tuple[int, _Accepted]]:
        """The accepted ones of so many draws, with their numbers; the others join `rejected`."""
        for attempt in range(order.first_attempt, order.first_attempt + draws):
            found = self._try(simulator, order, attempt, scratch)
            if isinstance(found, _Accepted):
                yield attempt, found
            else:
                self.rejected.append((attempt, found))

    def _try(self, simulator: Simulator, order: Order, attempt: int, scratch: Path) -> _Accepted | str:
        """One draw: its worlds when it is accepted, else the name of the reason."""
        try:
            with self.watch.stage("sample"):
                spec = simulator.sample(order.place, seed=order.seed, index=order.index, attempt=attempt)
        except RefusedError as error:
            self.unusable |= error.unusable
            return error.reason
        with self.watch.stage("physics"):
            workshop = simulator.workshop(spec, order.place.split)
            worlds = simulator.simulate(spec, workshop, scratch)
            verdict = simulator.judge(spec, *worlds)
        return verdict.reason.name if verdict.reason else _Accepted(spec, worlds, verdict, workshop)
