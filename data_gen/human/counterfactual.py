"""The world without the person: as recorded until they vanish, then Bullet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_gen.human.props import StoredProp
from data_gen.human.support import resting
from data_gen.human.timeline import Clip
from data_gen.scene.counterfactual import joined, only, started, with_motion_of
from data_gen.scene.influence import reached
from data_gen.scene.poses import Poses
from data_gen.scene.simulate import Care, World, simulate
from data_gen.scene.spec import SceneSpec
from data_gen.scene.workshop import Workshop

STILL_SPEED, STILL_SPIN = 0.05, 0.3
"""Metres and radians per second below which an object that is held up is at rest."""


def counterfactual_world(
    spec: SceneSpec, full: World, clip: Clip, stored: Mapping[int, StoredProp], workshop: Workshop, scratch: Path
) -> World:
    """The world of the survivors. Equal to the factual one, to the bit, until the person's removal frame.

    There the objects that are not static are set free: at frame 0 from rest, as if the person had never been there,
    later with the velocity they have. What is at rest and held up stays exactly where it is until something reaches it.

    Args:
        spec: with a person; its first objects are the clip's.
        full: the factual world.
        clip: of the motion.
        stored: the files of each of the clip's objects.
        workshop: makes the objects.
        scratch: an existing folder for temporary files.
    """
    assert spec.person is not None
    frame = spec.person.removal_frame
    free = {i for i in spec.survivors if not spec.objects[i].static}
    held_up = resting(stored, clip.props_TN7[frame], anchored=set(stored) - free)
    asleep = {i for i in free & held_up if frame == 0 or _is_still(full, i, frame)}
    start = _released(full, spec, frame, free - asleep if frame else set())
    without = _waking(spec, only(start, spec.survivors), frame, asleep, workshop, scratch)
    times = reached(spec, full, without)
    return with_motion_of(full, without, [i for i in spec.survivors if math.isinf(times[i])])


def _waking(spec: SceneSpec, world: World, frame: int, asleep: set[int], workshop: Workshop, scratch: Path) -> World:
    """Physics from a frame of `world` on. What is asleep is static until something free touches it, or its neighbour.

    Bullet's own sleeping bodies wake up as soon as another body from a file is in the world.
    """
    overlap = None
    neighbours = _touching(world, frame)
    while True:
        begin = started(spec, world, frame)
        objects = tuple(replace(item, static=item.static or i in asleep) for i, item in enumerate(begin.objects))
        after = simulate(replace(begin, objects=objects), spec.survivors, workshop, scratch, care=Care())
        overlap = after.overlap if overlap is None else overlap
        woken = _struck(after, asleep, {i for i in spec.survivors if not objects[i].static})
        world = replace(joined(world, _unmoved(after, world, frame), frame), overlap=overlap)
        if not woken:
            return world
        frame += max(math.ceil(min(woken.values())) - 1, 0)
        first = {i for i, time in woken.items() if time == min(woken.values())}
        asleep = asleep - _connected(first, neighbours)


def _struck(after: World, asleep: set[int], free: set[int]) -> dict[int, float]:
    """When something free first touches each sleeping object, in frames."""
    times: dict[int, float] = {}
    for contact in after.contacts:
        for one, other in ((contact.first, contact.second), (contact.second, contact.first)):
            if one in asleep and other in free:
                times[one] = min(contact.frame, times.get(one, math.inf))
    return times


def _touching(world: World, frame: int) -> set[frozenset[int]]:
    return {frozenset((contact.first, contact.second)) for contact in world.contacts if contact.frame == frame}


def _connected(some: set[int], pairs: set[frozenset[int]]) -> set[int]:
    """`some` and what touches them, directly or through others."""
    grown = some.union(*(pair for pair in pairs if pair & some))
    return some if grown == some else _connected(grown, pairs)


def _released(full: World, spec: SceneSpec, frame: int, moving: set[int]) -> World:
    """`full`, where at a frame only these objects have a velocity."""

    def slowed(values: Mapping[int, Poses]) -> dict[int, Poses]:
        slow = {i: values[i].copy() for i in spec.survivors if i not in moving}
        for value_T3 in slow.values():
            value_T3[frame] = 0.0
        return {**values, **slow}

    return replace(full, velocities=slowed(full.velocities), spins=slowed(full.spins))


def _is_still(world: World, index: int, frame: int) -> bool:
    slow = np.linalg.norm(world.velocities[index][frame]) < STILL_SPEED
    return bool(slow and np.linalg.norm(world.spins[index][frame]) < STILL_SPIN)


def _unmoved(after: World, world: World, frame: int) -> World:
    """`after`, where what never moves has its pose at the frame of `world` that it starts from, which Bullet rounds."""

    still = {i for i in after.positions if _is_constant(after.positions[i]) and _is_constant(after.quaternions[i])}

    def chosen(values: Mapping[int, Poses], source: Mapping[int, Poses]) -> dict[int, Poses]:
        return {i: np.tile(source[i][frame], (len(path), 1)) if i in still else path for i, path in values.items()}

    return replace(
        after,
        positions=chosen(after.positions, world.positions),
        quaternions=chosen(after.quaternions, world.quaternions),
    )


def _is_constant(path_TN: Poses) -> bool:
    return bool((path_TN == path_TN[0]).all())
