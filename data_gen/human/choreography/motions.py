"""The interactions, each a function that fills a stage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data_gen.human.choreography.props import Points, size
from data_gen.human.choreography.stage import (
    LEFT,
    RIGHT,
    UPRIGHT,
    Stage,
    flight,
    moved,
    poses_of,
    ramp,
    rolled,
)
from data_gen.human.motion import Motion
from data_gen.scene.poses import Poses

BEND = 0.6
"""Radians a metre by which a way is bent at most."""
CART_EDGE = 0.46
"""Metres from the hips to the cart that somebody pushes, so that the feet stay clear of it."""
FOLLOW = 0.08
"""Seconds in which the arms of one who has thrown lose most of their speed."""
FLAT = 0.12
"""Height of an object, metres, below which it is taken by its upper edge off a table."""
HEEL = 0.2
"""Slope by which the heel of a hand is off what the hand holds from the side or from below."""
TABLE_EDGE = 0.24
"""Metres from the hips to the table at which somebody stands."""


@dataclass(frozen=True)
class Interaction:
    """A kind of motion.

    Args:
        perform: fills a stage with an object of a kind.
        kinds: that it is done with.
        seconds: least and most.
    """

    perform: Callable[[Stage, str], None]
    kinds: tuple[str, ...]
    seconds: tuple[float, float] = (5.0, 6.5)


def sequence_names(variations: int) -> tuple[str, ...]:
    """Names of all sequences, sorted: each motion in as many variations, its kinds of object in turn."""
    names = [
        f"{motion}_{item.kinds[k % len(item.kinds)]}_{k:03d}"
        for motion, item in MOTIONS.items()
        for k in range(variations)
    ]
    return tuple(sorted(names))


def compose_motion(sequence: str) -> Motion:
    """The motion of a name. Raises KeyError: there is no such motion."""
    motion = next((name for name in sorted(MOTIONS, key=len, reverse=True) if sequence.startswith(f"{name}_")), None)
    if motion is None:
        raise KeyError(sequence)
    kind = sequence.removeprefix(f"{motion}_").rpartition("_")[0]
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(sequence.encode()).digest()[:8], "big"))
    item = MOTIONS[motion]
    stage = Stage(rng, float(rng.uniform(*item.seconds)))
    item.perform(stage, kind)
    return stage.motion(sequence, yaw=stage.draw(-np.pi, np.pi))


def _beside(
    stage: Stage, hand: int, kind: str, poses_T7: Poses, used: Points | float = 1.0, *, down: float = 0.0
) -> None:
    """A hand at the outer side of an object, under the wall of a bowl; the fingers point forwards and `down`.

    What is flat is taken by its upper edge where the fingers should point down: they would reach into the table.
    """
    sign = 1.0 if hand == LEFT else -1.0
    height = size(kind)[2]
    # The heel of the hand is a little off, so that the forearm is clear of what is held.
    if down and height < FLAT:
        grip = (0.0, 0.0, height), (sign, HEEL, 0.5), (0.0, -1.0, 0.0)
    else:
        under = 0.7 if kind == "mixing_bowl" else 0.3 * down
        grip = (0.0, 0.0, (0.6 if down else 0.5) * height), (sign, HEEL, -under), (0.0, -1.0, -down)
    stage.grip(hand, kind, poses_T7, *grip, used)


def _stroll(stage: Stage, least: float, most: float) -> None:
    """Walk so many metres along an arc."""
    distance = stage.draw(least, most)
    stage.walk(stage.draw(0.2, 1.0), distance, turn=distance * stage.draw(-BEND, BEND))


def _carry_one_hand(stage: Stage, kind: str) -> None:
    _stroll(stage, 1.4, 2.4)
    places_T3 = stage.carried(-0.19, -stage.draw(0.30, 0.38), stage.draw(0.10, 0.25))
    poses_T7 = stage.add(kind, places_T3)
    if kind in _ON_PALM:
        stage.grip(RIGHT, kind, poses_T7, (0.0, 0.06, 0.0), (0.0, HEEL, -1.0))
    else:
        _beside(stage, RIGHT, kind, poses_T7)


def _carry_two_hands(stage: Stage, kind: str) -> None:
    _stroll(stage, 1.4, 2.4)
    places_T3 = stage.carried(0.0, -stage.draw(0.36, 0.42), stage.draw(0.08, 0.2))
    poses_T7 = stage.add(kind, places_T3)
    for hand in (LEFT, RIGHT):
        _beside(stage, hand, kind, poses_T7)


def _at_table(stage: Stage) -> tuple[Poses, Points]:
    """A table in front of the figure; returns its poses and a place on it within reach."""
    _, depth, top = size("table")
    poses_T7 = stage.add("table", np.array([stage.draw(-0.15, 0.15), -TABLE_EDGE - depth / 2, 0.0]))
    return poses_T7, np.array([0.0, -TABLE_EDGE - stage.draw(0.16, 0.2), top])


def _place(stage: Stage, kind: str) -> None:
    _, spot_3 = _at_table(stage)
    start = stage.draw(1.8, 2.6)
    stage.lean(0.35, start, start + 1.0)
    places_T3 = moved(
        stage.carried(0.0, -0.38, 0.14), np.tile(spot_3, (len(stage.time_T), 1)), stage.time_T, start, 1.2
    )
    used_T = 1 - ramp(stage.time_T, start + 1.4, start + 2.2)
    stage.lean(-0.35, start + 1.5, start + 2.3)
    poses_T7 = stage.add(kind, places_T3)
    for hand in (LEFT, RIGHT):
        _beside(stage, hand, kind, poses_T7, used_T, down=0.5)


def _lift(stage: Stage, kind: str) -> None:
    _, spot_3 = _at_table(stage)
    start = stage.draw(1.2, 2.0)
    stage.lean(0.35, 0.3, start - 0.2)
    stage.lean(-0.3, start, start + 1.0)
    places_T3 = moved(
        np.tile(spot_3, (len(stage.time_T), 1)), stage.carried(0.0, -0.38, 0.16), stage.time_T, start, 1.2
    )
    used_T = ramp(stage.time_T, 0.4, start - 0.15)
    poses_T7 = stage.add(kind, places_T3)
    for hand in (LEFT, RIGHT):
        _beside(stage, hand, kind, poses_T7, used_T, down=0.5)


def _hand_over_head(stage: Stage, kind: str) -> None:
    _stroll(stage, 1.0, 2.0)
    places_T3 = stage.carried(0.0, -0.02, stage.stature * 1.03 - stage.hips_height)
    poses_T7 = stage.add(kind, places_T3)
    for hand, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
        stage.grip(hand, kind, poses_T7, (0.0, 0.0, 0.25 * size(kind)[2]), (sign, 0.0, 0.0), (0.0, -0.3, 1.0))


def _push_cart(stage: Stage, kind: str) -> None:
    stage.walk(stage.draw(0.4, 1.0), stage.draw(1.0, 1.8), step=0.4)
    _, depth, _ = size("utility_cart")
    places_T3 = stage.carried(0.0, -CART_EDGE - depth / 2, 0.0)
    places_T3[:, 2] = 0.0
    poses_T7 = stage.add("utility_cart", places_T3)
    for hand, x in ((LEFT, 0.2), (RIGHT, -0.2)):
        stage.grip(hand, "utility_cart", poses_T7, (x, 0.41, 0.945), (0.0, 0.1, 1.0))
    stage.add(kind, places_T3 + np.array([stage.draw(-0.1, 0.1), -0.05, 0.83]))


def _pull_chair(stage: Stage, kind: str) -> None:
    start = stage.draw(0.6, 1.2)
    stage.walk(start, -stage.draw(0.5, 0.8))
    stage.lean(0.15, -1.0, 0.0)
    _, depth, height = size(kind)
    places_T3 = stage.carried(0.0, -0.42 - depth / 2, 0.0)
    places_T3[:, 2] = 0.0
    poses_T7 = stage.add(kind, places_T3)
    for hand, x in ((LEFT, 0.12), (RIGHT, -0.12)):
        stage.grip(hand, kind, poses_T7, (x, depth / 2 - 0.02, height), (0.0, -0.2, 1.0))


def _pull_drawer(stage: Stage, kind: str) -> None:
    start = stage.draw(0.8, 1.4)
    stage.controls.hips_T3[:, 2] -= 0.20
    stage.controls.hips_T3[:, 1] += 0.05
    stage.lean(0.75, -1.0, 0.0)
    turn_4 = np.array([0.0, 0.0, 0.0, 1.0])
    stage.add("cabinet", np.array([0.0, -0.85, 0.0]), turn_4)
    way_T = stage.draw(0.18, 0.26) * ramp(stage.time_T, start, start + 1.4)
    places_T3 = np.tile([0.0, -0.825, 0.481], (len(stage.time_T), 1))
    places_T3[:, 1] += way_T
    poses_T7 = stage.add("drawer", places_T3, turn_4)
    # The fingers come from above, in front of the handle, and hook under it.
    stage.grip(RIGHT, "drawer", poses_T7, (0.02, -0.225, 0.14), (0.0, -1.0, 0.0), (-0.6, 0.0, -1.0))
    stage.add(kind, np.array([0.0, -0.85, 0.70]))


def _sit(stage: Stage, kind: str) -> None:
    start = stage.draw(0.5, 1.5)
    down_T = ramp(stage.time_T, start, start + 1.4)
    seat = 0.473
    stage.controls.feet_T23[:, :, 1] -= 0.16
    stage.controls.hips_T3[:, 1] += 0.16 * down_T
    stage.controls.hips_T3[:, 2] += (seat + 0.062 * stage.stature - stage.hips_height) * down_T
    stage.controls.lean_T += 0.5 * np.sin(np.pi * down_T) ** 2
    stage.add("chair", np.array([0.0, 0.27, 0.0]))
    places_T3 = stage.controls.hips_T3 + np.array([0.0, -0.40, 0.18])
    poses_T7 = stage.add(kind, places_T3)
    for hand in (LEFT, RIGHT):
        _beside(stage, hand, kind, poses_T7)


def _tray(stage: Stage, kind: str) -> None:
    _stroll(stage, 1.4, 2.4)
    places_T3 = stage.carried(0.0, -stage.draw(0.36, 0.40), stage.draw(0.06, 0.14))
    poses_T7 = stage.add("tray", places_T3)
    for hand, x in ((LEFT, 0.17), (RIGHT, -0.17)):
        stage.grip(hand, "tray", poses_T7, (x, 0.04, 0.0), (0.0, 0.0, -1.0))
    for k, (other, x, y) in enumerate(((kind, -0.11, 0.0), ("mug", 0.10, 0.05), ("apple", 0.09, -0.08))):
        name = f"{other}.{k:03d}" if other == "mug" and kind == "mug" and k else ""
        stage.add(other, places_T3 + np.array([x, y, 0.01]), name=name)


def _throw(stage: Stage, kind: str) -> None:
    release, push = stage.draw(1.6, 2.4), 0.26
    velocity_3 = np.array([0.0, -stage.draw(1.1, 1.6), stage.draw(1.2, 1.8)])
    start_T3 = stage.carried(0.0, -0.26, 0.28)
    share_T = (stage.time_T - release + push).clip(0, push)
    places_T3 = start_T3 + velocity_3 * (share_T**2 / (2 * push))[:, None]
    centre = size(kind)[2] / 2
    last_3 = start_T3[0] + velocity_3 * push / 2 + np.array([0.0, 0.0, centre])
    flown_T3 = flight(stage.time_T, release, last_3, velocity_3, centre)
    away_T1 = (stage.time_T > release)[:, None]
    middles_T3 = np.where(away_T1, flown_T3, places_T3 + np.array([0.0, 0.0, centre]))
    _add_ball(stage, kind, middles_T3, release)
    # The arms follow through, ever slower.
    after_T1 = (stage.time_T - release).clip(0.0)[:, None]
    follow_T3 = last_3 + velocity_3 * FOLLOW * (1 - np.exp(-after_T1 / FOLLOW))
    held_T3 = np.where(away_T1, follow_T3, middles_T3) - [0.0, 0.0, centre]
    held_T7 = poses_of(held_T3, UPRIGHT, len(stage.time_T))
    used_T = 1 - ramp(stage.time_T, release, release + 1.1)
    for hand, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
        # From behind, so that the ball leaves freely.
        stage.grip(hand, kind, held_T7, (0.0, 0.0, centre), (sign, 0.6, 0.0), (0.0, -1.0, 0.8), used_T)


def _kick(stage: Stage, kind: str) -> None:
    hit = stage.draw(1.6, 2.4)
    centre = size(kind)[2] / 2
    ankle_y = float(stage.controls.feet_T23[0, RIGHT, 1])
    toe = 0.148 * stage.stature
    ball_y = ankle_y - 0.12 - toe - centre
    back_T = ramp(stage.time_T, hit - 0.8, hit - 0.35) * (1 - ramp(stage.time_T, hit - 0.35, hit + 0.05))
    ahead_T = ramp(stage.time_T, hit - 0.35, hit + 0.15) * (1 - ramp(stage.time_T, hit + 0.2, hit + 0.9))
    stage.controls.feet_T23[:, RIGHT, 1] += 0.28 * back_T - 0.30 * ahead_T
    raised_T = ramp(stage.time_T, hit - 1.0, hit - 0.8) * (1 - ramp(stage.time_T, hit + 0.9, hit + 1.1))
    stage.controls.feet_T23[:, RIGHT, 2] += 0.06 * raised_T + 0.08 * back_T
    stage.controls.hips_T3[:, 0] += 0.05 * ramp(stage.time_T, hit - 1.2, hit - 0.7)
    reached = int(np.argmax(stage.controls.feet_T23[:, RIGHT, 1] < ankle_y - 0.12))
    start = float(stage.time_T[reached])
    # Faster than the foot behind it, all the time that it is there.
    foot_T = -np.gradient(stage.controls.feet_T23[:, RIGHT, 1], stage.time_T)
    speed = max(stage.draw(1.4, 2.2), 1.1 * float(foot_T[reached:].max()))
    place_3 = np.array([float(stage.controls.feet_T23[0, RIGHT, 0]), ball_y, centre])
    _add_ball(stage, kind, flight(stage.time_T, start, place_3, np.array([0.0, -speed, 0.0]), centre), start)


def _add_ball(stage: Stage, kind: str, middles_T3: Points, free: float) -> None:
    """A ball by the places of its middle, which rolls from a second on; its own frame is at its base."""
    stage.watched_T3 = middles_T3
    radius = size(kind)[2] / 2
    turns_T4 = rolled(middles_T3[:, 1], radius, int(np.argmax(stage.time_T > free)))
    # Turned about its middle: the base goes around it.
    w, x = turns_T4[:, 0], turns_T4[:, 1]
    down_T3 = np.stack([np.zeros_like(w), 2 * w * x * radius, -(1 - 2 * x * x) * radius], axis=-1)
    stage.add(kind, middles_T3 + down_T3, turns_T4)


def _swing(stage: Stage, kind: str) -> None:
    start = stage.draw(1.2, 2.0)
    angle_T = 0.55 - 1.1 * ramp(stage.time_T, start, start + stage.draw(0.6, 0.9))
    angle_T += 1.1 * ramp(stage.time_T, start + 1.6, start + 2.8)
    out_T3 = np.stack([np.sin(angle_T), -np.cos(angle_T), np.zeros_like(angle_T)], axis=-1)
    handle_T3 = stage.carried(0.0, 0.0, stage.draw(0.22, 0.34)) + 0.34 * out_T3
    # The bat's +Z, from handle to end, points outwards: a quarter turn about X, then about Z.
    half_T = angle_T / 2
    quarter = np.sqrt(0.5)
    turns_T4 = quarter * np.stack([np.cos(half_T), np.cos(half_T), np.sin(half_T), np.sin(half_T)], axis=-1)
    poses_T7 = stage.add(kind, handle_T3, turns_T4)
    for hand, x, z in ((RIGHT, -1.0, 0.06), (LEFT, 1.0, 0.16)):
        stage.grip(hand, kind, poses_T7, (0.0, 0.0, z), (x, 0.5, 0.0), (0.0, -0.3, 1.0))


def _lean_on(stage: Stage, kind: str) -> None:
    table_T7, _ = _at_table(stage)
    _, depth, top = size("table")
    # Who is tall bends the knees too.
    stage.controls.hips_T3[:, 2] -= 0.3 * max(stage.stature - 1.6, 0.0)
    stage.lean(0.35, -1.0, 0.0)
    x = 0.22 - float(table_T7[0, 0])
    stage.grip(LEFT, "table", table_T7, (x, depth / 2 - 0.10, top), (0.0, 0.0, 1.0), (-0.2, -1.0, 0.0))
    raise_T = 0.5 - 0.5 * np.cos(2 * np.pi * stage.time_T / stage.draw(2.5, 4.0))
    places_T3 = stage.carried(-0.20, -0.40, 0.16) + np.array([0.02, 0.06, 0.16]) * raise_T[:, None]
    _beside(stage, RIGHT, kind, stage.add(kind, places_T3))


_ON_PALM = ("book", "toy_house")
"""Lie on the open hand."""
_SMALL, _LARGE = ("mug", "bottle", "apple", "book", "toy_house"), ("box", "basket", "vase", "mixing_bowl", "toy_house")
MOTIONS: dict[str, Interaction] = {
    "carry_one_hand": Interaction(_carry_one_hand, _SMALL),
    "carry_two_hands": Interaction(_carry_two_hands, _LARGE),
    "hand_over_head": Interaction(_hand_over_head, ("box", "basket")),
    "kick": Interaction(_kick, ("ball",)),
    "lean_on": Interaction(_lean_on, ("mug", "bottle", "apple")),
    "lift": Interaction(_lift, _LARGE),
    "place": Interaction(_place, _LARGE),
    "pull_chair": Interaction(_pull_chair, ("chair",)),
    "pull_drawer": Interaction(_pull_drawer, ("vase", "book", "toy_house")),
    "push_cart": Interaction(_push_cart, ("box", "mixing_bowl", "vase")),
    "sit": Interaction(_sit, ("mixing_bowl", "box", "toy_house")),
    "swing": Interaction(_swing, ("bat",)),
    "throw": Interaction(_throw, ("ball",)),
    "tray": Interaction(_tray, ("bottle", "mixing_bowl", "mug")),
}
"""By name."""
