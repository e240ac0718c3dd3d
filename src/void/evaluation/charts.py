"""The line chart of the noise page: where its lines, ticks and labels stand, in SVG units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from void.evaluation.noise_statistics import BAND

WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 408, 24, 176
LOWEST, HIGHEST = -0.1, 1.0
MOST_TICKS = 8


@dataclass(frozen=True)
class LineChart:
    """Geometry of the chart; `along` and `in_place` are `points` of polylines."""

    along: str
    in_place: str
    band_top: float
    band_height: float
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM


def line_chart(along: Sequence[float | None], in_place: Sequence[float | None], samples: int) -> LineChart:
    """Correlations over latent frames.

    Args:
        along: along the motion; None is left out.
        in_place: at one place.
        samples: of one latent frame: unrelated noise stays within 1.96 / sqrt(samples).
    """
    last = max(1, len(along) - 1)
    band = BAND / math.sqrt(samples)
    step = math.ceil(last / MOST_TICKS)
    return LineChart(
        along=_points(along, last),
        in_place=_points(in_place, last),
        band_top=_y(band),
        band_height=round(_y(-band) - _y(band), 1),
        x_ticks=[(_x(index, last), str(index)) for index in range(0, len(along), step)],
        y_ticks=[(_y(value), f"{value:g}") for value in (0.0, 0.25, 0.5, 0.75, 1.0)],
    )


def _points(values: Sequence[float | None], last: int) -> str:
    return " ".join(f"{_x(index, last)},{_y(value)}" for index, value in enumerate(values) if value is not None)


def _x(index: int, last: int) -> float:
    return round(LEFT + (RIGHT - LEFT) * index / last, 1)


def _y(value: float) -> float:
    share = (min(max(value, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)
