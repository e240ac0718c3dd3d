"""Who was reached by a removed object, and when: along contacts, directly or through others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from data_gen.rigid.simulate import FLOOR, Contact, World
from data_gen.rigid.spec import SceneSpec


def reached(spec: SceneSpec, full: World, without: World) -> dict[int, float]:
    """For each remaining object the frame from which it may differ between the worlds; infinity: never.

    An object is reached when it touches a removed one, or one that was reached before, in either world. What never
    moves passes nothing on, unless it is itself removed. Poses of frames before a contact do not know of it.
    """
    times = _spread(spec, [*full.contacts, *without.contacts], spec.removed)
    return {i: times.get(i, math.inf) for i in spec.survivors}


def acts(spec: SceneSpec, full: World, removed: int) -> bool:
    """Whether a removed object touches a remaining one, directly or through others."""
    times = _spread(spec, full.contacts, [removed])
    return any(i in times for i in spec.survivors)


def _spread(spec: SceneSpec, contacts: Iterable[Contact], sources: Sequence[int]) -> dict[int, float]:
    times = dict.fromkeys(sources, -math.inf)
    events = sorted((c for c in contacts if FLOOR not in (c.first, c.second)), key=lambda contact: contact.frame)
    fixed = {i for i, item in enumerate(spec.objects) if item.static} - set(spec.removed)
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
