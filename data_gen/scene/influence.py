"""Who was reached by a removed object, and when: along contacts, directly or through others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set

from data_gen.scene.simulate import SURROUNDINGS, Contact, World
from data_gen.scene.spec import SceneSpec


def reached(spec: SceneSpec, full: World, without: World) -> dict[int, float]:
    """For each remaining object the frame from which it may differ between the worlds; infinity: never.

    An object is reached when it touches a removed one, or one that was reached before, in either world. What never
    moves passes nothing on, unless it is itself removed. Poses of frames before a contact do not know of it.
    """
    times = _spread([*full.contacts, *without.contacts], spec.removed, _fixed(spec, full, without))
    return {i: times.get(i, math.inf) for i in spec.survivors}


def acts(spec: SceneSpec, full: World, removed: int) -> bool:
    """Whether a removed object touches a remaining one, directly or through others."""
    times = _spread(full.contacts, [removed], _fixed(spec, full))
    return any(i in times for i in spec.survivors)


def _fixed(spec: SceneSpec, *worlds: World) -> Set[int]:
    """What never moves. A person may move what is static for the physics."""
    static = {i for i, item in enumerate(spec.objects) if item.static} - set(spec.removed)
    moved = {i for world in worlds for i, path_T3 in world.positions.items() if (path_T3 != path_T3[0]).any()}
    return static - moved


def _spread(contacts: Iterable[Contact], sources: Sequence[int], fixed: Set[int]) -> dict[int, float]:
    times = dict.fromkeys(sources, -math.inf)
    events = sorted((c for c in contacts if not SURROUNDINGS & {c.first, c.second}), key=lambda contact: contact.frame)
    spreading = True
    # More than one pass only where several contacts of one step pass it on against their order.
    while spreading:
        spreading = False
        for event in events:
            for giver, taker in ((event.first, event.second), (event.second, event.first)):
                known = giver in times and times[giver] <= event.frame
                if known and taker not in fixed and event.frame < times.get(taker, math.inf):
                    times[taker] = event.frame
                    spreading = True
    return times
