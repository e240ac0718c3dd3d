"""Captions: short, of the counterfactual, silent about what was removed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from two_boxes import FRAMES, SPEC, still, thing

from data_gen.rigid.assets import KINDS
from data_gen.rigid.caption import MAX_BYTES, caption
from data_gen.rigid.palette import FLOOR_COLORS, OBJECT_COLORS
from data_gen.rigid.simulate import Contact, World
from data_gen.rigid.spec import Role, SceneSpec

UPRIGHT = np.tile([1.0, 0.0, 0.0, 0.0], (FRAMES, 1))


def scene(*others: Role) -> SceneSpec:
    """The target, a removed object, and others."""
    colors = iter(("green", "purple", "orange"))
    return replace(
        SPEC, objects=(*SPEC.objects, *(replace(thing(role, 1.0), color=next(colors), kind="can") for role in others))
    )


def world(spec: SceneSpec, moving: tuple[int, ...] = (), contacts: tuple[Contact, ...] = ()) -> World:
    positions = {i: still(float(i)) for i in spec.survivors}
    for i in moving:
        positions[i][:, 0] += np.linspace(0, 2, FRAMES)
    return World(positions, dict.fromkeys(positions, UPRIGHT), contacts)


HIT = (Contact(3.0, 0, 2, 1.0),)
CASES = [
    (scene(), (), (), "A red box stands still on a grey floor."),
    (scene("launched"), (0, 2), HIT, "A green can hits a red box on a grey floor."),
    (scene("launched"), (2,), (), "A green can passes a red box on a grey floor."),
    (scene("resting"), (), (), "A green can stands beside a red box on a grey floor."),
    (scene("launched", "resting"), (0, 2), HIT, "A red box is hit while others move on a grey floor."),
    (scene("launched", "resting"), (2,), (), "A red box stands while others move on a grey floor."),
    (scene("resting", "resting"), (), (), "A red box stands among others on a grey floor."),
]


@pytest.mark.parametrize(("spec", "moving", "contacts", "expected"), CASES, ids=[case[-1] for case in CASES])
def test_captions(spec: SceneSpec, moving: tuple[int, ...], contacts: tuple[Contact, ...], expected: str) -> None:
    text = caption(spec, world(spec, moving, contacts))
    assert text == expected
    assert "blue" not in text


def test_no_combination_of_names_is_too_long() -> None:
    for kind, color, floor in itertools.product(KINDS, OBJECT_COLORS, FLOOR_COLORS):
        spec = scene("resting")
        objects = tuple(replace(item, kind=kind, color=color) for item in spec.objects)
        spec = replace(spec, objects=objects, floor=replace(spec.floor, color=floor))
        assert len(caption(spec, world(spec)).encode()) <= MAX_BYTES
