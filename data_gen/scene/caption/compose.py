"""The whole caption: the story, the setting and the camera, within its length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from data_gen.scene.caption import phrases
from data_gen.scene.caption.events import Event, events
from data_gen.scene.caption.story import Story
from data_gen.scene.caption.words import ground, sentence
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from data_gen.seeds import generator

MAX_BYTES = 90
"""Of a short caption."""
MIN_WORDS, MAX_WORDS = 15, 60
"""Of a full caption."""
_LONG_NAMES = "a scene of several objects"


def caption(spec: SceneSpec, without: World, style: str = "full") -> str:
    """Describe the counterfactual clip.

    Args:
        spec: of the scene.
        without: the world without the removed objects.
        style: "full": 15 to 60 words, with setting, light and camera; "short": one sentence of at most 90 bytes.
    """
    happened = events(spec, without)
    return _short(spec, happened) if style == "short" else _full(spec, happened)


def _full(spec: SceneSpec, happened: dict[int, Event]) -> str:
    rng = _rng(spec)
    light = f" {_choose(rng, _light(spec))}"
    camera = _choose(rng, phrases.CAMERA[spec.camera.motion])
    opens = rng.random() < 0.6
    setting = _choose(rng, phrases.SETTING)
    state = rng.bit_generator.state
    # Ever less of the company, then of the light, then of the action.
    for most, lit, actions in ((3, True, 9), (2, True, 9), (0, True, 9), (0, True, 3), (0, False, 2), (0, False, 1)):
        rng.bit_generator.state = state
        story = Story(spec, happened, rng)
        clauses = story.action()[:actions]
        clauses += story.company(most) if most else [clause for clause in [story.crowd()] if clause]
        text = _with_setting(spec, clauses, setting, light if lit else "", camera, opens=opens)
        if len(text.split()) <= MAX_WORDS:
            return text
    return sentence(f"{_LONG_NAMES} moves on {ground(spec.backdrop, brief=True)}{light}, and {camera}")


def _with_setting(
    spec: SceneSpec, clauses: Sequence[str], setting: str, light: str, camera: str, *, opens: bool
) -> str:
    floor = ground(spec.backdrop)
    if opens:
        first, *others = clauses
        told = [f"on {floor}{light}, {first}", *others]
    else:
        told = [*clauses, setting.format(ground=floor, light=light)]
    return " ".join(sentence(clause) for clause in [*told, camera])


def _short(spec: SceneSpec, happened: dict[int, Event]) -> str:
    for text in _ever_shorter(spec, happened):
        if len(text.encode()) <= MAX_BYTES:
            return text
    return sentence(f"{_LONG_NAMES} on a floor")


def _ever_shorter(spec: SceneSpec, happened: dict[int, Event]) -> Iterator[str]:
    floor = ground(spec.backdrop, brief=True)
    state = (rng := _rng(spec)).bit_generator.state
    for most in (2, 1):
        rng.bit_generator.state = state
        story = Story(spec, happened, rng, brief=True)
        clause = (story.action() or story.company(most))[0]
        yield sentence(clause if floor in clause else f"{clause} on {floor}")
        yield sentence(clause)
    yield sentence(Story(spec, happened, rng, brief=True).plain())


def _light(spec: SceneSpec) -> Sequence[str]:
    """What may be said of the light; between walls, the name of a sky that is not seen would read as a second place."""
    room = spec.backdrop.room
    if room is not None and room.sides:
        return phrases.SUNLIGHT if spec.light.sun else phrases.DAYLIGHT
    for word, options in phrases.LIGHT.items():
        if word in spec.light.sky:
            return options
    return phrases.SUNLIGHT if spec.light.sun else phrases.DAYLIGHT


def _rng(spec: SceneSpec) -> np.random.Generator:
    return generator(spec.seed, spec.index, spec.attempt, "caption")


def _choose(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]
