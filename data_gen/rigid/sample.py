"""Drawing a scene: pure functions of the configuration, the shapes and the seed.

Family `rigid_launch`: a target stands near the middle; around it objects are launched at it or stand beside it. One or
two of the launched ones are removed in the counterfactual.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np

from data_gen.config import HDRIS, VIEW_TRANSFORMS, AcceptConfig, SceneConfig
from data_gen.rigid.assets import Shape
from data_gen.rigid.palette import FLOOR_COLORS, OBJECT_COLORS
from data_gen.rigid.spec import CameraSpec, FloorSpec, LightSpec, ObjectSpec, Pattern, Role, SceneSpec
from data_gen.seeds import generator
from void.errors import InputError

FAMILIES = ("rigid_launch",)
PHYSICS_RATE = 240
"""Steps a second. Kubric never tells Bullet another one."""
PLACEMENT_TRIES = 50
LAUNCHED: tuple[Role, ...] = ("launched", "removed")
ROUGHNESS = (0.25, 0.6)
TARGET_OFFSET = (-0.3, 0.3)
"""Metres from the middle of the scene along each axis."""
FLOOR_GAP = 1e-3
"""Metres between a standing object and the floor at time 0."""

Interval = tuple[float, float]
Rng = np.random.Generator
Streams = Callable[[str], Rng]


class NoRoomError(Exception):
    """The drawn objects do not fit without touching one another."""


def check_config(config: SceneConfig) -> None:
    """Raise InputError for values that no scene can be drawn from."""
    problems = [
        (config.family not in FAMILIES, f"scene.family = {config.family}", f"families are {', '.join(FAMILIES)}"),
        (config.count < 1, f"scene.count = {config.count}", "use 1 or more"),
        (
            config.fps < 1 or PHYSICS_RATE % config.fps != 0,
            f"scene.fps = {config.fps} does not divide 240",
            "use 8, 12, 24, 30, ...",
        ),
        (
            config.val_every < 2,
            f"scene.val_every = {config.val_every}",
            "use 2 or more, so that some scenes are for training",
        ),
        (
            not config.object_counts or min(config.object_counts) < 2,
            "scene.object_counts is empty or below 2",
            "use e.g. [2,3,4]",
        ),
        (
            max(config.object_counts, default=0) > len(OBJECT_COLORS),
            "scene.object_counts is too large",
            f"use at most {len(OBJECT_COLORS)}",
        ),
        (
            config.render.samples < 2,
            f"scene.render.samples = {config.render.samples}",
            "use 2 or more: with 1, Blender paints objects with the material of their coordinates",
        ),
        (
            config.render.view_transform not in VIEW_TRANSFORMS,
            f"scene.render.view_transform = {config.render.view_transform}",
            f"use {', '.join(VIEW_TRANSFORMS)}",
        ),
        (
            not config.render.hdris or not set(config.render.hdris) <= set(HDRIS),
            f"scene.render.hdris = {list(config.render.hdris)}: unknown or empty",
            f"images are {', '.join(HDRIS)}",
        ),
        (
            config.remove_two_from < 3,
            f"scene.remove_two_from = {config.remove_two_from}",
            "use 3 or more: the target stays",
        ),
    ]
    for wrong, problem, remedy in problems:
        if wrong:
            raise InputError(problem, remedy)
    for prefix, group in (("scene", config), ("scene.accept", config.accept)):
        for name, (low, high) in _intervals(group).items():
            if low > high:
                raise InputError(f"{prefix}.{name} = [{low}, {high}] is reversed", "give the smaller number first")


def _intervals(group: SceneConfig | AcceptConfig) -> dict[str, Interval]:
    names = [field.name for field in fields(group) if field.type == "tuple[float, float]"]
    return {name: getattr(group, name) for name in names}


def sample_scene(config: SceneConfig, catalogue: dict[str, Shape], seed: int, index: int, attempt: int) -> SceneSpec:
    """Draw one scene.

    Args:
        config: distributions.
        catalogue: shapes to draw from.
        seed: of the data set.
        index: of the scene.
        attempt: index of the draw; another one is made when a scene is not accepted.

    Raises:
        NoRoomError: the objects would touch at the start.
    """

    def streams(name: str) -> Rng:
        return generator(seed, index, attempt, name)

    camera = _sample_camera(config, streams("camera"))
    return SceneSpec(
        family=config.family,
        seed=seed,
        index=index,
        attempt=attempt,
        frames=config.frames,
        fps=config.fps,
        samples=config.render.samples,
        view_transform=config.render.view_transform,
        render_seed=int(streams("render").integers(2**31)),
        objects=_sample_objects(config, catalogue, streams, camera),
        camera=camera,
        floor=_sample_floor(streams("floor")),
        light=_sample_light(config, streams("light"), camera),
    )


def _uniform(rng: Rng, interval: Interval) -> float:
    return float(rng.uniform(*interval))


def _sample_camera(config: SceneConfig, rng: Rng) -> CameraSpec:
    distance = _uniform(rng, config.camera_distance)
    azimuth = math.radians(_uniform(rng, config.camera_azimuth))
    height = _uniform(rng, config.camera_height)
    return CameraSpec(
        position=(distance * math.cos(azimuth), -distance * math.sin(azimuth), height),
        look_at=(0.0, 0.0, config.look_at_height),
        focal_length=config.focal_length,
        height=config.height,
        width=config.width,
    )


def _sample_floor(rng: Rng) -> FloorSpec:
    first, second = (str(name) for name in rng.choice(list(FLOOR_COLORS), 2, replace=False))
    patterns: tuple[Pattern, ...] = ("plain", "checkered", "mottled")
    return FloorSpec(
        pattern=patterns[rng.integers(len(patterns))],
        color=first,
        second_color=second,
        roughness=float(rng.uniform(0.45, 0.9)),
        friction=0.5,
        restitution=0.2,
    )


def _sample_light(config: SceneConfig, rng: Rng, camera: CameraSpec) -> LightSpec:
    hdri = str(rng.choice(config.render.hdris))
    rotation = float(rng.uniform(0, 2 * math.pi))
    # From the sides or from behind the camera: shadows then fall where they are seen.
    facing = math.atan2(camera.position[1], camera.position[0])
    azimuth = facing + math.radians(float(rng.uniform(40, 100))) * (1 if rng.random() < 0.5 else -1)
    elevation = math.radians(float(rng.uniform(40, 65)))
    sun = (
        10 * math.cos(elevation) * math.cos(azimuth),
        10 * math.cos(elevation) * math.sin(azimuth),
        10 * math.sin(elevation),
    )
    return LightSpec(hdri, rotation, config.render.light_level, config.render.sun, sun)


def _sample_roles(config: SceneConfig, rng: Rng) -> list[Role]:
    """The target first, then as many roles as the scene has other objects, in random order."""
    others = int(rng.choice(config.object_counts)) - 1
    removed = 2 if others + 1 >= config.remove_two_from else 1
    kept: list[Role] = [
        "resting" if rng.random() < config.resting_share else "launched" for _ in range(others - removed)
    ]
    launched_away: list[Role] = ["removed"] * removed
    roles = launched_away + kept
    return ["target", *(roles[i] for i in rng.permutation(others))]


def _sample_objects(
    config: SceneConfig, catalogue: dict[str, Shape], streams: Streams, camera: CameraSpec
) -> tuple[ObjectSpec, ...]:
    roles = _sample_roles(config, streams("roles"))
    assets, physics, layout = streams("assets"), streams("physics"), streams("layout")
    colors = [str(name) for name in assets.permutation(list(OBJECT_COLORS))]
    directions = iter(_sample_directions(config, camera, sum(role in LAUNCHED for role in roles), layout))
    placed: list[ObjectSpec] = []
    for role, color in zip(roles, colors, strict=False):
        kind = str(assets.choice(list(catalogue)))
        body = _sample_body(config, role, kind, catalogue[kind], color, (assets, physics, layout))
        direction = next(directions) if role in LAUNCHED else None
        placed.append(_place(config, body, direction, placed, layout, physics))
    return tuple(placed)


def _sample_directions(config: SceneConfig, camera: CameraSpec, count: int, rng: Rng) -> list[tuple[float, float]]:
    """Intervals of angles, in random order, of which each launched object gets one: they share the circle evenly.

    Nothing comes from the camera's side.
    """
    facing = math.atan2(camera.position[1], camera.position[0])
    gap = math.radians(config.camera_gap)
    sector = (2 * math.pi - 2 * gap) / count
    starts = [facing + gap + sector * float(turn) for turn in rng.permutation(count)]
    # Margins keep neighbours apart.
    return [(start + 0.2 * sector, start + 0.8 * sector) for start in starts]


def _sample_body(
    config: SceneConfig, role: Role, kind: str, shape: Shape, color: str, streams: tuple[Rng, Rng, Rng]
) -> ObjectSpec:
    """An object standing at the origin."""
    assets, physics, layout = streams
    is_target = role == "target"
    scale = _uniform(assets, config.target_size if is_target else config.object_size) / float(shape.extents.max())
    x, y, z = (float(side) for side in shape.extents * scale)
    roughness = _uniform(assets, ROUGHNESS)
    yaw = _uniform(layout, (0, 2 * math.pi))
    return ObjectSpec(
        kind=kind,
        role=role,
        color=color,
        scale=scale,
        extents=(x, y, z),
        mass=_uniform(physics, config.target_mass if is_target else config.object_mass),
        friction=_uniform(physics, config.friction),
        restitution=_uniform(physics, config.restitution),
        roughness=roughness,
        position=(0.0, 0.0, -shape.low[2] * scale + FLOOR_GAP),
        quaternion=(math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)),
        velocity=(0.0, 0.0, 0.0),
    )


def _place(
    config: SceneConfig,
    body: ObjectSpec,
    direction: tuple[float, float] | None,
    placed: list[ObjectSpec],
    layout: Rng,
    physics: Rng,
) -> ObjectSpec:
    """Find `body` a place where it touches nothing; the first object placed is the target."""
    for _ in range(PLACEMENT_TRIES):
        if not placed:
            candidate = _moved(body, _uniform(layout, TARGET_OFFSET), _uniform(layout, TARGET_OFFSET))
        elif direction is None:
            candidate = _around(body, placed[0], config.resting_radius, (0, 2 * math.pi), layout)
        else:
            candidate = _around(body, placed[0], config.ring_radius, direction, layout)
            candidate = _moved(candidate, height=_uniform(layout, config.drop_height))
            candidate = _launched(config, candidate, placed[0], layout, physics)
        if not any(overlap(candidate, other) for other in placed):
            return candidate
    raise NoRoomError(f"no room for a {body.kind} of {max(body.extents):.2f} m")


def _moved(item: ObjectSpec, x: float = 0.0, y: float = 0.0, height: float = 0.0) -> ObjectSpec:
    return replace(item, position=(item.position[0] + x, item.position[1] + y, item.position[2] + height))


def _around(item: ObjectSpec, middle: ObjectSpec, radii: Interval, angles: Interval, rng: Rng) -> ObjectSpec:
    radius, angle = _uniform(rng, radii), _uniform(rng, angles)
    return _moved(item, middle.position[0] + radius * math.cos(angle), middle.position[1] + radius * math.sin(angle))


def _launched(config: SceneConfig, item: ObjectSpec, target: ObjectSpec, layout: Rng, physics: Rng) -> ObjectSpec:
    """Horizontal velocity towards the target; objects that remain aim less well than those that will be removed."""
    error = 0.0 if item.role == "removed" else config.aim_error
    aim = np.subtract(target.position, item.position)[:2] + layout.uniform(-error, error, 2)
    x, y = _uniform(physics, config.speed) * aim / np.linalg.norm(aim)
    return replace(item, velocity=(float(x), float(y), 0.0))


def overlap(first: ObjectSpec, second: ObjectSpec) -> bool:
    """Whether two objects could touch: their bounding spheres do."""
    distance = float(np.linalg.norm(np.subtract(first.position, second.position)))
    return distance < first.radius + second.radius
