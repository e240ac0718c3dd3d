"""One pair of the rigid simulator, from seed to clips: sample, simulate, accept, render, label."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

from data_gen.assets.library import Library
from data_gen.rigid.accept import Reason, Verdict, judge, shows_removed
from data_gen.rigid.config import SceneConfig
from data_gen.rigid.counterfactual import simulate_both
from data_gen.rigid.families.base import NoRoomError
from data_gen.rigid.families.registry import FAMILIES
from data_gen.rigid.label import render_pair
from data_gen.rigid.sample import sample_scene
from data_gen.rigid.scene import Workshop
from data_gen.rigid.simulate import World
from data_gen.rigid.spec import SceneSpec
from data_gen.stopwatch import Stopwatch
from void.pairs import Pair

SOURCE = "rigid"


class NoSceneError(Exception):
    """No draw was accepted; `reasons` counts why, `seconds` tells what the tries took."""

    def __init__(self, reasons: Counter[str], seconds: dict[str, float]) -> None:
        counted = ", ".join(f"{name} {count}" for name, count in reasons.most_common())
        super().__init__(f"none of {reasons.total()} draws was accepted ({counted})")
        self.reasons = reasons
        self.seconds = seconds


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


def pair_id(index: int) -> str:
    """Name of scene `index`, which is also the name of its folder."""
    return f"{SOURCE}-{index:06d}"


def produce(
    config: SceneConfig,
    library: Library,
    *,
    seed: int,
    index: int,
    family: str,
    split: str,
    first_attempt: int,
    scratch: Path,
) -> Made:
    """Make the pair of one scene.

    Args:
        config: of the scenes.
        library: all assets.
        seed: of the data set.
        index: of the scene.
        family: of the scene.
        split: train or val; decides the assets.
        first_attempt: number of the first draw; another one gives other scenes.
        scratch: an existing folder for temporary files.

    Raises:
        NoSceneError: nothing was accepted in `config.max_attempts` draws.
        InputError: an asset is bad.
    """
    watch = Stopwatch()
    assets = library.split(split)
    workshop = Workshop(assets, scratch)
    rejected: list[tuple[int, str]] = []
    for attempt in range(first_attempt, first_attempt + config.max_attempts):
        found = _try(config, assets, workshop, scratch, watch, seed=seed, index=index, family=family, attempt=attempt)
        if isinstance(found, _Accepted):
            pair = render_pair(found.spec, *found.worlds, config, workshop, scratch, watch)
            if shows_removed(pair.quadmask, config.accept):
                return Made(_described(pair, index, found, rejected), watch.seconds)
            found = Reason.removed_hidden
        rejected.append((attempt, found.name))
    raise NoSceneError(Counter(name for _, name in rejected), watch.seconds)


def dry_scene(
    config: SceneConfig,
    library: Library,
    *,
    seed: int,
    index: int,
    family: str,
    split: str,
    first_attempt: int,
    scratch: Path,
) -> dict[str, Any]:
    """Sample, simulate and judge as `produce` does, but render nothing.

    Returns:
        `family`, `accepted`, `attempts`, `reasons` (name to count) and, for an accepted scene, `facts`: numbers of
        objects, removed objects and contacts, and what was measured (see `accept.judge`).
    """
    watch = Stopwatch()
    assets = library.split(split)
    workshop = Workshop(assets, scratch)
    reasons: Counter[str] = Counter()
    facts: dict[str, float] = {}
    for attempt in range(first_attempt, first_attempt + config.max_attempts):
        found = _try(config, assets, workshop, scratch, watch, seed=seed, index=index, family=family, attempt=attempt)
        if isinstance(found, _Accepted):
            facts = {
                "objects": len(found.spec.objects),
                "removed": len(found.spec.removed),
                "contacts": len(found.worlds[0].contacts),
                **found.verdict.measured,
            }
            break
        reasons[found.name] += 1
    return {
        "family": family,
        "accepted": bool(facts),
        "attempts": reasons.total() + bool(facts),
        "reasons": dict(sorted(reasons.items())),
        "facts": facts,
    }


def draw_scene(
    config: SceneConfig, library: Library, *, seed: int, index: int, family: str, split: str, attempt: int
) -> SceneSpec:
    """One draw of a scene, accepted or not; `library` holds all assets. Raises NoRoomError."""
    return sample_scene(config, library.split(split), seed=seed, index=index, family=family, attempt=attempt)


def _try(
    config: SceneConfig,
    assets: Library,
    workshop: Workshop,
    scratch: Path,
    watch: Stopwatch,
    *,
    seed: int,
    index: int,
    family: str,
    attempt: int,
) -> _Accepted | Reason:
    """One draw: its worlds when it is accepted, else the reason."""
    try:
        with watch.stage("sample"):
            spec = sample_scene(config, assets, seed=seed, index=index, family=family, attempt=attempt)
    except NoRoomError:
        return Reason.no_room
    with watch.stage("physics"):
        worlds = simulate_both(spec, workshop, scratch)
        verdict = judge(
            spec,
            *worlds,
            config.accept,
            contact_window=getattr(config.families, family).contact_window,
            changes=FAMILIES[family].changes,
            steady=FAMILIES[family].steady,
        )
    return verdict.reason or _Accepted(spec, worlds, verdict)


def _described(pair: Pair, index: int, found: _Accepted, rejected: list[tuple[int, str]]) -> Pair:
    facts = {
        "id": pair_id(index),
        "group": f"{SOURCE}:seed:{found.spec.seed}:{index}",
        "source": SOURCE,
        "accepted": found.verdict.measured,
        "attempts": len(rejected) + 1,
        "rejected": dict(sorted(Counter(name for _, name in rejected).items())),
        "rejected_draws": [list(draw) for draw in rejected],
    }
    return dataclasses.replace(pair, metadata=pair.metadata | facts)
