"""Who touches whom in a clip: the figure as capsules along its bones, the objects as their convex pieces."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from data_gen.human.bodies import Bodies, capsules_of, placed_bodies
from data_gen.human.motion import Motion
from data_gen.human.props import StoredProp
from data_gen.human.timeline import MOVED, Clip, displacement
from data_gen.scene.simulate import Contact

PERSON = -3
"""Stands for the person in contacts, where a scene has not given them an index yet."""
MARGIN = 0.01
"""Metres between surfaces that count as touching."""


def touches(motion: Motion, clip: Clip, stored: Mapping[int, StoredProp]) -> tuple[Contact, ...]:
    """Contacts of the person with objects and of objects with one another at each frame; their force is 0.

    What moves has been moved by somebody: an object that moves before it is reached along contacts, because a hand is
    only near it, has a contact with the person in the frame before.

    Args:
        motion: of the clip.
        clip: with T frames.
        stored: the files of each of the motion's objects.
    """
    frames, count = clip.props_TN7.shape[:2]
    found: list[Contact] = []
    capsules = capsules_of(motion.skeleton, motion.skin)
    with placed_bodies(stored) as bodies:
        figure = bodies.add_figure(capsules)
        near: dict[tuple[int, int], bool] = {}
        for t in range(frames):
            moved = {i for i in range(count) if t == 0 or (clip.props_TN7[t, i] != clip.props_TN7[t - 1, i]).any()}
            for i in moved:
                bodies.place(i, clip.props_TN7[t, i])
            bodies.place_figure(figure, capsules, clip.joints_TJ7[t])
            for pair in combinations(range(count), 2):
                if moved & set(pair):
                    near[pair] = bool(bodies.between(*pair, MARGIN))
            found += [Contact(float(t), *pair, 0.0) for pair, close in near.items() if close]
            found += [Contact(float(t), PERSON, i, 0.0) for i in range(count) if _reached(bodies, figure, i)]
    return (*found, *_unexplained(clip, found))


def reached_by_person(contacts: tuple[Contact, ...], frame: float) -> set[int]:
    """Objects that the person touches up to and with a frame, directly or through others."""
    return {i for i, time in _times(contacts).items() if time <= frame and i >= 0}


def _reached(bodies: Bodies, figure: tuple[int, ...], index: int) -> bool:
    low_3, high_3 = bodies.box(index)
    for body in figure:
        least_3, most_3 = bodies.box_of(body)
        apart = (least_3 > high_3 + MARGIN).any() or (most_3 < low_3 - MARGIN).any()
        if not apart and bodies.reaches(body, index, MARGIN):
            return True
    return False


def _times(contacts: tuple[Contact, ...] | list[Contact]) -> dict[int, float]:
    """When each object is first reached by the person along contacts."""
    times = {PERSON: -np.inf}
    spreading = True
    ordered = sorted(contacts, key=lambda contact: contact.frame)
    while spreading:
        spreading = False
        for contact in ordered:
            for giver, taker in ((contact.first, contact.second), (contact.second, contact.first)):
                if times.get(giver, np.inf) <= contact.frame < times.get(taker, np.inf):
                    times[taker] = contact.frame
                    spreading = True
    return {index: float(time) for index, time in times.items()}


def _unexplained(clip: Clip, contacts: list[Contact]) -> list[Contact]:
    extra: list[Contact] = []
    starts = {}
    for i in range(clip.props_TN7.shape[1]):
        moved_T = displacement(clip.props_TN7[:, i]) > 0
        if moved_T.any() and displacement(clip.props_TN7[:, i]).max() > MOVED:
            starts[i] = float(max(int(moved_T.argmax()) - 1, 0))
    for i, start in sorted(starts.items(), key=lambda item: item[1]):
        if _times([*contacts, *extra]).get(i, np.inf) > start:
            extra.append(Contact(start, PERSON, i, 0.0))
    return extra
