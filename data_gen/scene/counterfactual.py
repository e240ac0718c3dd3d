"""The two worlds of a scene, equal to the bit wherever no removed object has had an effect.

Bullet's solver depends a little on everything else that is in the world: simulated twice from the start, objects that
have nothing to do with the removed ones come out some millimetres apart after a second. So the counterfactual world
starts where the factual one is just before a removed object first reaches another, and what is never reached keeps its
factual motion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_gen.scene.influence import reached
from data_gen.scene.simulate import SURROUNDINGS, Contact, World, simulate
from data_gen.scene.spec import SceneSpec
from data_gen.scene.workshop import Workshop

_ByObject = Mapping[int, NDArray[np.float64]]


def simulate_both(spec: SceneSpec, workshop: Workshop, scratch: Path) -> tuple[World, World]:
    """The world with all objects, and the one without the removed objects.

    Args:
        spec: of the scene.
        workshop: makes its objects.
        scratch: an existing folder for temporary files.
    """
    full = simulate(spec, range(len(spec.objects)), workshop, scratch)
    remaining = only(full, spec.survivors)
    first = min(reached(spec, full, remaining).values(), default=math.inf)
    if math.isinf(first) or not finite(full):
        return full, remaining
    start = max(math.ceil(first) - 1, 0)
    after = simulate(resumed(spec, full, start), spec.survivors, workshop, scratch)
    without = joined(remaining, after, start)
    times = reached(spec, full, without)
    return full, with_motion_of(full, without, [i for i in spec.survivors if math.isinf(times[i])])


def finite(world: World) -> bool:
    """Whether all positions are."""
    return all(np.isfinite(positions).all() for positions in world.positions.values())


def only(world: World, indices: Sequence[int]) -> World:
    """Some objects of a world, and the contacts among them."""

    def chosen(values: _ByObject) -> dict[int, NDArray[np.float64]]:
        return {i: values[i] for i in indices}

    contacts = tuple(c for c in world.contacts if {c.first, c.second} <= {*SURROUNDINGS, *indices})
    return replace(
        world,
        positions=chosen(world.positions),
        quaternions=chosen(world.quaternions),
        velocities=chosen(world.velocities),
        spins=chosen(world.spins),
        contacts=contacts,
        joints={i: joints for i, joints in world.joints.items() if i in indices},
    )


def resumed(spec: SceneSpec, world: World, frame: int) -> SceneSpec:
    """The scene as it is at a frame; the scene itself at the first."""
    return started(spec, world, frame) if frame else spec


def started(spec: SceneSpec, world: World, frame: int) -> SceneSpec:
    """The scene whose objects begin as those of a world are at a frame, with as many frames as are left.

    Objects that the world lacks are as in `spec`.
    """

    def at_frame(values: _ByObject, i: int) -> Any:
        return tuple(float(value) for value in values[i][frame])

    objects = tuple(
        replace(
            item,
            position=at_frame(world.positions, i),
            quaternion=at_frame(world.quaternions, i),
            velocity=at_frame(world.velocities, i),
            angular_velocity=at_frame(world.spins, i),
        )
        if i in world.positions
        else item
        for i, item in enumerate(spec.objects)
    )
    return replace(spec, objects=objects, frames=spec.frames - frame)


def joined(before: World, after: World, frame: int) -> World:
    """`before` up to and with a frame, `after`, which starts there, from then on."""

    def chained(first: _ByObject, second: _ByObject) -> dict[int, NDArray[np.float64]]:
        return {i: np.concatenate([first[i][: frame + 1], second[i][1:]]) for i in first}

    later = tuple(Contact(c.frame + frame, c.first, c.second, c.force) for c in after.contacts)
    return World(
        positions=chained(before.positions, after.positions),
        quaternions=chained(before.quaternions, after.quaternions),
        contacts=(*(c for c in before.contacts if c.frame <= frame), *later),
        velocities=chained(before.velocities, after.velocities),
        spins=chained(before.spins, after.spins),
        overlap=before.overlap,
        sinking=max(before.sinking, after.sinking),
        crossings=(*(f for f in before.crossings if f < frame), *(f + frame for f in after.crossings)),
    )


def with_motion_of(full: World, without: World, indices: Sequence[int]) -> World:
    """`without`, but for these objects, which move as in `full`."""

    def mixed(first: _ByObject, second: _ByObject) -> dict[int, NDArray[np.float64]]:
        return {i: first[i] if i in indices else second[i] for i in second}

    return replace(
        without,
        positions=mixed(full.positions, without.positions),
        quaternions=mixed(full.quaternions, without.quaternions),
        velocities=mixed(full.velocities, without.velocities),
        spins=mixed(full.spins, without.spins),
    )
