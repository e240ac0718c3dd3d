"""Scenes and worlds for captions, made by hand: things that roll, fall, topple or stand, seen from +X."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.scene.camera import CameraPath, around, looking_at
from data_gen.scene.simulate import FLOOR, Contact, World
from data_gen.scene.spec import BackdropSpec, LightSpec, ObjectSpec, RenderSpec, Role, SceneSpec, SurfaceSpec, Vector

FRAMES, FPS = 21, 12
SIZE = 0.5
TIMES = np.arange(FRAMES) / FPS
CAMERA = around(5.0, 0.0, 3.0)
Pose = tuple[NDArray[np.float64], NDArray[np.float64]]


def camera(motion: str = "static", end: Vector = CAMERA) -> CameraPath:
    """From (5, 0, 3), looking at the middle; moves to `end` evenly."""
    places = [tuple(map(float, place)) for place in np.linspace(CAMERA, end, FRAMES if end != CAMERA else 1)]
    turns = [looking_at(place, (0.0, 0.0, 0.2)) for place in places]
    return CameraPath(motion, tuple(places), tuple(turns), 35.0, 96, 96)


def surface(color: str, pattern: str = "plain", second: str = "white") -> SurfaceSpec:
    return SurfaceSpec(pattern, color, second, 0.5)


def thing(name: str, color: str | None, role: Role = "bystander", *, x: float = 0.0, y: float = 0.0) -> ObjectSpec:
    """On the floor; y grows to the right of the picture, x towards the camera."""
    look = None if color is None else surface(color)
    return ObjectSpec(name, name, role, look, (1.0,) * 3, (SIZE,) * 3, 1.0, 0.4, 0.3, (x, y, SIZE / 2))


def scene(*objects: ObjectSpec, family: str = "variable", index: int = 0, sky: str = "city", **changes) -> SceneSpec:
    spec = SceneSpec(
        family, 0, index, 0, FRAMES, FPS, objects, camera(), BackdropSpec("floor", surface("grey"), 0.5, 0.2),
        LightSpec(sky, 0.0, 0.5, 1.0, (1.0, 1.0, 1.0)), RenderSpec(2, 1, "Standard", 0),
    )  # fmt: skip
    return replace(spec, **changes)


def still(item: ObjectSpec) -> Pose:
    return np.tile(item.position, (FRAMES, 1)), np.tile(item.quaternion, (FRAMES, 1))


def slide(item: ObjectSpec, velocity: Vector, *, start: int = 0, stop: int = FRAMES - 1) -> Pose:
    """At constant velocity between two frames."""
    moving = (np.clip(np.arange(FRAMES), start, stop) - start) / FPS
    return np.array(item.position) + moving[:, None] * velocity, still(item)[1]


def roll(item: ObjectSpec, velocity: Vector, **between: int) -> Pose:
    positions_T3, _ = slide(item, velocity, **between)
    axis = np.cross([0.0, 0.0, 1.0], velocity) / np.linalg.norm(velocity)
    way_T = np.linalg.norm(positions_T3 - positions_T3[0], axis=-1)
    return positions_T3, _quaternions(axis * (way_T / (SIZE / 2))[:, None])


def topple(item: ObjectSpec, *, start: int = 5, towards: Vector = (0.0, 1.0, 0.0)) -> Pose:
    """Over its lower edge, as a domino does."""
    angle_T = np.clip((np.arange(FRAMES) - start) / 5, 0, 1) * np.pi / 2
    thickness, height = 0.1, SIZE
    reach_T = (height * np.sin(angle_T) - thickness * np.cos(angle_T) + thickness) / 2
    positions_T3 = np.array(item.position) + reach_T[:, None] * towards
    positions_T3[:, 2] = (height * np.cos(angle_T) + thickness * np.sin(angle_T)) / 2
    return positions_T3, _quaternions(np.cross([0.0, 0.0, 1.0], towards) * angle_T[:, None])


def fall(item: ObjectSpec, height: float, *, bounce: float = 0.0) -> Pose:
    """From a height above the item's place; it rises again by `bounce`."""
    positions_T3, quaternions_T4 = still(item)
    down_T = height - 5 * TIMES**2
    landed = int(np.argmax(down_T < 0))
    after_T = TIMES - TIMES[landed]
    speed = np.sqrt(20 * bounce)
    rises_T = np.clip(speed * after_T - 5 * after_T**2, 0, None)
    positions_T3[:, 2] += np.where(np.arange(FRAMES) < landed, down_T, rises_T)
    return positions_T3, quaternions_T4


def landing(height: float) -> float:
    """Frame at which `fall` comes down."""
    return float(np.sqrt(height / 5) * FPS)


def world(spec: SceneSpec, poses: dict[int, Pose] | None = None, *contacts: tuple[float, int, int]) -> World:
    """The counterfactual: survivors stand still unless `poses` says otherwise."""
    known = {i: still(spec.objects[i]) for i in spec.survivors} | (poses or {})
    touching = [(0.2, FLOOR, i) for i, (positions_T3, _) in known.items() if positions_T3[0, 2] < 0.6 * SIZE]
    return World(
        {i: pose[0] for i, pose in known.items()},
        {i: pose[1] for i, pose in known.items()},
        tuple(Contact(frame, first, second, 1.0) for frame, first, second in (*touching, *contacts)),
    )


def _quaternions(turns_T3: NDArray[np.float64]) -> NDArray[np.float64]:
    turned: NDArray[np.float64] = Rotation.from_rotvec(turns_T3).as_quat()[:, [3, 0, 1, 2]]
    return turned
