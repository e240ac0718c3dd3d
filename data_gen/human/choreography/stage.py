"""The stage of a procedural motion: a figure, its controls, and objects with their poses. Forwards is -Y."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_gen.human.choreography.arc import Arc, bend
from data_gen.human.choreography.body import SIDES, Controls, lean_to_reach, pose_figure
from data_gen.human.choreography.contact import planes_of
from data_gen.human.choreography.gait import LEFT, RIGHT, Walk, min_jerk, ramp, walk
from data_gen.human.choreography.hand import RELAXED, find_grip, make_hand
from data_gen.human.choreography.props import Points, make_prop
from data_gen.human.figure import build_figure, draw_traits
from data_gen.human.motion import Motion, Prop
from data_gen.scene.poses import IDENTITY, Poses, compose, rotate
from data_gen.scene.skin import Skin

FPS = 30.0
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
STANCE = 0.97
"""Height of the hips of one who stands or walks, relative to straight legs."""
COME = 0.12
"""Metres from what it shall hold to where a hand stops before it closes in."""
CLOSING = 0.75
"""Part of its way after which it does."""
AHEAD = 4.0
"""Metres to what one looks at who looks ahead."""
WALKING = 0.3
"""Metres a second at which one looks ahead rather than at the hands."""


class Stage:
    """Where a motion is put together.

    Args:
        rng: source of all draws; the body is the first.
        seconds: length of the motion.
    """

    def __init__(self, rng: np.random.Generator, seconds: float) -> None:
        self.rng = rng
        self.skeleton, self.skin = build_figure(draw_traits(rng))
        left, right = (make_hand(self.skeleton, self.skin, side) for side in SIDES)
        self.hands = (left, right)
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
            hands_T27=np.tile(IDENTITY, (frames, 2, 1)),
            curls_T253=np.zeros((frames, 2, 5, 3)),
            used_T2=np.zeros((frames, 2)),
            swing_T2=np.zeros((frames, 2)),
            gaze_T3=np.zeros((frames, 3)),
        )
        self.watched_T3: Points | None = None
        """What the eyes follow, if it is neither the hands nor the way ahead."""
        self.arc: Arc | None = None
        """What the way is bent to in the end; all else is composed along -Y."""
        self._props: list[Prop] = []
        self._poses: list[Poses] = []

    def draw(self, low: float, high: float) -> float:
        """A uniform draw."""
        return float(self.rng.uniform(low, high))

    def walk(self, start: float, distance: float, *, step: float = 0.6, turn: float = 0.0) -> Walk:
        """Walk forwards (negative: backwards) from a second on; free hands swing against the feet.

        With a turn, in radians to the left, the way is an arc; then all objects must be carried.
        """
        if turn:
            self.arc = Arc(distance, turn)
        steps = walk(self.time_T, start, distance, step=step, pace=self.draw(0.45, 0.6))
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

    def grip(
        self,
        hand: int,
        kind: str,
        poses_T7: Poses,
        at_3: Sequence[float],
        out_3: Sequence[float],
        fingers_3: Sequence[float] = (0.0, -1.0, 0.0),
        used_T: Points | float = 1.0,
    ) -> None:
        """Let a hand hold a prop, as far as it is used.

        Args:
            hand: LEFT or RIGHT.
            kind: of the prop.
            poses_T7: its poses, as `add` gives them.
            at_3, out_3, fingers_3: see `find_grip`; in the prop's frame.
            used_T: 0 hangs, 1 holds; between, the hand comes from `out_3`.
        """
        found = find_grip(self.hands[hand], planes_of(kind), *(np.asarray(v, float) for v in (at_3, out_3, fingers_3)))
        used_T = np.broadcast_to(used_T, self.time_T.shape)
        hands_T7 = compose(poses_T7, found.hand_7)
        away_3 = np.asarray(out_3) / np.linalg.norm(out_3)
        closed_T = ramp(used_T, CLOSING, 1.0)
        hands_T7[:, :3] += COME * (1 - closed_T)[:, None] * rotate(poses_T7[:, 3:], away_3)
        self.controls.hands_T27[:, hand] = hands_T7
        self.controls.curls_T253[:, hand] = RELAXED + closed_T[:, None, None] * (found.curls_5K - RELAXED)
        self.controls.used_T2[:, hand] = used_T

    def add(self, kind: str, places_T3: Points, turns_T4: Points | None = None, name: str = "") -> Poses:
        """An object: the place of its base's middle, `(3,)` or `(T, 3)`, and its turn; upright by default.

        Returns its poses `(T, 7)`.
        """
        self._props.append(make_prop(kind, name))
        self._poses.append(poses_of(places_T3, UPRIGHT if turns_T4 is None else turns_T4, len(self.time_T)))
        return self._poses[-1]

    def motion(self, sequence: str, yaw: float) -> Motion:
        """The finished motion, turned about the vertical by an angle in radians around the middle of the hips' way."""
        self.controls.gaze_T3 = self._gaze()
        controls = lean_to_reach(self.skeleton, self.hands, self.controls)
        joints_TJ7 = pose_figure(self.skeleton, self.hands, controls)
        props_TN7 = np.stack(self._poses, axis=1)
        if self.arc:
            joints_TJ7, props_TN7 = bend(self.skeleton, joints_TJ7, props_TN7, self.arc)
        hips_T2 = joints_TJ7[:, self.skeleton.index("Hips"), :2]
        middle = (hips_T2.min(axis=0) + hips_T2.max(axis=0)) / 2
        centre_7 = IDENTITY.copy()
        centre_7[:2] = -middle
        turn_7 = np.array([0.0, 0.0, 0.0, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])
        place_7 = compose(turn_7, centre_7)
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

    def _gaze(self) -> Points:
        """Where the eyes look: at the hands in use while standing, ahead while walking."""
        if self.watched_T3 is not None:
            return self.watched_T3
        controls = self.controls
        ahead_T3 = controls.hips_T3 + np.array([0.0, -AHEAD, 0.2])
        used_T2 = controls.used_T2
        weights_T2 = used_T2 / np.maximum(used_T2.sum(axis=1, keepdims=True), 1e-9)
        hands_T3 = np.einsum("th,thk->tk", weights_T2, controls.hands_T27[..., :3])
        # Ahead of the wrists, where the fingers are.
        hands_T3[:, 1] -= 0.1
        speed_T = np.abs(np.gradient(controls.hips_T3[:, 1], self.time_T))
        share_T1 = (used_T2.max(axis=1) * (1 - ramp(speed_T, 0.0, WALKING)))[:, None]
        return ahead_T3 + share_T1 * (hands_T3 - ahead_T3)


def poses_of(places_T3: Points, turns_T4: Points, frames: int) -> Poses:
    """Poses `(T, 7)` from places and turns that may be the same at all frames."""
    return np.concatenate([np.broadcast_to(places_T3, (frames, 3)), np.broadcast_to(turns_T4, (frames, 4))], axis=-1)


def moved(from_T3: Points, to_T3: Points, time_T: Points, start: float, seconds: float) -> Points:
    """From one place to another: first sideways, then down, or first up, then sideways."""
    down = bool(np.mean(from_T3[..., 2]) > np.mean(to_T3[..., 2]))
    early, late = ramp(time_T, start, start + 0.7 * seconds), ramp(time_T, start + 0.3 * seconds, start + seconds)
    flat_T, high_T = (early, late) if down else (late, early)
    share_T3 = np.stack([flat_T, flat_T, high_T], axis=-1)
    return from_T3 + share_T3 * (to_T3 - from_T3)


def rolled(way_T: Points, radius: float, first: int) -> Points:
    """Turns `(T, 4)` of a ball that from a frame on rolls along Y or flies as fast: about X, by the way it has gone."""
    half_T = -(way_T - way_T[first]) / radius / 2
    half_T[:first] = 0.0
    return np.stack([np.cos(half_T), np.sin(half_T), np.zeros_like(half_T), np.zeros_like(half_T)], axis=-1)


def flight(time_T: Points, release: float, place_3: Points, velocity_3: Points, rest: float) -> Points:
    """Places `(T, 3)` of a thrown ball after its release: parabolas, bounces, then rolling to a stop.

    Args:
        time_T: seconds of each frame.
        release: second.
        place_3, velocity_3: at the release.
        rest: height at which it lies on the floor, metres.
    """
    # Rolling slows as a soft ball's does on carpet (0.15 of its weight); a bounce turns a third of the speed into spin.
    gravity, bounce, drag, slowing, substeps = 9.81, 0.55, 0.7, 1.5, 40
    place, velocity = place_3.astype(float), velocity_3.astype(float)
    frame = float(time_T[1] - time_T[0])
    places_T3 = np.tile(place, (len(time_T), 1))
    rolling = bool(place[2] <= rest and velocity[2] <= 0)
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


__all__ = ["FPS", "LEFT", "RIGHT", "UPRIGHT", "Stage", "flight", "min_jerk", "moved", "poses_of", "ramp", "rolled"]
