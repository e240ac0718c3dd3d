"""Rooms of human scenes: floor, walls away from the camera, furniture along them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from data_gen.assets.library import Shape
from data_gen.human.config import RoomConfig
from data_gen.human.kinds import kind_of
from data_gen.human.looks import surface_of
from data_gen.scene.camera import CameraPath
from data_gen.scene.palette import FLOOR_COLORS
from data_gen.scene.spec import BackdropSpec, ObjectSpec, Pattern, RoomSpec, SurfaceSpec
from data_gen.seeds import Rng, Streams

Corner = tuple[float, float]
Side = Literal["-x", "+x", "-y", "+y"]

FLOORS: tuple[Pattern, ...] = ("wood", "checkered", "mottled", "plain")
WALLS: tuple[Pattern, ...] = ("plain", "mottled")
WALL_COLORS = ("white", "cream", "sky blue", "mint", "beige", "ivory")
FLOOR_WORDS, WALL_WORDS = ("floor", "wood", "tile", "carpet", "parquet"), ("wall", "plaster", "paint", "brick")
CAMERA_GAP = 0.5
"""Metres that the camera's path keeps from a wall that stands."""
FRICTION, RESTITUTION = 0.6, 0.2
FURNITURE_HEIGHTS = {
    "chair": 0.9, "stool": 0.5, "table": 0.72, "bookcase": 1.6, "shelf": 1.0, "bench": 0.45, "vase": 0.6,
    "plant pot": 0.4, "lamp": 1.4, "chest": 0.6, "barrel": 0.9, "crate": 0.5, "basket": 0.4,
}  # fmt: skip
"""Metres that shapes of these names get as furniture."""
TRIES = 20
WALL_GAP = 0.08
"""Metres between furniture and the wall."""


def sample_room(
    config: RoomConfig, low_2: Corner, high_2: Corner, camera: CameraPath, textures: Sequence[str], streams: Streams
) -> BackdropSpec:
    """Draw the floor, and walls on the sides where they hide nothing from the camera.

    Args:
        config: distributions.
        low_2, high_2: corners of the floor that is used, metres.
        camera: of the clip.
        textures: names of PBR sets; those with fitting words are used.
        streams: generators by name.
    """
    rng = streams("room")
    floor = _surface(FLOORS, tuple(FLOOR_COLORS), FLOOR_WORDS, textures, rng)
    wall = _surface(WALLS, WALL_COLORS, WALL_WORDS, textures, rng)
    walls = rng.random() < config.walls
    margins = rng.uniform(*config.margin, 4)
    height = float(rng.uniform(*config.wall_height))
    low = (low_2[0] - float(margins[0]), low_2[1] - float(margins[1]))
    high = (high_2[0] + float(margins[2]), high_2[1] + float(margins[3]))
    sides = _free_sides(low, high, camera) if walls else ()
    room = RoomSpec(low, high, height, sides, wall) if sides else None
    return BackdropSpec("room" if room else "floor", floor, FRICTION, RESTITUTION, room)


def _free_sides(low: Corner, high: Corner, camera: CameraPath) -> tuple[Side, ...]:
    """The sides that the camera is always well inside of: from there it sees their walls from within."""
    places_N2 = np.array(camera.positions)[:, :2]
    inside: dict[Side, bool] = {
        "-x": bool((places_N2[:, 0] > low[0] + CAMERA_GAP).all()),
        "+x": bool((places_N2[:, 0] < high[0] - CAMERA_GAP).all()),
        "-y": bool((places_N2[:, 1] > low[1] + CAMERA_GAP).all()),
        "+y": bool((places_N2[:, 1] < high[1] - CAMERA_GAP).all()),
    }
    return tuple(side for side, free in inside.items() if free)


def furnish(
    config: RoomConfig,
    backdrop: BackdropSpec,
    shapes: Mapping[str, Shape],
    low_2: Corner,
    high_2: Corner,
    streams: Streams,
) -> tuple[ObjectSpec, ...]:
    """Draw furniture along the walls, outside of the floor that is used; nobody touches it. None without walls.

    Args:
        config: distributions.
        backdrop: the room.
        shapes: to draw from, by id.
        low_2, high_2: corners of the floor that is used, metres.
        streams: generators by name.
    """
    room = backdrop.room
    usable = [shape for shape in shapes.values() if shape.name in FURNITURE_HEIGHTS]
    if room is None or not usable:
        return ()
    rng = streams("furniture")
    wanted = int(rng.integers(config.furniture[0], config.furniture[1] + 1))
    placed: list[ObjectSpec] = []
    taken = [(np.array(low_2), np.array(high_2))]
    for _ in range(TRIES):
        if len(placed) == wanted:
            break
        item = _piece(usable[int(rng.integers(len(usable)))], room, rng)
        half_2 = np.array(item.extents[:2]) / 2
        box = (np.array(item.position[:2]) - half_2, np.array(item.position[:2]) + half_2)
        if all((box[1] < low).any() or (box[0] > high).any() for low, high in taken):
            placed.append(item)
            taken.append(box)
    return tuple(placed)


def _piece(shape: Shape, room: RoomSpec, rng: Rng) -> ObjectSpec:
    """A shape at its real size, standing at one of the walls."""
    scale = FURNITURE_HEIGHTS[shape.name] / float(shape.extents[2])
    low_3, high_3 = np.array(shape.low) * scale, np.array(shape.high) * scale
    side = room.sides[int(rng.integers(len(room.sides)))]
    axis, across = ("x", 1) if side[1] == "x" else ("y", 0)
    along = 0 if axis == "x" else 1
    place = np.zeros(3)
    if side[0] == "-":
        place[along] = room.low[along] + WALL_GAP - low_3[along]
    else:
        place[along] = room.high[along] - WALL_GAP - high_3[along]
    first, last = room.low[across] + 0.3 - low_3[across], room.high[across] - 0.3 - high_3[across]
    place[across] = float(rng.uniform(first, max(first, last)))
    place[2] = -low_3[2]
    kind = kind_of(shape.name)
    return ObjectSpec(
        asset=shape.id,
        name=shape.name,
        role="bystander",
        surface=None if shape.textured else surface_of(kind, (), rng),
        scale=(scale,) * 3,
        extents=tuple(float(value) for value in high_3 - low_3),  # type: ignore[arg-type]
        mass=kind.masses[1],
        friction=kind.friction,
        restitution=kind.restitution,
        position=(float(place[0]), float(place[1]), float(place[2])),
        static=True,
    )


def _surface(
    patterns: Sequence[Pattern], colors: Sequence[str], words: Sequence[str], textures: Sequence[str], rng: Rng
) -> SurfaceSpec:
    pattern = patterns[int(rng.integers(len(patterns)))]
    first, second = (str(name) for name in rng.choice(list(colors), 2, replace=False))
    fitting = [name for name in textures if any(word in name.lower() for word in words)]
    texture = fitting[int(rng.integers(len(fitting)))] if fitting else ""
    return SurfaceSpec(pattern, first, second, roughness=float(rng.uniform(0.45, 0.9)), texture=texture)
