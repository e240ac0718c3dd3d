"""Physics of some objects of a scene with `kubric.PyBullet`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_gen.blender.kubric_compat import close_simulator, load_simulator
from data_gen.rigid.scene import BACKDROP, Workshop
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
    """Newtons along the normal, of all points at which they touch."""


@dataclass(frozen=True, eq=False)
class World:
    """How the objects of these indices move, at each of T frames; frame f is time f / fps."""

    positions: dict[int, NDArray[np.float64]]
    """By object: `(T, 3)`, metres."""
    quaternions: dict[int, NDArray[np.float64]]
    """By object: `(T, 4)`."""
    contacts: tuple[Contact, ...]
    velocities: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """By object: `(T, 3)`, metres per second."""
    spins: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """By object: `(T, 3)`, radians per second about the world's axes."""
    overlap: float = 0.0
    """Metres by which two objects, or one and the floor, overlap at the start."""
    sinking: float = 0.0
    """Metres by which an object is inside the floor at some later frame."""

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
    # Meshes are unpacked to a new folder for each scene, so a cache of files by name would only grow.
    simulator._physics_client.setPhysicsEngineParameter(enableFileCaching=0)
    objects = workshop.add(scene, spec, indices)
    bodies = {index: asset.linked_objects[simulator] for index, asset in objects.items()}
    (floor,) = (asset.linked_objects[simulator] for asset in scene.assets if asset.name == BACKDROP)
    engine = simulator._physics_client
    overlap = _overlap(engine, [*bodies.values(), floor])
    # Kubric searches all assets for the body of each contact point, which takes a third of the time; a table is enough.
    simulator._obj_idx_to_asset = ({body: index for index, body in bodies.items()} | {floor: FLOOR}).get
    animation, collisions = simulator.run(frame_start=0, frame_end=spec.frames - 1)
    positions, quaternions, velocities, spins = (
        {index: np.array(animation[asset][name]) for index, asset in objects.items()}
        for name in ("position", "quaternion", "velocity", "angular_velocity")
    )
    moving = {index: body for index, body in bodies.items() if not spec.objects[index].static}
    sinking = _sinking(engine, moving, floor, positions, quaternions)
    scene.unlink_view(simulator)
    close_simulator(simulator)
    contacts = _contacts(collisions, spec.frames - 1)
    return World(positions, quaternions, contacts, velocities, spins, overlap, sinking)


def _contacts(collisions: Sequence[dict[str, Any]], last: int) -> tuple[Contact, ...]:
    """One contact for each pair of bodies and physics step up to frame `last`, with the force of all its points."""
    forces: dict[tuple[float, int, int], float] = {}
    for event in collisions:
        first, second = sorted(event["instances"])
        key = (float(event["frame"]), first, second)
        if key[0] <= last:
            forces[key] = forces.get(key, 0.0) + float(event["force"])
    return tuple(Contact(*key, force) for key, force in forces.items())


def _overlap(engine: Any, bodies: Sequence[int]) -> float:
    """Depth of the deepest overlap of any two bodies where they are now, metres."""
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    return max((_depth(engine, a, b) for a, b in pairs), default=0.0)


def _sinking(
    engine: Any,
    bodies: Mapping[int, int],
    floor: int,
    positions: Mapping[int, NDArray[np.float64]],
    quaternions: Mapping[int, NDArray[np.float64]],
) -> float:
    deepest = 0.0
    for index, body in bodies.items():
        if not (np.isfinite(positions[index]).all() and np.isfinite(quaternions[index]).all()):
            continue
        for position, (w, x, y, z) in zip(positions[index][1:], quaternions[index][1:], strict=True):
            engine.resetBasePositionAndOrientation(body, position, (x, y, z, w))
            deepest = max(deepest, _depth(engine, body, floor))
    return deepest


def _depth(engine: Any, first: int, second: int) -> float:
    return max((-point[8] for point in engine.getClosestPoints(first, second, distance=0.0)), default=0.0)
