"""The stage of a procedural motion: a figure, its controls, and objects with their poses. Forwards is -Y."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_gen.human.choreography.body import SIDES, Controls, lean_to_reach, pose_figure
from data_gen.human.choreography.gait import LEFT, RIGHT, Walk, min_jerk, ramp, walk
from data_gen.human.choreography.props import make_prop
from data_gen.human.figure import build_figure, draw_traits
from data_gen.human.motion import Motion, Prop
from data_gen.scene.poses import IDENTITY, Poses, compose
from data_gen.scene.skin import Skin

FPS = 30.0
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
STANCE = 0.97
"""Height of the hips of one who stands or walks, relative to straight legs."""
GAP = 0.012
"""Metres from the middle of a palm to what it touches."""

Points = NDArray[np.float64]


class Stage:
    """Where a motion is put together.

    Args:
        rng: source of all draws; the body is the first.
        seconds: length of the motion.
    """

    def __init__(self, rng: np.random.Generator, seconds: float) -> None:
        self.rng = rng
        self.skeleton, self.skin = build_figure(draw_traits(rng))
        self.time_T: Points = np.arange(round(seconds * FPS) + 1) / FPS
        frames = len(self.time_T)
        rest_J3 = self.skeleton.rest_J7[:, :3]
        ankles_23 = np.stack([rest_J3[self.skeleton.index(f"{side}Foot")] for side in SIDES])
        ankles_23[:, 0] *= 1.35
        self.stature = float(rest_J3[self.skeleton.index("HeadTop_End"), 2])
        self.hips_height = STANCE * float(rest_J3[self.skeleton.index("Hips"), 2])
        self.controls = Controls(
            hips_T3=np.tile([0.0, 0.0, self.hips_height], (frames, 1)),
            feet_T23=np.tile(ankles_23, (frames, 1, 1)),
            lean_T=np.zeros(frames),
            grips_T23=np.zeros((frames, 2, 3)),
            used_T2=np.zeros((frames, 2)),
            swing_T2=np.zeros((frames, 2)),
        )
        self._props: list[Prop] = []
        self._poses: list[Poses] = []

    def draw(self, low: float, high: float) -> float:
        """A uniform draw."""
        return float(self.rng.uniform(low, high))

    def walk(self, start: float, distance: float, *, pace: float | None = None) -> Walk:
        """Walk forwards (negative: backwards) from a second on; free hands swing against the feet."""
        steps = walk(self.time_T, start, distance, pace=pace or self.draw(0.45, 0.6))
        self.controls.hips_T3[:, 1] -= steps.hips_T
        self.controls.feet_T23[:, :, 1] -= steps.feet_T2
        self.controls.feet_T23[:, :, 2] += steps.lift_T2
        self.controls.hips_T3[:, 2] += 0.25 * (steps.lift_T2.sum(axis=1) - 0.03) * (steps.lift_T2.sum(axis=1) > 0.03)
        ahead_T = steps.feet_T2[:, LEFT] - steps.feet_T2[:, RIGHT]
        self.controls.swing_T2[:, LEFT] = -0.35 * ahead_T
        self.controls.swing_T2[:, RIGHT] = 0.35 * ahead_T
        return steps

    def lean(self, angle: float, start: float, end: float) -> None:
        """Bend the back forwards by an angle in radians, between two seconds, and stay so."""
        self.controls.lean_T += angle * ramp(self.time_T, start, end)

    def carried(self, x: float, y: float, z: float) -> Points:
        """Places `(T, 3)` that keep this offset from the hips; z from the standing hips, so steps do not shake it."""
        places_T3 = self.controls.hips_T3 + np.array([x, y, z])
        places_T3[:, 2] = self.hips_height + z
        return places_T3

    def grip(self, hand: int, places_T3: Points, used_T: Points | float = 1.0) -> None:
        """Let a hand's palm be at these places, as far as it is used."""
        self.controls.grips_T23[:, hand] = places_T3
        self.controls.used_T2[:, hand] = used_T

    def add(self, kind: str, places_T3: Points, turns_T4: Points | None = None, name: str = "") -> None:
        """An object: the place of its base's middle, `(3,)` or `(T, 3)`, and its turn; upright by default."""
        frames = len(self.time_T)
        places_T3 = np.broadcast_to(places_T3, (frames, 3))
        turns_T4 = np.broadcast_to(UPRIGHT if turns_T4 is None else turns_T4, (frames, 4))
        self._props.append(make_prop(kind, name))
        self._poses.append(np.concatenate([places_T3, turns_T4], axis=-1))

    def motion(self, sequence: str, yaw: float) -> Motion:
        """The finished motion, turned about the vertical by an angle in radians around the middle of the hips' way."""
        joints_TJ7 = pose_figure(self.skeleton, lean_to_reach(self.skeleton, self.controls))
        hips_T2 = self.controls.hips_T3[:, :2]
        middle = (hips_T2.min(axis=0) + hips_T2.max(axis=0)) / 2
        centre_7 = IDENTITY.copy()
        centre_7[:2] = -middle
        turn_7 = np.array([0.0, 0.0, 0.0, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
        place_7 = compose(turn_7, centre_7)
        props_TN7 = np.stack(self._poses, axis=1)
        return Motion(
            source="procedural",
            sequence=sequence,
            character="figure",
            fps=FPS,
            skeleton=self.skeleton,
            skin=Skin(**vars(self.skin)),
            joints_TJ7=compose(np.broadcast_to(place_7, joints_TJ7.shape), joints_TJ7),
            props=tuple(self._props),
            props_TN7=compose(np.broadcast_to(place_7, props_TN7.shape), props_TN7),
        )


def moved(from_T3: Points, to_T3: Points, time_T: Points, start: float, seconds: float) -> Points:
    """From one place to another: first sideways, then down, or first up, then sideways."""
    down = bool(np.mean(from_T3[..., 2]) > np.mean(to_T3[..., 2]))
    early, late = ramp(time_T, start, start + 0.7 * seconds), ramp(time_T, start + 0.3 * seconds, start + seconds)
    flat_T, high_T = (early, late) if down else (late, early)
    share_T3 = np.stack([flat_T, flat_T, high_T], axis=-1)
    return from_T3 + share_T3 * (to_T3 - from_T3)


def rolled(places_T3: Points, radius: float) -> Points:
    """Turns `(T, 4)` of a ball that rolls along -Y or flies as fast: about X, by the way it has gone."""
    half_T = -(places_T3[:, 1] - places_T3[0, 1]) / radius / 2
    return np.stack([np.cos(half_T), np.sin(half_T), np.zeros_like(half_T), np.zeros_like(half_T)], axis=-1)


def flight(time_T: Points, release: float, place_3: Points, velocity_3: Points, rest: float) -> Points:
    """Places `(T, 3)` of a thrown ball after its release: parabolas, bounces, then rolling to a stop.

    Args:
        time_T: seconds of each frame.
        release: second.
        place_3, velocity_3: at the release.
        rest: height at which it lies on the floor, metres.
    """
    gravity, bounce, drag, slowing, substeps = 9.81, 0.55, 0.8, 0.7, 40
    place, velocity = place_3.astype(float), velocity_3.astype(float)
    frame = float(time_T[1] - time_T[0])
    places_T3 = np.tile(place, (len(time_T), 1))
    rolling = False
    for t in range(1, len(time_T)):
        span = min(max(time_T[t] - release, 0.0), frame)
        for _ in range(substeps):
            step = span / substeps
            if rolling:
                speed = float(np.linalg.norm(velocity[:2]))
                velocity[:2] *= max(speed - slowing * step, 0.0) / max(speed, 1e-9)
                place[:2] += velocity[:2] * step
                continue
            place += velocity * step - np.array([0, 0, gravity * step**2 / 2])
            velocity[2] -= gravity * step
            if place[2] < rest:
                place[2] = rest
                velocity[:2] *= drag
                velocity[2] *= -bounce
                rolling = velocity[2] < 0.4
        places_T3[t] = place
    return places_T3


__all__ = ["FPS", "GAP", "LEFT", "RIGHT", "Stage", "flight", "min_jerk", "moved", "ramp", "rolled"]
