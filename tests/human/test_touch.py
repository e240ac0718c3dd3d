"""Contacts in a recorded clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tabletop import HAND, as_prop, box, motion_of, person, still

from data_gen.assets.solids import block
from data_gen.human.bodies import capsules_of, placed_bodies
from data_gen.human.motion import Motion
from data_gen.human.props import PropStore
from data_gen.human.timeline import Clip
from data_gen.human.touch import PERSON, reached_by_person, touches
from data_gen.scene.simulate import Contact

FRAMES = 5


def contacts_of(motion: Motion, folder: Path) -> tuple[Contact, ...]:
    stored = {i: PropStore(folder).add(prop) for i, prop in enumerate(motion.props)}
    return touches(motion, Clip(motion.joints_TJ7, motion.props_TN7), stored)


def partners(contacts: tuple[Contact, ...]) -> set[tuple[float, int, int]]:
    return {(contact.frame, contact.first, contact.second) for contact in contacts}


def test_capsules_fit_the_skin() -> None:
    skeleton, skin, _ = person(still(0, 0, 1, 2)[:, :3])
    capsules = capsules_of(skeleton, skin)
    assert [capsule.joint for capsule in capsules] == [0, 1, 2]
    for capsule in capsules:
        assert capsule.radius == pytest.approx(0.035, abs=0.006)
        assert capsule.middle == pytest.approx(0, abs=1e-9)
        assert capsule.length / 2 + capsule.radius == pytest.approx(0.05, abs=0.012)


def test_a_capsule_lies_along_its_bone(tmp_path: Path) -> None:
    """A forearm of 30 cm along +Y, turned so that it points along the world's x."""
    skeleton, skin, _ = person(still(0, 0, 1, 2)[:, :3])
    stretched_V3 = skin.vertices_V3.copy()
    hand_V = skin.joints_V4[:, 0] == HAND
    stretched_V3[hand_V, 1] = (stretched_V3[hand_V, 1] + 0.04) * 0.30 / 0.08
    long_skin = type(skin)(**{**vars(skin), "vertices_V3": stretched_V3})
    capsules = capsules_of(skeleton, long_skin)
    stored = {0: PropStore(tmp_path).add(box())}
    with placed_bodies(stored) as bodies:
        figure = bodies.add_figure(capsules)
        joints_J7 = np.array(skeleton.rest_J7)
        joints_J7[HAND] = [0, 0, 1.0, np.sqrt(0.5), 0, 0, -np.sqrt(0.5)]
        bodies.place_figure(figure, capsules, joints_J7)
        for x, touching in ((0.33, True), (0.38, False), (-0.04, True), (-0.12, False)):
            bodies.place(0, np.array([x, 0, 0.95, 1, 0, 0, 0]))
            assert bodies.reaches(figure[HAND], 0, 0.01) == touching
        bodies.place(0, np.array([0, 0.3, 0.95, 1, 0, 0, 0]))
        assert not bodies.reaches(figure[HAND], 0, 0.01)


def test_contacts_have_their_frames(tmp_path: Path) -> None:
    """The hand comes along x and reaches a box that stands on a plate at frame 3; another box stands apart."""
    plate = as_prop(block(40, 40, 2), "tray")
    hand_T3 = np.stack([[0.05 + 0.035 + 0.05 * (3 - t) if t < 3 else 0.085, 0, 0.07] for t in range(FRAMES)])
    paths = [still(0, 0, 0, FRAMES), still(0, 0, 0.02, FRAMES), still(3, 0, 0, FRAMES)]
    contacts = contacts_of(motion_of([plate, box(), box(name="far")], paths, hand_T3), tmp_path)
    expected = {(float(t), 0, 1) for t in range(FRAMES)} | {(3.0, PERSON, 1), (4.0, PERSON, 1)}
    assert partners(contacts) == expected and all(contact.force == 0 for contact in contacts)
    assert reached_by_person(contacts, 2.0) == set() and reached_by_person(contacts, 3.0) == {0, 1}


def test_what_moves_without_a_touch_was_moved_by_the_person(tmp_path: Path) -> None:
    path_T7 = still(0, 0, 0.5, FRAMES)
    path_T7[3:, 2] += 0.1
    contacts = contacts_of(motion_of([box()], [path_T7], still(0, 2, 1, FRAMES)[:, :3]), tmp_path)
    assert partners(contacts) == {(2.0, PERSON, 0)}
