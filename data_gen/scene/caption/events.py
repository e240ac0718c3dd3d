"""What each object visibly does in a simulated world, with clear thresholds. Metres, radians, frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.scene.simulate import FLOOR, Contact, World
from data_gen.scene.spec import ObjectSpec, SceneSpec

MOVING = 0.15
"""Metres that an object must travel to count as moving."""
TILTED, TOPPLED = math.radians(25), math.radians(45)
TUMBLED = math.radians(110)
DROP = 0.25
"""Metres down that count as a fall; of what was in the air and comes down steeply, MOVING is enough."""
STEEP = 0.6
"""Metres down for each metre away."""
AIRBORNE_FRAMES = 2.0
"""An object that touches nothing so long was in the air at the start."""
FLIGHT_SPEED = 1.2
"""Metres a second, horizontally: faster through the air is a flight, slower a fall."""
HIT_SPEED = 0.4
"""Metres a second between two objects that makes a contact a hit."""
REST_SPEED = 0.12
BOUNCE = 0.1
"""Metres up after a landing."""
ROLL_RATIO = (0.6, 1.7)
"""Turn x radius / path of what rolls."""
ROUND_ENOUGH = 1.3
"""Ratio of the two sides of a cross-section that may be round."""
ROLL_RISE, ROLL_SLOPE = 0.05, 0.6
"""What rolls does not rise by this fraction of its size, nor sink by this fraction of its path: that is toppling."""
ROUND = ("ball", "marble", "globe", "sphere")
SIDEWAYS = 0.06
"""Of the image width: a smaller shift is not called a motion to the left or right."""
NEARER = 0.4
"""Metres of depth."""
MARGIN = 0.02
SEEN_SHARE = 0.15


class Motion(StrEnum):
    """Kinds of motion."""

    stands = "stands"
    tilts = "tilts"
    topples = "topples"
    slides = "slides"
    rolls = "rolls"
    tumbles = "tumbles"
    falls = "falls"
    flies = "flies"


class Direction(StrEnum):
    """Of a motion, as the picture shows it."""

    left = "left"
    right = "right"
    nearer = "nearer"
    farther = "farther"


@dataclass(frozen=True)
class Hit:
    """One object runs into another."""

    object: int
    frame: float


@dataclass(frozen=True)
class Event:
    """What one object does."""

    motion: Motion
    onset: int
    """First frame in which it has moved; the length of the clip if it never does."""
    direction: Direction | None
    lands_on: int | None
    """What ends its fall or flight: an object, or FLOOR."""
    hits: tuple[Hit, ...]
    """Objects that it runs into, in order of time."""
    bounces: bool
    rests: bool
    """It does not move at the end."""
    enters: bool
    """It comes into the picture after the start."""
    leaves: bool
    """It is out of the picture at the end."""
    seen: bool
    """It is in the picture for a while."""
    place: tuple[float, float]
    """Where it is first seen: from the left edge of the picture (0..1), and metres behind the middle of the scene."""
    on: int | None
    """The object that it stands on at the start."""


def events(spec: SceneSpec, world: World) -> dict[int, Event]:
    """The event of every object in the world, by index."""
    partners = {i: _contacts_of(world, i) for i in world.positions}
    return {i: _event(spec, world, i, partners) for i in world.positions}


def _event(spec: SceneSpec, world: World, index: int, partners: Mapping[int, list[tuple[int, Contact]]]) -> Event:
    path = _Path(spec, world, index)
    places_T2, depths_T = _in_picture(spec, path.positions_T3)
    seen_T = ((places_T2 > -MARGIN) & (places_T2 < 1 + MARGIN)).all(axis=-1) & (depths_T > 0)
    shown = np.flatnonzero(seen_T)
    first, last = (int(shown[0]), int(shown[-1])) if shown.size else (0, spec.frames - 1)
    on = _support(spec, world, index, partners[index])
    first_touch = min((contact.frame for _, contact in partners[index]), default=math.inf)
    motion = path.motion(airborne=first_touch > AIRBORNE_FRAMES, raised=on is not None or path.raised)
    # Only what the picture can show of it counts.
    moves = motion is not Motion.stands
    return Event(
        motion=motion,
        onset=path.onset if moves else spec.frames,
        direction=_direction(spec, path.positions_T3, first, last) if moves else None,
        lands_on=_landing(motion, partners[index], path.onset),
        hits=_hits(spec, world, index, partners[index]) if moves else (),
        bounces=moves and path.bounces(first_touch),
        rests=path.rests,
        enters=moves and not seen_T[0] and bool(shown.size),
        leaves=moves and not seen_T[-1] and bool(shown.size),
        seen=bool(seen_T.mean() >= SEEN_SHARE),
        place=(float(places_T2[first, 0]), _behind_middle(spec, path.positions_T3[first], first)),
        on=on,
    )


class _Path:
    """The motion of one object."""

    def __init__(self, spec: SceneSpec, world: World, index: int) -> None:
        self.item, self.fps = spec.objects[index], spec.fps
        self.positions_T3 = world.positions[index]
        self._turns = Rotation.from_quat(world.quaternions[index][:, [1, 2, 3, 0]])
        self._travel_T = np.linalg.norm(self.positions_T3 - self.positions_T3[0], axis=-1)
        upright_T3 = self._turns.apply(self._turns[0].inv().apply([0.0, 0.0, 1.0]))
        self._tilt_T = np.arccos(upright_T3[:, 2].clip(-1, 1))

    @property
    def onset(self) -> int:
        moved = np.flatnonzero((self._travel_T > MOVING / 2) | (self._tilt_T > TILTED / 2))
        return int(moved[0]) if moved.size else len(self._travel_T)

    @property
    def raised(self) -> bool:
        """Whether it starts clearly above the floor."""
        return float(self.positions_T3[0, 2]) - self.half_height > DROP / 2

    @property
    def half_height(self) -> float:
        """Of its box at the start."""
        return float(np.abs(self._turns[0].as_matrix())[2] @ self.item.extents) / 2

    @property
    def rests(self) -> bool:
        steps = np.linalg.norm(np.diff(self.positions_T3[-3:], axis=0), axis=-1)
        return bool(steps.max(initial=0.0) * self.fps < REST_SPEED)

    def motion(self, *, airborne: bool, raised: bool) -> Motion:
        """The kind of motion; `airborne`: at the start, `raised`: it starts above the floor."""
        if self.item.static or (self._travel_T.max() < MOVING and self._tilt_T.max() < TILTED):
            return Motion.stands
        drop = float(self.positions_T3[0, 2] - self.positions_T3[:, 2].min())
        if airborne and drop > DROP:
            start = float(np.linalg.norm(self.item.velocity[:2]))
            return Motion.flies if start > FLIGHT_SPEED else Motion.falls
        away = float(np.linalg.norm(self.positions_T3[:, :2] - self.positions_T3[0, :2], axis=-1).max())
        # Out of a hand just above a table: a short fall, but nothing else.
        if airborne and drop > max(MOVING, STEEP * away):
            return Motion.falls
        if self._rolls():
            return Motion.rolls
        if raised and drop > DROP and drop > STEEP * away:
            return Motion.falls
        if is_round(self.item) and away > MOVING:
            return Motion.rolls if self._turned > TILTED else Motion.slides
        if self._tilt_T[-1] > TOPPLED and away < max(self.item.extents):
            return Motion.topples
        if self._turned > TUMBLED:
            return Motion.tumbles
        return Motion.slides if away > MOVING else Motion.tilts

    def bounces(self, first_touch: float) -> bool:
        """Whether it rises again after it has come down."""
        start = max(0, math.floor(first_touch)) if math.isfinite(first_touch) else len(self.positions_T3)
        heights_T = self.positions_T3[start:, 2]
        if len(heights_T) < 2 or self.positions_T3[0, 2] - heights_T.min() < DROP:
            return False
        lowest = np.minimum.accumulate(heights_T)
        return bool((heights_T - lowest).max() > BOUNCE)

    @property
    def _turned(self) -> float:
        """Sum of the rotations from frame to frame, that about the vertical left out."""
        steps_T3 = (self._turns[1:] * self._turns[:-1].inv()).as_rotvec()
        return float(np.linalg.norm(steps_T3[:, :2], axis=-1).sum())

    def _rolls(self) -> bool:
        steps_T2 = np.diff(self.positions_T3[:, :2], axis=0)
        path = float(np.linalg.norm(steps_T2, axis=-1).sum())
        climbs_T = np.diff(self.positions_T3[:, 2])
        # What rolls turns about its widest cross-section: two of its sides are about equal.
        small, middle, large = sorted(self.item.extents)
        if min(middle / small, large / middle) > ROUND_ENOUGH:
            return False
        radius = (middle if middle - small > large - middle else (small + middle) / 2) / 2
        low, high = ROLL_RATIO
        level = climbs_T.clip(min=0).sum() < ROLL_RISE * large and -climbs_T.sum() < ROLL_SLOPE * path
        return path > 2 * MOVING and level and low < self._turned * radius / path < high


def is_round(item: ObjectSpec) -> bool:
    """Whether it rolls whichever way it lies, by its name."""
    return item.asset == "sphere" or item.name.endswith(ROUND)


def _contacts_of(world: World, index: int) -> list[tuple[int, Contact]]:
    """The first contact with each partner, in order of time."""
    first: dict[int, Contact] = {}
    for contact in sorted(world.contacts, key=lambda contact: contact.frame):
        if index in (contact.first, contact.second):
            partner = contact.second if contact.first == index else contact.first
            if partner == FLOOR or partner in world.positions:
                first.setdefault(partner, contact)
    return list(first.items())


def _velocity(spec: SceneSpec, world: World, index: int, frame: float) -> NDArray[np.float64]:
    """Just before a moment, metres a second."""
    last = min(math.floor(frame), spec.frames - 1)
    if last < 1:
        return np.array(spec.objects[index].velocity)
    step: NDArray[np.float64] = world.positions[index][last] - world.positions[index][last - 1]
    return step * spec.fps


def _hits(spec: SceneSpec, world: World, index: int, partners: list[tuple[int, Contact]]) -> tuple[Hit, ...]:
    hits = []
    for partner, contact in partners:
        if partner == FLOOR:
            continue
        own, other = (_velocity(spec, world, i, contact.frame) for i in (index, partner))
        if np.linalg.norm(own - other) > HIT_SPEED and np.linalg.norm(own) > np.linalg.norm(other):
            hits.append(Hit(partner, contact.frame))
    return tuple(hits)


def _landing(motion: Motion, partners: list[tuple[int, Contact]], onset: int) -> int | None:
    if motion not in (Motion.falls, Motion.flies):
        return None
    later = [partner for partner, contact in partners if contact.frame > onset]
    return later[0] if later else None


def _support(spec: SceneSpec, world: World, index: int, partners: list[tuple[int, Contact]]) -> int | None:
    own = world.positions[index][0]
    for partner, contact in partners:
        if partner == FLOOR or contact.frame > AIRBORNE_FRAMES:
            continue
        step = own - world.positions[partner][0]
        on_top = step[2] > _Path(spec, world, partner).half_height
        steep = step[2] > 0.5 * float(np.linalg.norm(step[:2]))
        if on_top or (steep and step[2] > 0.25 * min(spec.objects[index].extents)):
            return partner
    return None


def _in_picture(spec: SceneSpec, positions_T3: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Image positions `(T, 2)` and depths `(T,)`, as the camera of each frame sees them."""
    seen = [spec.camera.at(frame).project(position[None]) for frame, position in enumerate(positions_T3)]
    return np.concatenate([places for places, _ in seen]), np.concatenate([depth for _, depth in seen])


def _direction(spec: SceneSpec, positions_T3: NDArray[np.float64], first: int, last: int) -> Direction | None:
    """Between the first and the last frame that show the object; None where the camera's own motion says otherwise."""
    start, end = spec.camera.at(first), spec.camera.at(last)
    both_23 = positions_T3[[first, last]]
    fixed_22, fixed_depth_2 = start.project(both_23)
    came_12, came_depth_1 = end.project(both_23[1:])
    sideways = [fixed_22[1, 0] - fixed_22[0, 0], came_12[0, 0] - fixed_22[0, 0]]
    deeper = [fixed_depth_2[1] - fixed_depth_2[0], came_depth_1[0] - fixed_depth_2[0]]
    right, _, forward = start.axes
    step = both_23[1] - both_23[0]
    along = forward[:2] / max(float(np.linalg.norm(forward[:2])), 1e-9)
    if abs(step[:2] @ right[:2]) >= abs(step[:2] @ along):
        if min(sideways) > SIDEWAYS:
            return Direction.right
        return Direction.left if max(sideways) < -SIDEWAYS else None
    if min(deeper) > NEARER:
        return Direction.farther
    return Direction.nearer if max(deeper) < -NEARER else None


def _behind_middle(spec: SceneSpec, position: NDArray[np.float64], frame: int) -> float:
    """Metres beyond the vertical through the middle of the scene, along the ground, as the camera sees it."""
    _, _, forward = spec.camera.at(frame).axes
    along = forward[:2] / max(float(np.linalg.norm(forward[:2])), 1e-9)
    return float(position[:2] @ along)
