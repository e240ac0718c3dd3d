"""What happens, told object by object in order of time: clauses without setting, capital or full stop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from data_gen.scene.caption import phrases
from data_gen.scene.caption.events import Event, Hit, Motion
from data_gen.scene.caption.phrases import Verb
from data_gen.scene.caption.words import article, ground, listed, noun, number, plural
from data_gen.scene.simulate import FLOOR
from data_gen.scene.spec import SceneSpec

FAR = 0.9
"""Metres from the middle of the scene, along the view, that count as background or foreground."""
LEFT, RIGHT = 0.38, 0.62
TOGETHER = 5
"""Frames within which things that do the same are told of together."""
_SAME = ("motion", "direction", "lands_on", "bounces", "enters", "leaves")
ROW = 3
"""So many things of one kind make a row, in a scene of family chain."""
_DOWN = (Motion.tilts, Motion.topples, Motion.tumbles, Motion.falls)
_ON_ITS_WAY = (Motion.slides, Motion.rolls, Motion.tumbles)


class Story:
    """The clauses of one caption. Names things "a" at first and "the" later.

    Args:
        spec: of the scene.
        happened: events of the objects in the world, by index.
        rng: chooses phrasings.
        brief: main colours only, no consequences.
    """

    def __init__(
        self, spec: SceneSpec, happened: dict[int, Event], rng: np.random.Generator, *, brief: bool = False
    ) -> None:
        self._spec, self._events, self._rng, self._brief = spec, happened, rng, brief
        seen = [i for i, event in happened.items() if event.seen]
        self._seen = seen or list(happened)
        self._mentioned: set[int] = set()
        self._told: set[int] = set()
        self._taken = {noun(spec.objects[i], brief=short) for i in spec.removed for short in (True, False)}
        self._floor = ground(spec.backdrop, brief=True) if brief else "the floor"

    def action(self) -> list[str]:
        """One clause for each thing that moves, unless another's clause tells of it already."""
        clauses = []
        for index in self._active:
            if index not in self._told:
                clauses.append(self._tell(index))
        return clauses

    def plain(self) -> str:
        """Who does what where, in the fewest words."""
        first = [*self._active, *self._seen][0]
        motion = self._events[first].motion
        where = {Motion.falls: "onto", Motion.flies: "over"}.get(motion, "on")
        return f"{self._name(first)} {self._verb(phrases.VERBS[motion], [first])} {where} {self._floor}"

    def company(self, most: int) -> list[str]:
        """Clauses for what stands still and was not mentioned yet; at most `most` names, then a number of others."""
        still = [i for i in self._seen if i not in self._told]
        self._told.update(still)
        on = [i for i in still if self._events[i].on in self._seen]
        clauses = []
        for support in dict.fromkeys(self._events[i].on for i in on):
            assert support is not None
            carried = [i for i in on if self._events[i].on == support][:most]
            clauses.append(
                f"{self._names(carried)} {self._verb(phrases.STANDS_THERE, carried)} on {self._name(support)}"
            )
        free = [i for i in still if i not in on and i not in self._mentioned]
        if free and not clauses:
            clauses.append(self._bystanders(free, most))
        elif free:
            clauses.append(f"{self._names(free[:most])} {self._verb(phrases.VERBS[Motion.stands], free[:most])}")
        return clauses

    def crowd(self) -> str | None:
        """One clause of a few words for all that stands still and was not mentioned."""
        still = [i for i in self._seen if i not in self._told and i not in self._mentioned]
        if not still:
            return None
        some = "another object" if len(still) == 1 else f"{number(len(still))} other objects"
        return f"{some} {self._verb(phrases.VERBS[Motion.stands], still)}"

    @property
    def _active(self) -> list[int]:
        """What moves, in order of time."""
        targets = self._spec.targets
        active = [i for i in self._seen if self._events[i].motion is not Motion.stands]
        return sorted(active, key=lambda i: (self._events[i].onset, i not in targets, i))

    def _tell(self, index: int) -> str:
        event = self._events[index]
        if self._row(index):
            return self._tell_row(index)
        peers = self._peers(index)
        self._told.update(peers)
        deeds = [f"{self._names(peers)} {self._course(index, peers)}"]
        if event.lands_on in self._seen and event.lands_on is not None:
            if event.motion is Motion.flies:
                deeds.append(f"{self._verb(phrases.HITS, peers)} {self._struck(event.lands_on)}")
            consequence = self._consequence(index, event.lands_on)
            return listed(deeds if consequence else deeds + self._end(index, peers)) + consequence
        outside = self._outside(index)
        if outside and event.lands_on is None:
            hit = outside[0]
            # What moves already is met, not moved.
            met = self._events[hit.object].onset < hit.frame - 1
            verbs = phrases.COLLIDES if met else self._hit_verbs(hit.object)
            deeds.append(f"{self._verb(verbs, peers)} {self._struck(hit.object)}")
            return listed(deeds) + ("" if met else self._consequence(index, hit.object))
        if event.motion is Motion.flies and event.lands_on == FLOOR:
            deeds.append(f"{self._verb(phrases.LANDS, peers)} on {self._floor}")
        return listed(deeds + self._end(index, peers))

    def _course(self, index: int, subjects: Sequence[int]) -> str:
        """Verb, direction, end of a fall."""
        event = self._events[index]
        words = [self._verb(phrases.VERBS[event.motion], subjects)]
        if event.motion is Motion.falls:
            words.append(self._landing(event, subjects))
        elif event.direction and event.enters and event.motion in (*_ON_ITS_WAY, Motion.flies):
            words.append(phrases.FROM[event.direction])
        else:
            if event.motion is Motion.flies:
                words.append("through the air")
            if event.direction:
                words.append(self._choice(phrases.TOWARDS[event.direction]))
        return " ".join(words)

    def _landing(self, event: Event, subjects: Sequence[int]) -> str:
        if event.lands_on in self._seen and event.lands_on is not None:
            return f"onto {self._struck(event.lands_on)}"
        if event.lands_on == FLOOR:
            return f"onto {self._floor}" if self._brief else "to the floor"
        if event.on is not None and event.on in self._told and self._falls_with(event.on, subjects):
            return f"with {self._name(event.on)}"
        return "down"

    def _falls_with(self, support: int, subjects: Sequence[int]) -> bool:
        """Whether all of these stood on something that falls."""
        falls = self._events[support].motion is Motion.falls
        return falls and all(self._events[index].on == support for index in subjects)

    def _consequence(self, striker: int, struck: int) -> str:
        """What becomes of what was hit, as a relative clause."""
        event = self._events[struck]
        if self._brief or struck in self._told:
            return ""
        if self._row(struck):
            return f", {self._of_which(struck)}"
        self._told.add(struck)
        if event.motion is Motion.stands:
            return f", which {self._verb(phrases.STAYS, [struck])}" if self._rng.random() < 0.5 else ""
        if event.motion is Motion.topples and self._events[striker].motion in _ON_ITS_WAY:
            return ""
        deeds = [self._course(struck, [struck])]
        further = [hit for hit in self._outside(struck) if hit.object != striker]
        if event.lands_on is None and further:
            deeds.append(f"{self._verb(phrases.STRIKES, [struck])} {self._struck(further[0].object)}")
        return f", which {listed(deeds)}"

    def _end(self, index: int, subjects: Sequence[int]) -> list[str]:
        """How a motion ends, if there is something to say of it."""
        event = self._events[index]
        if event.bounces:
            return [self._verb(phrases.BOUNCES, subjects)]
        if self._brief:
            return []
        if event.leaves:
            return [self._verb(phrases.LEAVES, subjects)]
        if event.rests and event.motion in _ON_ITS_WAY:
            return [self._verb(phrases.COMES_TO_REST, subjects)]
        return []

    def _outside(self, index: int) -> list[Hit]:
        """Visible things of another name that it runs into."""
        return [
            hit for hit in self._events[index].hits if hit.object in self._seen and not self._alike(index, hit.object)
        ]

    def _tell_row(self, index: int) -> str:
        group = self._group(index)
        self._mentioned.update(group)
        row = f"{number(len(group))} {plural(self._noun(index))} in a row"
        return self._course_of_row(group, row, f"of {row}")

    def _of_which(self, index: int) -> str:
        """What becomes of a row, as a relative clause."""
        return self._course_of_row(self._group(index), "which", "of which")

    def _course_of_row(self, group: list[int], whole: str, part: str) -> str:
        """`whole` and `part` are subjects: all of the row, and some number "of the row"."""
        self._told.update(group)
        still = [i for i in group if self._events[i].motion is Motion.stands]
        down = [i for i in group if self._events[i].motion in _DOWN]
        if not down:
            verbs = phrases.STAYS_UP if len(still) == len(group) else phrases.MOVES
            return f"{whole} {self._verb(verbs, group)}"
        falls_over = self._verb(phrases.VERBS[Motion.topples], down)
        if len(down) > 1:
            falls_over += f" {self._choice(phrases.TOGETHER)}"
        if len(down) == len(group):
            return f"{whole} {falls_over}"
        clause = f"{number(len(down))} {part} {falls_over}"
        if self._brief or len(down) + len(still) < len(group):
            return clause
        others = "the other one" if len(still) == 1 else f"the other {number(len(still))}"
        return f"{clause} while {others} {self._verb(phrases.STAYS_UP, still)}"

    def _bystanders(self, free: list[int], most: int) -> str:
        groups = dict.fromkeys(self._noun(i) for i in free)
        named = [i for i in free if self._noun(i) in list(groups)[:most]]
        others = len(free) - len(named)
        names = self._parts(named)
        if others:
            names.append("another object" if others == 1 else f"{number(others)} other objects")
        where = self._place(free[0]) if len(free) == 1 else ""
        verbs = phrases.STANDS_THERE if where else phrases.VERBS[Motion.stands]
        return f"{listed(names)} {self._verb(verbs, free)}{where}"

    def _place(self, index: int) -> str:
        x, behind = self._events[index].place
        side = "on the left" if x < LEFT else "on the right" if x > RIGHT else "in the middle"
        depth = " of the background" if behind > FAR else " of the foreground" if behind < -FAR else ""
        if depth and side != "in the middle":
            depth = depth.replace(" of ", " in ")
        return f" {side}{depth}"

    def _hit_verbs(self, struck: int) -> tuple[Verb, ...]:
        motion = self._events[struck].motion
        if motion is Motion.topples and not self._row(struck):
            return phrases.KNOCKS_OVER
        return phrases.BUMPS if motion is Motion.stands else phrases.STRIKES

    def _struck(self, index: int) -> str:
        """An object, or the row of which it is part."""
        group = self._group(index)
        if self._row(index) and not self._mentioned.intersection(group):
            self._mentioned.update(group)
            return f"a row of {number(len(group))} {plural(self._noun(index))}"
        return self._name(index)

    def _row(self, index: int) -> bool:
        return self._spec.family == "chain" and len(self._group(index)) >= ROW

    def _peers(self, index: int) -> list[int]:
        """The thing itself, and others not told of yet that do just the same at about the same time."""
        if self._outside(index) or self._events[index].lands_on in self._seen:
            return [index]
        own = self._events[index]
        return [index] + [
            i
            for i in self._active
            if i != index
            and i not in self._told
            and not self._row(i)
            and not self._outside(i)
            and abs((other := self._events[i]).onset - own.onset) <= TOGETHER
            and all(getattr(other, name) == getattr(own, name) for name in _SAME)
            and (other.rests == own.rests or own.motion not in _ON_ITS_WAY)
        ]

    def _alike(self, first: int, second: int) -> bool:
        return self._noun(first) == self._noun(second)

    def _group(self, index: int) -> list[int]:
        return [i for i in self._seen if self._alike(i, index)]

    def _noun(self, index: int) -> str:
        item = self._spec.objects[index]
        words = noun(item, brief=self._brief)
        # A short name must not be that of something removed which looks otherwise.
        return noun(item) if words in self._taken else words

    def _name(self, index: int) -> str:
        words, group = self._noun(index), self._group(index)
        known, namesake = index in self._mentioned, bool(self._mentioned.intersection(group))
        self._mentioned.add(index)
        if known:
            return f"the {words}" if self._mentioned.intersection(group) == {index} else f"one of the {plural(words)}"
        return f"another {words}" if namesake else f"{article(words)} {words}"

    def _names(self, indices: Iterable[int]) -> str:
        return listed(self._parts(indices))

    def _parts(self, indices: Iterable[int]) -> list[str]:
        """Names of several objects, those of one name together."""
        groups: dict[str, list[int]] = {}
        for index in indices:
            groups.setdefault(self._noun(index), []).append(index)
        parts = []
        for words, members in groups.items():
            if len(members) == 1:
                parts.append(self._name(members[0]))
                continue
            total = len(self._group(members[0]))
            known = self._mentioned.issuperset(members)
            share = number(len(members)) if len(members) == total else f"{number(len(members))} of {number(total)}"
            self._mentioned.update(members)
            parts.append(f"{'the ' if known else ''}{share} {plural(words)}")
        return parts

    def _verb(self, verbs: Sequence[Verb], subjects: Sequence[int]) -> str:
        return verbs[int(self._rng.integers(len(verbs)))][len(subjects) > 1]

    def _choice(self, options: Sequence[str]) -> str:
        return options[int(self._rng.integers(len(options)))]
