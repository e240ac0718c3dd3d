"""Scenes of a person who handles objects: the clip is played back, and simulated without the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.human.cast import cast, chosen_sequences, of_split
from data_gen.human.config import MOTION_CACHE, PROP_CACHE
from data_gen.human.counterfactual import counterfactual_world
from data_gen.human.factual import factual_world
from data_gen.human.looks import figure_colors
from data_gen.human.motion import Motion, SequenceError
from data_gen.human.physics_config import read_physics_config
from data_gen.human.props import PropStore, StoredProp
from data_gen.human.sample import HumanDraw, Take, draw_removal, draw_starts, sample_scene
from data_gen.human.sources import open_source
from data_gen.human.support import dynamic_props
from data_gen.human.timeline import retime, steadied
from data_gen.human.touch import touches
from data_gen.human.workshop import HumanWorkshop
from data_gen.quota import Place
from data_gen.scene.accept import Reason, Verdict, judge
from data_gen.scene.config import AcceptConfig
from data_gen.scene.simulate import World
from data_gen.scene.spec import PersonSpec, SceneSpec
from data_gen.scene.workshop import Workshop
from data_gen.seeds import Rng, generator
from data_gen.simulator import HUMAN, RefusedError

SQUEEZED = "squeezed"
REMEMBERED = 4
"""Motions that a process keeps."""


class HumanSimulator:
    """See `data_gen.simulator.Simulator`.

    Args:
        config: of the scenes.
        library: all assets.

    Raises:
        InputError: the folder of the motions or the override of the physics is missing or bad.
    """

    def __init__(self, config: SceneConfig, library: Library) -> None:
        self._config = config
        self._library = library
        cache = Path(library.config.root)
        self._source = open_source(config.motion, config.human, cache / MOTION_CACHE)
        self._sequences = chosen_sequences(self._source, config.human)
        self._physics = read_physics_config(config.human.physics_config) if config.human.physics_config else None
        self._store = PropStore(cache / PROP_CACHE)
        self._recording = lru_cache(REMEMBERED)(self._read)
        self._take = lru_cache(REMEMBERED)(self._play)

    @property
    def limits(self) -> AcceptConfig:
        """By which scenes are accepted."""
        return self._config.human.accept

    def sample(self, place: Place, *, seed: int, index: int, attempt: int) -> SceneSpec:
        """Draw a scene. Raises RefusedError: its sequence cannot be used, or hands miss what they hold."""
        human = self._config.human
        sequences = of_split(self._sequences, human.held_out, place.split)
        sequence, character, variant = cast(place, sequences, self._source, human, seed=seed, attempt=attempt)

        def streams(name: str) -> Rng:
            return generator(seed, index, attempt, name)

        try:
            motion, _ = self._recording(sequence, character)
            if motion.hold_error > human.max_hold_error:
                raise RefusedError(Reason.missed_hold.name)
            starts = draw_starts(self._config, motion, streams("start"))
            removal = draw_removal(human, self._config.frames, streams("removal"))
            start, take, dynamic = self._window(sequence, character, starts, removal)
        except SequenceError as error:
            raise RefusedError(Reason.bad_sequence.name, {sequence: f"{error.problem}; {error.remedy}"}) from error
        person = PersonSpec(
            motion=self._config.motion,
            sequence=sequence,
            character=character,
            start=start,
            squeezed=human.time == SQUEEZED,
            removal_frame=removal,
            colors=figure_colors(motion.skin, streams("figure")),
        )
        draw = HumanDraw(place.family, seed, index, attempt, streams, variant)
        return sample_scene(self._config, self._library.split(place.split), take, person, dynamic, draw)

    def workshop(self, spec: SceneSpec, split: str) -> Workshop:
        """What makes the objects of a drawn scene."""
        motion, stored = self._recording(*_played(spec))
        textures = self._config.human.room.textures
        return HumanWorkshop(self._library.split(split), motion, stored, Path(textures) if textures else None)

    def simulate(self, spec: SceneSpec, workshop: Workshop, scratch: Path) -> tuple[World, World]:
        """The world of the clip, and the one without the person."""
        assert spec.person is not None
        person = spec.person
        take = self._take(*_played(spec), person.start, spec.frames, spec.fps, person.squeezed)
        full = factual_world(spec, take.clip, take.stored, take.contacts)
        return full, counterfactual_world(spec, full, take.clip, take.stored, workshop, scratch)

    def judge(self, spec: SceneSpec, full: World, without: World) -> Verdict:
        """Whether the scene is worth rendering; also measures `hold_error`, in metres."""
        window = self._config.families.human.contact_window
        verdict = judge(spec, full, without, self.limits, contact_window=window, changes=True)
        motion, _ = self._recording(*_played(spec))
        return replace(verdict, measured=verdict.measured | {"hold_error": motion.hold_error})

    def group(self, spec: SceneSpec) -> str:
        """All scenes of a sequence are one group."""
        assert spec.person is not None
        return f"{HUMAN}:{spec.person.motion}:{spec.person.sequence}"

    def _read(self, sequence: str, character: str | None) -> tuple[Motion, dict[int, StoredProp]]:
        motion = self._source.read(sequence, character)
        return motion, {i: self._store.add(prop) for i, prop in enumerate(motion.props)}

    def _play(self, sequence: str, character: str | None, start: float, frames: int, fps: int, squeezed: bool) -> Take:
        motion, stored = self._recording(sequence, character)
        clip = steadied(retime(motion, start=start, frames=frames, fps=fps, squeezed=squeezed))
        return Take(motion, stored, clip, touches(motion, clip, stored))

    def _window(
        self, sequence: str, character: str | None, starts: Sequence[float], removal: int
    ) -> tuple[float, Take, tuple[int, ...]]:
        """Start of the first window in which something falls or is moved, or of the last one, and what may fall there:
        what the override file lists, else what was inferred."""
        config = self._config
        squeezed = config.human.time == SQUEEZED
        for start in starts:
            take = self._take(sequence, character, start, config.frames, config.fps, squeezed)
            dynamic = dynamic_props(take.clip, take.stored, take.contacts, frame=removal)
            if dynamic:
                break
        listed = self._physics.dynamic(take.motion) if self._physics else None
        return start, take, dynamic if listed is None else listed


def _played(spec: SceneSpec) -> tuple[str, str | None]:
    assert spec.person is not None
    return spec.person.sequence, spec.person.character
