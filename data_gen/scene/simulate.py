"""Physics of some objects of a scene with `kubric.PyBullet`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_gen.blender.kubric_compat import close_simulator, load_simulator
from data_gen.scene.spec import SceneSpec
from data_gen.scene.workshop import BACKDROP, WALL, Workshop

FLOOR, WALLS = -1, -2
"""Stand for the floor and for the walls of a room among the partners of a contact."""
SURROUNDINGS = frozenset({FLOOR, WALLS})
FAR_AWAY = (0.0, 0.0, 1e3)


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
    """Metres by which two objects, or one and the floor or a wall, overlap at the start."""
    sinking: float = 0.0
    """Metres by which an object is inside the floor at some later frame."""
    crossings: tuple[int, ...] = ()
    """Frames after which an object's centre of mass passes into something static or a wall."""
    joints: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """By object, of those that are figures: `(T, J, 7)`, position and quaternion of each joint."""

    def first_contact(self, some: Sequence[int], others: Sequence[int]) -> float | None:
        """Frame at which one of `some` first touches one of `others`."""
        frames = [
            contact.frame
            for contact in self.contacts
            if (contact.first in some and contact.second in others)
            or (contact.second in some and contact.first in others)
        ]
        return min(frames, default=None)


@dataclass(frozen=True)
class Care:
    """For recorded states, where things may be thin and a little inside one another."""

    substeps: int = 4
    """Of each physics step, so that nothing thin is passed through."""
    iterations: int = 100
    """Of the solver."""
    gravity: float = 9.81
    """Metres per second squared. Kubric's is 10."""


def simulate(
    spec: SceneSpec, indices: Sequence[int], workshop: Workshop, scratch: Path, *, care: Care | None = None
) -> World:
    """Run the physics of the objects `indices` from the spec's initial state.

    With `care`, overlaps at the start are dissolved without speed, those of static objects with one another do not
    count as overlap, and crossings are counted.
    """
    scene = workshop.scene(spec)
    simulator = load_simulator()(scene, scratch_dir=scratch)
    objects = workshop.add(scene, spec, indices)
    bodies = {index: asset.linked_objects[simulator] for index, asset in objects.items()}
    (floor,) = (asset.linked_objects[simulator] for asset in scene.assets if asset.name == BACKDROP)
    walls = [asset.linked_objects[simulator] for asset in scene.assets if asset.name.startswith(WALL)]
    engine = simulator._physics_client
    moving = {index: body for index, body in bodies.items() if not spec.objects[index].static}
    everything = [*bodies.values(), floor, *walls]
    overlap = _overlap(engine, list(moving.values()) if care else everything, everything)
    if care:
        _take_care(engine, care)
    # Kubric searches all assets for the body of each contact point, which takes a third of the time; a table is enough.
    around = {floor: FLOOR} | dict.fromkeys(walls, WALLS)
    simulator._obj_idx_to_asset = ({body: index for index, body in bodies.items()} | around).get
    animation, collisions = simulator.run(frame_start=0, frame_end=spec.frames - 1)
    positions, quaternions, velocities, spins = (
        {index: np.array(animation[asset][name]) for index, asset in objects.items()}
        for name in ("position", "quaternion", "velocity", "angular_velocity")
    )
    sinking = _sinking(engine, moving, floor, positions, quaternions)
    static = {*bodies.values(), *walls} - set(moving.values())
    crossings = _crossings(engine, moving, static, positions) if care else ()
    scene.unlink_view(simulator)
    close_simulator(simulator)
    contacts = _contacts(collisions, spec.frames - 1)
    return World(positions, quaternions, contacts, velocities, spins, overlap, sinking, crossings)


def _contacts(collisions: Sequence[dict[str, Any]], last: int) -> tuple[Contact, ...]:
    """One contact for each pair of bodies and physics step up to frame `last`, with the force of all its points."""
    forces: dict[tuple[float, int, int], float] = {}
    for event in collisions:
        first, second = sorted(event["instances"])
        key = (float(event["frame"]), first, second)
        if key[0] <= last:
            forces[key] = forces.get(key, 0.0) + float(event["force"])
    return tuple(Contact(*key, force) for key, force in forces.items())


def _take_care(engine: Any, care: Care) -> None:
    engine.setGravity(0.0, 0.0, -care.gravity)
    # Bullet pushes bodies apart by a speed that they keep, but for overlaps deeper than this threshold.
    engine.setPhysicsEngineParameter(
        numSubSteps=care.substeps, numSolverIterations=care.iterations, splitImpulsePenetrationThreshold=0.0
    )


def _overlap(engine: Any, bodies: Sequence[int], others: Sequence[int]) -> float:
    """Depth of the deepest overlap of one of `bodies` and one of `others` where they are now, metres."""
    pairs: dict[frozenset[int], tuple[int, int]] = {}
    for a in bodies:
        for b in others:
            if a != b:
                pairs.setdefault(frozenset((a, b)), (a, b))
    return max((_depth(engine, a, b) for a, b in pairs.values()), default=0.0)


def _crossings(
    engine: Any, bodies: Mapping[int, int], static: Set[int], positions: Mapping[int, NDArray[np.float64]]
) -> tuple[int, ...]:
    for body in bodies.values():
        # A ray finds only the first body in its way.
        engine.resetBasePositionAndOrientation(body, FAR_AWAY, (0, 0, 0, 1))
    frames: list[int] = []
    for index in bodies:
        path_T3 = positions[index]
        if len(path_T3) > 1 and np.isfinite(path_T3).all():
            hits = engine.rayTestBatch(path_T3[:-1].tolist(), path_T3[1:].tolist())
            frames += [frame for frame, hit in enumerate(hits) if hit[0] in static]
    return tuple(sorted(frames))


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
