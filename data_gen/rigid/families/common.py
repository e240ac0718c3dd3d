"""What the families' samplers share: looks, bodies, places, throws. Pure functions of their arguments.

Lengths in metres, angles in radians, time in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.assets.library import Shape
from data_gen.rigid.families.base import Draw, NoRoomError
from data_gen.rigid.families.config import FamilyConfig, Interval
from data_gen.scene.palette import OBJECT_COLORS, WOOD_COLORS
from data_gen.scene.spec import ObjectSpec, Pattern, Quaternion, Role, SurfaceSpec, Vector
from data_gen.seeds import Rng

Point = Sequence[float] | NDArray[np.float64]

GRAVITY = 10.0
"""Kubric's."""
PLACEMENT_TRIES = 50
GAP = 1e-3
"""Metres between things that stand on one another at time 0."""
ROUGHNESS = (0.2, 0.6)
METAL_SHARE = 0.12
PATTERNS: tuple[Pattern, ...] = ("checkered", "striped", "dotted", "mottled", "marble")
PATTERN_SHARE = 0.4


def uniform(rng: Rng, interval: Interval) -> float:
    """A number from an interval."""
    return float(rng.uniform(*interval))


def looks(rng: Rng) -> Iterator[SurfaceSpec]:
    """Looks in random order, each with a main colour of its own, as many as the palette has colours."""
    colors = [str(name) for name in rng.permutation(list(OBJECT_COLORS))]
    for place, color in enumerate(colors):
        pattern = PATTERNS[rng.integers(len(PATTERNS))] if rng.random() < PATTERN_SHARE else "plain"
        metallic = 1.0 if rng.random() < METAL_SHARE else 0.0
        yield SurfaceSpec(pattern, color, colors[place - 1], uniform(rng, ROUGHNESS), metallic)


def wooden(rng: Rng) -> SurfaceSpec:
    """The look of a board."""
    first, second = (str(name) for name in rng.choice(list(WOOD_COLORS), 2, replace=False))
    return SurfaceSpec("wood", first, second, uniform(rng, (0.5, 0.8)))


def pick(draw: Draw, rng: Rng, tag: str = "object", *, never: str = "structure") -> Shape:
    """A shape with this tag and without the other."""
    fitting = [shape for shape in draw.shapes.values() if tag in shape.tags and never not in shape.tags]
    if not fitting:
        raise NoRoomError(f"no shape has the tag {tag}")
    return fitting[int(rng.integers(len(fitting)))]


def body(
    shape: Shape,
    size: float,
    role: Role,
    look: SurfaceSpec,
    config: FamilyConfig,
    rng: Rng,
    *,
    mass: Interval | None = None,
) -> ObjectSpec:
    """An object standing at the origin, its largest side `size`; mass, friction and restitution are drawn."""
    factor = size / float(shape.extents.max())
    x, y, z = (float(side) for side in shape.extents * factor)
    return ObjectSpec(
        asset=shape.id,
        name=shape.name,
        role=role,
        surface=None if shape.textured else look,
        scale=(factor,) * 3,
        extents=(x, y, z),
        mass=uniform(rng, mass or config.mass),
        friction=uniform(rng, config.friction),
        restitution=uniform(rng, config.restitution),
        position=(0.0, 0.0, -shape.low[2] * factor + GAP),
    )


def cuboid(
    name: str, sides: Vector, role: Role, look: SurfaceSpec, config: FamilyConfig, rng: Rng, *, static: bool = False
) -> ObjectSpec:
    """A box with these sides standing at the origin."""
    x, y, z = (side / 2 for side in sides)
    return ObjectSpec(
        asset="cube",
        name=name,
        role=role,
        surface=look,
        scale=(x, y, z),
        extents=sides,
        mass=uniform(rng, config.mass),
        friction=uniform(rng, config.friction),
        restitution=uniform(rng, config.restitution),
        position=(0.0, 0.0, z + GAP),
        static=static,
    )


def moved(item: ObjectSpec, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> ObjectSpec:
    """The object, shifted."""
    return replace(item, position=(item.position[0] + x, item.position[1] + y, item.position[2] + z))


def turned(item: ObjectSpec, yaw: float) -> ObjectSpec:
    """The object, turned in place about the vertical."""
    return replace(item, quaternion=_quaternion(Rotation.from_euler("z", yaw) * _rotation(item)))


def pitched(item: ObjectSpec, angle: float) -> ObjectSpec:
    """The object, turned in place about its own y axis: the +x side goes down."""
    return replace(item, quaternion=_quaternion(_rotation(item) * Rotation.from_euler("y", angle)))


def about(items: Sequence[ObjectSpec], yaw: float, x: float, y: float) -> list[ObjectSpec]:
    """A whole arrangement, velocities included, turned about the origin and then shifted."""
    turn = Rotation.from_euler("z", yaw)

    def placed(item: ObjectSpec) -> ObjectSpec:
        position = np.add(turn.apply(item.position), (x, y, 0.0))
        return replace(
            item,
            position=_vector(position),
            quaternion=_quaternion(turn * _rotation(item)),
            velocity=_vector(turn.apply(item.velocity)),
            angular_velocity=_vector(turn.apply(item.angular_velocity)),
        )

    return [placed(item) for item in items]


def on_top(item: ObjectSpec, of: ObjectSpec) -> ObjectSpec:
    """The standing object, set down on the middle of a box."""
    x, y, z = of.position
    return moved(item, x, y, z + of.extents[2] / 2)


def height_above(item: ObjectSpec) -> float:
    """Of the middle of a standing object, above what it stands on."""
    return item.position[2]


def find_room(candidate: Callable[[], ObjectSpec], placed: Sequence[ObjectSpec]) -> ObjectSpec:
    """The first of some candidates that touches nothing; raises NoRoomError."""
    for _ in range(PLACEMENT_TRIES):
        item = candidate()
        if not any(overlap(item, other) for other in placed):
            return item
    raise NoRoomError(f"no room for a {item.name} of {max(item.extents):.2f} m")


def overlap(first: ObjectSpec, second: ObjectSpec) -> bool:
    """Whether the upright cylinders around two objects meet: no turn about the vertical makes objects touch beyond."""
    apart = math.dist(first.position[:2], second.position[:2])
    if apart >= _reach(first) + _reach(second):
        return False
    return abs(first.position[2] - second.position[2]) < (_rise(first) + _rise(second))


def around(item: ObjectSpec, middle: Sequence[float], radius: float, angle: float) -> ObjectSpec:
    """The object, shifted to a place on the circle about `middle`."""
    return moved(item, middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle))


def thrown(item: ObjectSpec, aim: Point, seconds: float) -> ObjectSpec:
    """The object with the velocity that brings its middle to `aim` after this time of flight."""
    dx, dy, dz = (goal - start for goal, start in zip(aim, item.position, strict=True))
    return replace(item, velocity=(dx / seconds, dy / seconds, dz / seconds + GRAVITY * seconds / 2))


def slid(item: ObjectSpec, aim: Point, speed: float) -> ObjectSpec:
    """The object with a horizontal velocity towards `aim`."""
    direction = np.subtract(aim[:2], item.position[:2])
    x, y = speed * direction / np.linalg.norm(direction)
    return replace(item, velocity=(float(x), float(y), 0.0))


def rolled(item: ObjectSpec, aim: Point, speed: float) -> ObjectSpec:
    """A ball that rolls towards `aim` without sliding."""
    moving = slid(item, aim, speed)
    radius = max(item.extents) / 2
    vx, vy, _ = moving.velocity
    return replace(moving, angular_velocity=(-vy / radius, vx / radius, 0.0))


def camera_side(draw: Draw) -> float:
    """Angle of the direction from the middle of the scene to the camera."""
    return math.atan2(draw.camera.position[1], draw.camera.position[0])


def sideways(draw: Draw, rng: Rng, spread: float) -> float:
    """Angle of a direction across the picture, to the left or to the right, at most `spread` off it."""
    side = math.pi / 2 if rng.random() < 0.5 else -math.pi / 2
    return camera_side(draw) + side + float(rng.uniform(-spread, spread))


def away_from_camera(draw: Draw, gap: float, count: int, rng: Rng) -> list[Interval]:
    """Intervals of angles, in random order, that share the circle evenly but for `gap` to both sides of the camera."""
    sector = (2 * math.pi - 2 * gap) / count
    starts = [camera_side(draw) + gap + sector * float(turn) for turn in rng.permutation(count)]
    # Margins keep neighbours apart.
    return [(start + 0.2 * sector, start + 0.8 * sector) for start in starts]


def shuffled(items: Sequence[ObjectSpec], rng: Rng) -> tuple[ObjectSpec, ...]:
    """In random order, so that an index says nothing of a role."""
    return tuple(items[i] for i in rng.permutation(len(items)))


def _reach(item: ObjectSpec) -> float:
    return math.hypot(item.extents[0], item.extents[1]) / 2


def _rise(item: ObjectSpec) -> float:
    # A centre of mass may be low or high in its box.
    return item.extents[2] * 0.75


def _rotation(item: ObjectSpec) -> Rotation:
    w, x, y, z = item.quaternion
    return Rotation.from_quat([x, y, z, w])


def _quaternion(rotation: Rotation) -> Quaternion:
    x, y, z, w = (float(value) for value in rotation.as_quat())
    return w, x, y, z


def _vector(values: np.ndarray) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
