"""Physics of a scene with `kubric.PyBullet`: the factual world, and the same one without the removed objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_gen.blender.kubric_compat import load_simulator
from data_gen.rigid.scene import Workshop
from data_gen.rigid.spec import SceneSpec

FLOOR = -1
"""Stands for the floor among the partners of a contact."""


@dataclass(frozen=True)
class Contact:
    """Two bodies pushing each other."""

    frame: float
    """Physics step / steps per frame: poses of all frames before it do not know of it."""
    first: int
    second: int
    force: float


@dataclass(frozen=True, eq=False)
class World:
    """How the objects of these indices move, at each of T frames; frame f is time f / fps."""

    positions: dict[int, NDArray[np.float64]]
    """By object: `(T, 3)`, metres."""
    quaternions: dict[int, NDArray[np.float64]]
    """By object: `(T, 4)`."""
    contacts: tuple[Contact, ...]

    def first_contact(self, some: Sequence[int], others: Sequence[int]) -> float | None:
        """Frame at which one of `some` first touches one of `others`."""
        frames = [
            contact.frame
            for contact in self.contacts
            if (contact.first in some and contact.second in others)
            or (contact.second in some and contact.first in others)
        ]
        return min(frames, default=None)


def simulate(spec: SceneSpec, indices: Sequence[int], workshop: Workshop, scratch: Path) -> World:
    """Run the physics of the objects `indices` from the spec's initial state."""
    scene = workshop.scene(spec)
    simulator = load_simulator()(scene, scratch_dir=scratch)
    objects = workshop.add(scene, spec, indices)
    index_of = {asset.uid: index for index, asset in objects.items()}
    animation, collisions = simulator.run(frame_start=0, frame_end=spec.frames - 1)
    contacts = []
    for event in collisions:
        pair = sorted(index_of.get(asset.uid, FLOOR) for asset in event["instances"])
        if event["frame"] <= spec.frames - 1:
            contacts.append(Contact(float(event["frame"]), pair[0], pair[1], float(event["force"])))
    world = World(
        positions={index: np.array(animation[asset]["position"]) for index, asset in objects.items()},
        quaternions={index: np.array(animation[asset]["quaternion"]) for index, asset in objects.items()},
        contacts=tuple(contacts),
    )
    scene.unlink_view(simulator)
    return world
