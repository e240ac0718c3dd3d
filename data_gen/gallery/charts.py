"""Charts of the statistics page as numbers: where bars, ticks and labels stand, in SVG units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

WIDTH, HEIGHT = 360, 170
LEFT, RIGHT, TOP, BOTTOM = 34, 352, 10, 142
BINS = 20
_STEPS = (1, 2, 2.5, 5, 10)
_MOST_TICKS = 5
_WIDEST = 30


@dataclass(frozen=True)
class Column:
    """One bar of a histogram, with what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Histogram:
    """A distribution."""

    title: str
    unit: str
    columns: list[Column]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    summary: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart."""

    label: str
    count: int
    share: float
    """Of the longest bar."""
    color: str = ""
    """CSS; empty: the page's own."""


@dataclass(frozen=True)
class Bars:
    """Counts by name."""

    title: str
    bars: list[Bar]
    rest: int
    """Names that are not shown."""


def histogram(
    title: str, values: Sequence[float], *, unit: str = "", whole: bool = False, low: float | None = None
) -> Histogram | None:
    """The distribution of values.

    Args:
        title: of the chart.
        values: numbers; None is returned where there are none.
        unit: of the values; "%" shows fractions as percentages.
        whole: values are whole numbers: one column each, as long as these are few.
        low: left end of the axis, where it is not the least value.
    """
    if not values:
        return None
    scale = 100.0 if unit == "%" else 1.0
    numbers = [value * scale for value in values]
    edges = _whole_edges(numbers) if whole else _edges(min(numbers) if low is None else low * scale, max(numbers))
    counts = [0] * (len(edges) - 1)
    for value in numbers:
        counts[min(_place(edges, value), len(counts) - 1)] += 1
    start, end = edges[0], edges[-1]

    def across(value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (value - start) / (end - start), 1)

    highest = max(counts)
    y_step = max(1, math.ceil(_tick_step(highest)))
    top = math.ceil(highest / y_step) * y_step
    columns = []
    for count, lower, upper in zip(counts, edges, edges[1:], strict=False):
        height = (BOTTOM - TOP) * count / top
        name = f"{round((lower + upper) / 2):d}" if whole and upper - lower == 1 else f"{lower:.3g} to {upper:.3g}"
        place = f"{name} {unit}".strip()
        wide = min(max(0.5, across(upper) - across(lower) - 1), _WIDEST if whole else WIDTH)
        x = (across(lower) + across(upper) - wide) / 2
        columns.append(
            Column(round(x, 1), round(BOTTOM - height, 1), round(wide, 1), round(height, 1), f"{place}: {count:,}")
        )
    return Histogram(
        title=title,
        unit=unit,
        columns=columns,
        x_ticks=[(across(tick), f"{tick:g}") for tick in _ticks(start, end, whole=whole)],
        y_ticks=[(round(BOTTOM - (BOTTOM - TOP) * tick / top, 1), f"{tick:,}") for tick in range(0, top + 1, y_step)],
        summary=_summary(numbers, unit),
    )


def bars(
    title: str, counts: Mapping[str, int], *, most: int = 24, colors: Mapping[str, str] | None = None
) -> Bars | None:
    """Counts by name, the largest first; None where there are none.

    Args:
        title: of the chart.
        counts: by name.
        most: names shown.
        colors: CSS colours of some names.
    """
    if not counts:
        return None
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    longest = ordered[0][1]
    rows = [Bar(name, count, count / longest, (colors or {}).get(name, "")) for name, count in ordered[:most]]
    return Bars(title, rows, max(0, len(ordered) - most))


def _summary(values: Sequence[float], unit: str) -> str:
    largest = max(abs(value) for value in values)

    def shown(value: float) -> str:
        return f"{value if abs(value) > largest / 1000 else 0.0:.3g}"

    ending = unit if unit == "%" else f" {unit}".rstrip()
    parts = [
        f"mean {shown(fmean(values))}{ending}",
        f"median {shown(median(values))}{ending}",
        f"{shown(min(values))} to {shown(max(values))}{ending}",
        f"n = {len(values):,}",
    ]
    return ", ".join(parts)


def _whole_edges(values: Sequence[float]) -> list[float]:
    """One column a number, or several numbers a column where they are many."""
    low, high = math.floor(min(values)), math.ceil(max(values))
    step = math.ceil((high - low + 1) / (2 * BINS))
    count = math.ceil((high - low + 1) / step)
    return [low - 0.5 + step * index for index in range(count + 1)]


def _edges(low: float, high: float) -> list[float]:
    if high <= low:
        low, high = low - 0.5, low + 0.5
    step = _tick_step(high - low) / 4
    first, last = math.floor(low / step), math.ceil(high / step - 1e-9)
    return [step * index for index in range(first, last + 1)]


def _place(edges: Sequence[float], value: float) -> int:
    return max(0, math.floor((value - edges[0]) / (edges[1] - edges[0]) + 1e-9))


def _ticks(low: float, high: float, *, whole: bool) -> list[float]:
    step = _tick_step(high - low)
    if whole:
        step = max(1, math.ceil(step))
    return [round(step * index, 10) for index in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def _tick_step(span: float) -> float:
    """A round number that goes into a span at most five times."""
    rough = max(span, 1e-9) / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough - 1e-12)
