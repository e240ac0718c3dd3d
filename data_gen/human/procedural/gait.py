"""Walking, turning and standing: where the hips and the feet are. A foot on the floor stays exactly where it is.

A place is (x, y, heading): metres and radians; at heading 0 the figure faces -Y. Shape legend: T frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FPS = 30.0
SIDES = ("Left", "Right")
LIFT = 0.07
"""Metres by which a foot is raised in a step."""
CLOSING = 0.45
"""Seconds of the step that brings the feet together."""

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gait:
    """Hips and feet at each frame."""

    root_T3: Points
    """Place of the hips."""
    feet_T5: dict[str, Points]
    """x, y, lift above the floor, heading and pitch (toes down) of each foot."""
    swing_T: Points
    """How far the left arm swings forward, radians; the right one as far backward."""

    @property
    def frames(self) -> int:
        """T."""
        return len(self.root_T3)


@dataclass(frozen=True)
class _Step:
    side: str
    start: float
    end: float
    goal: tuple[float, float, float]


def ramp(times_T: Points, start: float, end: float) -> Points:
    """From 0 before `start` to 1 after `end` with minimum jerk."""
    share_T = np.clip((times_T - start) / (end - start), 0.0, 1.0)
    return np.asarray(share_T**3 * (10 - 15 * share_T + 6 * share_T**2))


def heading_to(start: tuple[float, ...], end: tuple[float, ...]) -> float:
    """Heading from one point to another."""
    return math.atan2(end[0] - start[0], -(end[1] - start[1]))


class Walker:
    """Strings together standing, turning and walking; `now` is the time so far in seconds."""

    def __init__(self, place: tuple[float, float, float], height: float) -> None:
        self.now = 0.0
        self.place = place
        self._height = height
        self._start = place
        self._steps: list[_Step] = []
        self._roots: list[tuple[float, float, float, float]] = [(0.0, *place)]
        self._side = 0

    def stand(self, seconds: float) -> None:
        """Stay."""
        self.now += seconds
        self._roots.append((self.now, *self.place))

    def turn(self, heading: float) -> None:
        """Turn on the spot, in steps."""
        way = math.remainder(heading - self.place[2], 2 * math.pi)
        count = max(1, math.ceil(abs(way) / 0.8))
        self._side = 0 if way > 0 else 1
        x, y, first = self.place
        for k in range(count):
            share = first + way * (k + 1) / count
            self._root_line((x, y, share), 2 * CLOSING)
            for half in (0, 1):
                self._step(self.now + half * CLOSING, self.now + (half + 1) * CLOSING, (x, y, share))
            self.now += 2 * CLOSING
        self.place = (x, y, first + way)

    def walk(self, distance: float, speed: float) -> None:
        """Go straight ahead (backward, if `distance` is negative) and bring the feet together."""
        x, y, heading = self.place
        stride = 0.33 * self._height * (1.0 if distance > 0 else 0.7)
        count = max(1, round(abs(distance) / stride))
        seconds = abs(distance) / speed + 0.4

        def at(share: float) -> tuple[float, float, float]:
            way = distance * min(max(share / count, 0.0), 1.0)
            return x + way * math.sin(heading), y - way * math.cos(heading), heading

        fine = np.linspace(0.0, 1.0, 200)
        # Speeds up over the first fifth, slows down over the last.
        pace = np.clip(np.minimum(fine, 1 - fine) / 0.2, 0.02, 1.0)
        gone = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2)])
        gone /= gone[-1]
        times = np.interp(np.arange(count + 1) / count, gone, fine) * seconds + self.now
        for k in range(count):
            self._step(float(times[k]), float(times[k + 1]), at(k + 1.5))
        self._roots += [(self.now + share * seconds, *at(way * count)) for share, way in zip(fine, gone, strict=True)]
        self.now += seconds
        self.place = at(count)
        self._step(self.now, self.now + CLOSING, self.place)
        self.stand(CLOSING)

    def gait(self) -> Gait:
        """All of it at 30 frames a second."""
        times_T = np.arange(round(self.now * FPS) + 1) / FPS
        table = np.array(self._roots)
        root_T3 = np.stack([np.interp(times_T, table[:, 0], table[:, k]) for k in (1, 2, 3)], axis=-1)
        feet = {side: self._foot(side, times_T) for side in SIDES}
        ahead_T2 = np.stack([np.sin(root_T3[:, 2]), -np.cos(root_T3[:, 2])], axis=-1)
        apart_T = np.sum((feet["Right"][:, :2] - feet["Left"][:, :2]) * ahead_T2, axis=-1)
        return Gait(root_T3, feet, 0.9 * apart_T)

    def _root_line(self, place: tuple[float, float, float], seconds: float) -> None:
        start = self._roots[-1]
        for share in np.linspace(0.1, 1.0, 10):
            smooth = float(ramp(np.array(share), 0.0, 1.0))
            here = [a + smooth * (b - a) for a, b in zip(start[1:], place, strict=True)]
            self._roots.append((self.now + float(share) * seconds, here[0], here[1], here[2]))

    def _step(self, start: float, end: float, goal: tuple[float, float, float]) -> None:
        self._steps.append(_Step(SIDES[self._side], start, end, goal))
        self._side = 1 - self._side

    def _foot(self, side: str, times_T: Points) -> Points:
        foot_T5 = np.tile([*self._stance(side, self._start)[:2], 0.0, self._start[2], 0.0], (len(times_T), 1))
        for step in (step for step in self._steps if step.side == side):
            goal_3 = self._stance(side, step.goal)
            share_T = np.clip((times_T - step.start) / (step.end - step.start), 0.0, 1.0)
            smooth_T = ramp(times_T, step.start, step.end)
            moving_T = (share_T > 0) & (share_T < 1)
            begin_3 = foot_T5[-1, [0, 1, 3]].copy()
            places_T3 = begin_3 + smooth_T[:, None] * (goal_3 - begin_3)
            foot_T5[:, [0, 1, 3]] = np.where((share_T > 0)[:, None], places_T3, foot_T5[:, [0, 1, 3]])
            far = min(float(np.linalg.norm(goal_3[:2] - begin_3[:2])) / 0.5, 1.0)
            foot_T5[:, 4] = np.where(moving_T, 0.4 * far * np.sin(np.pi * share_T) * (1 - share_T), foot_T5[:, 4])
            bow_T = LIFT * (0.4 + 0.6 * far) * np.sin(np.pi * share_T)
            foot_T5[:, 2] = np.where(moving_T, bow_T, foot_T5[:, 2])
        return foot_T5

    def _stance(self, side: str, place: tuple[float, float, float]) -> Points:
        wide = 0.055 * self._height * (1 if side == "Left" else -1)
        return np.array([place[0] + wide * math.cos(place[2]), place[1] + wide * math.sin(place[2]), place[2]])
