"""Who was reached by a removed object: along contacts, in order of time."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from two_boxes import SPEC, thing

from data_gen.scene.influence import acts, reached
from data_gen.scene.simulate import FLOOR, WALLS, Contact, World

# Objects: 0 target, 1 removed, 2 and 3 bystanders.
CHAIN = replace(SPEC, objects=(*SPEC.objects, thing("bystander", 3.0), thing("bystander", 4.0)))
NEVER = math.inf


def world(*contacts: tuple[float, int, int]) -> World:
    return World({}, {}, tuple(Contact(frame, first, second, 1.0) for frame, first, second in contacts))


def test_effects_pass_from_one_to_the_next() -> None:
    full = world((1.0, 0, 1), (2.0, 0, 2), (3.0, 2, 3))
    assert reached(CHAIN, full, world()) == {0: 1.0, 2: 2.0, 3: 3.0}


def test_an_earlier_contact_passes_nothing_on() -> None:
    assert reached(CHAIN, world((1.0, 0, 2), (2.0, 0, 1)), world()) == {0: 2.0, 2: NEVER, 3: NEVER}


def test_contacts_of_one_step_pass_it_on_in_any_order() -> None:
    assert reached(CHAIN, world((1.0, 2, 3), (1.0, 0, 2), (1.0, 0, 1)), world()) == {0: 1.0, 2: 1.0, 3: 1.0}


def test_the_counterfactual_world_passes_it_on_too() -> None:
    """Not hit by the removed one, the target goes on and meets another."""
    assert reached(CHAIN, world((1.0, 0, 1)), world((4.0, 0, 3))) == {0: 1.0, 2: NEVER, 3: 4.0}


def test_neither_floor_nor_what_is_fixed_passes_it_on() -> None:
    fixed = replace(CHAIN, objects=(*CHAIN.objects[:2], replace(CHAIN.objects[2], static=True), CHAIN.objects[3]))
    full = world((0.0, FLOOR, 1), (0.0, FLOOR, 0), (1.0, 1, 2), (2.0, 2, 3))
    assert reached(fixed, full, world()) == {0: NEVER, 2: NEVER, 3: NEVER}
    assert reached(CHAIN, full, world()) == {0: NEVER, 2: 1.0, 3: 2.0}


def test_a_fixed_obstacle_acts_when_it_is_the_one_removed() -> None:
    wall = replace(CHAIN, objects=(CHAIN.objects[0], replace(CHAIN.objects[1], static=True), *CHAIN.objects[2:]))
    assert reached(wall, world((2.5, 0, 1)), world()) == {0: 2.5, 2: NEVER, 3: NEVER}


@pytest.mark.parametrize(
    ("contacts", "expected"), [(((1.0, 0, 1),), True), (((1.0, FLOOR, 1), (1.0, WALLS, 1)), False), ((), False)]
)
def test_whether_a_removed_object_acts(contacts: tuple[tuple[float, int, int], ...], expected: bool) -> None:
    assert acts(CHAIN, world(*contacts), 1) is expected
