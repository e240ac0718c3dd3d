"""What holds up what, and so what may fall: the objects that have lost their support, or that the person moves."""

from __future__ import annotations

from collections.abc import Mapping, Set

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from data_gen.human.bodies import Bodies, centred, placed_bodies
from data_gen.human.props import StoredProp
from data_gen.human.timeline import MOVED, Clip, displacement
from data_gen.human.touch import reached_by_person
from data_gen.scene.poses import Poses
from data_gen.scene.simulate import FLOOR, Contact

GAP = 0.015
"""Metres by which a recorded object at rest may be above what it stands on."""
SLACK = 0.005
"""Metres by which its centre of mass may be outside of the area it stands on."""
UPWARDS = 0.3
"""Least vertical part of the normal where something is held up, not only touched."""
TILT, TILTS = 0.01, 8
"""Radians, and directions, in which an object is tilted to find the corners that it stands on."""


def dynamic_props(
    clip: Clip, stored: Mapping[int, StoredProp], contacts: tuple[Contact, ...], *, frame: int
) -> tuple[int, ...]:
    """Indices of the objects that are free in the physics without the person; all others are static.

    Free is what moves in the clip, and what the person touches up to the frame, directly or through others, if without
    the person nothing holds it up. What nobody touches and nothing moves stays, also where a recording lets it float.

    Args:
        clip: of the motion.
        stored: the files of each of its objects.
        contacts: see `touch.touches`.
        frame: from which the person is absent.
    """
    everything = set(stored)
    moved = {i for i in everything if displacement(clip.props_TN7[:, i]).max() > MOVED}
    touched = reached_by_person(contacts, frame)
    supported = resting(stored, clip.props_TN7[frame], anchored=everything - moved - touched)
    return tuple(sorted(moved | (touched - supported)))


def resting(stored: Mapping[int, StoredProp], props_N7: Poses, *, anchored: Set[int]) -> set[int]:
    """Indices of the objects that would stay where they are without any person.

    An object is held up by the floor, by what is anchored and by what is itself held up, if its centre of mass is over
    the area in which it stands on them.

    Args:
        stored: the files of each object.
        props_N7: poses of the objects' own frames.
        anchored: objects that stay anyway.
    """
    supported = set(anchored)
    with placed_bodies(stored) as bodies:
        for i in stored:
            bodies.place(i, props_N7[i])
        footing = {i: _footing(bodies, i, props_N7, stored) for i in stored if i not in anchored}
    growing = True
    while growing:
        growing = False
        for i in sorted(set(footing) - supported):
            points = [point for below, place in footing[i].items() if below in supported | {FLOOR} for point in place]
            if _carries(points, centred(props_N7[i], stored[i].centre_3)[:2]):
                supported.add(i)
                growing = True
    return supported


def _footing(
    bodies: Bodies, index: int, props_N7: Poses, stored: Mapping[int, StoredProp]
) -> dict[int, list[tuple[float, float]]]:
    """Where an object stands on each of the others, x and y in metres."""
    below = [FLOOR, *(i for i in stored if i != index)]
    near = [other for other in below if bodies.between(index, other, GAP)]
    places: dict[int, list[tuple[float, float]]] = {other: [] for other in near}
    for angle in np.linspace(0, 2 * np.pi, TILTS, endpoint=False):
        bodies.place(index, _tilted(props_N7[index], stored[index].centre_3, float(angle)))
        for other in near:
            touches = bodies.between(index, other, GAP)
            places[other] += [touch.position[:2] for touch in touches if touch.normal[2] > UPWARDS]
    bodies.place(index, props_N7[index])
    return places


def _tilted(pose_7: Poses, centre_3: Poses, angle: float) -> Poses:
    """The pose after a small turn about the centre of mass and a horizontal axis."""
    tilt = Rotation.from_rotvec(TILT * np.array([np.cos(angle), np.sin(angle), 0.0]))
    middle_3 = centred(pose_7, centre_3)[:3]
    x, y, z, w = (tilt * Rotation.from_quat(pose_7[[4, 5, 6, 3]])).as_quat()
    return np.array([*(middle_3 + tilt.apply(pose_7[:3] - middle_3)), w, x, y, z])


def _carries(points: list[tuple[float, float]], middle_2: Poses) -> bool:
    if not points:
        return False
    # Relative to the middle, so that single precision is enough.
    hull = cv2.convexHull((np.array(points) - middle_2).astype(np.float32))
    return bool(cv2.pointPolygonTest(hull, (0.0, 0.0), True) >= -SLACK)
