"""Walking along an arc: a motion that goes straight along -Y is bent. Shape legend: T frames, J joints, N props."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_gen.human.choreography.body import SIDES, knee_pole, leg
from data_gen.human.choreography.props import Points
from data_gen.human.kinematics import bend_limb, turn_subtree
from data_gen.scene.poses import IDENTITY, Poses, compose, conjugate, inverse, multiply, rotate
from data_gen.scene.skin import Skeleton


@dataclass(frozen=True)
class Arc:
    """A way that starts at the origin along -Y, is a part of a circle for its length, and goes on straight."""

    length: float
    """Metres; more than 0."""
    turn: float
    """Radians by which it turns to the left, to +X, over its length."""

    def moved(self, way_T: Points) -> Poses:
        """Poses `(T, 7)` that carry what is at (0, -way, 0) on the straight line to where it is on the arc."""
        arc_T = np.clip(way_T, 0.0, self.length)
        turn_T = self.turn * arc_T / self.length
        # A chord of a circle is shorter than its arc and points half as far aside.
        chord_T = arc_T * np.sinc(turn_T / (2 * np.pi))
        place_T3 = chord_T[:, None] * _ahead(turn_T / 2) + (way_T - arc_T)[:, None] * _ahead(turn_T)
        nothing_T = np.zeros_like(turn_T)
        turn_T4 = np.stack([np.cos(turn_T / 2), nothing_T, nothing_T, np.sin(turn_T / 2)], axis=-1)
        straight_T7 = np.tile(IDENTITY, (len(way_T), 1))
        straight_T7[:, 1] = -way_T
        return compose(np.concatenate([place_T3, turn_T4], axis=-1), inverse(straight_T7))


def bend(skeleton: Skeleton, joints_TJ7: Poses, props_TN7: Poses, arc: Arc) -> tuple[Poses, Poses]:
    """A walk along -Y, along an arc instead. What is carried keeps its place before the hips.

    The body turns with the way of the hips, each foot with its own: one that stands stays where it is.

    Args:
        skeleton: of the figure.
        joints_TJ7: poses of the straight walk.
        props_TN7: poses of what is carried.
        arc: the hips start at its beginning.
    """
    body_T7 = arc.moved(-joints_TJ7[:, skeleton.index("Hips"), 1])
    bent_TJ7 = compose(body_T7[:, None], joints_TJ7)
    for k, side in enumerate(SIDES):
        foot = skeleton.index(f"{side}Foot")
        foot_T7 = compose(arc.moved(-joints_TJ7[:, foot, 1]), joints_TJ7[:, foot])
        pole_T3 = rotate(body_T7[:, 3:], knee_pole(k))
        bent_TJ7 = bend_limb(skeleton, bent_TJ7, leg(side), foot_T7[:, :3], pole_T3)
        turn_T4 = multiply(foot_T7[:, 3:], conjugate(bent_TJ7[:, foot, 3:]))
        bent_TJ7 = turn_subtree(skeleton, bent_TJ7, foot, turn_T4)
    return bent_TJ7, compose(body_T7[:, None], props_TN7)


def _ahead(turn_T: Points) -> Points:
    """Directions `(T, 3)` of -Y, turned to the left."""
    return np.stack([np.sin(turn_T), -np.cos(turn_T), np.zeros_like(turn_T)], axis=-1)
