"""One short sentence for the world without the removed objects. It names nothing that was removed."""

from __future__ import annotations

import numpy as np

from data_gen.rigid.simulate import World
from data_gen.rigid.spec import ObjectSpec, SceneSpec

MAX_BYTES = 90
MOVING = 0.15
"""Metres an object must travel to count as moving."""


def caption(spec: SceneSpec, without: World) -> str:
    """Describe the counterfactual: the target, what becomes of it, its company and the floor; at most 90 bytes."""
    others = [i for i in spec.survivors if i != spec.target]
    moving = any(_travels(without, i) for i in others)
    hit = _travels(without, spec.target) and without.first_contact([spec.target], others) is not None
    target = _name(spec.objects[spec.target])
    if not others:
        event = f"{target} stands still"
    elif len(others) == 1:
        verb = "hits" if hit else "passes" if moving else "stands beside"
        event = f"{_name(spec.objects[others[0]])} {verb} {target}"
    else:
        event = f"{target} {'is hit' if hit else 'stands'} {'while others move' if moving else 'among others'}"
    sentence = f"{event} on {_article(spec.floor.color)} {spec.floor.color} floor."
    sentence = sentence[0].upper() + sentence[1:]
    assert len(sentence.encode()) <= MAX_BYTES, sentence
    return sentence


def _name(item: ObjectSpec) -> str:
    return f"{_article(item.color)} {item.color} {item.kind}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _travels(world: World, index: int) -> bool:
    positions_T3 = world.positions[index]
    return bool(np.linalg.norm(positions_T3 - positions_T3[0], axis=-1).max() > MOVING)
