"""The metric table as readers see it: formatting, the best value of each column, and the console's version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.table import Table

from void.evaluation.scores import COLUMNS

METRICS = ("psnr_db", "ssim", "warp_error")
HEADINGS = {"psnr_db": "PSNR, dB", "ssim": "SSIM", "warp_error": "E_warp, grey levels"}
DECIMALS = {"psnr_db": 2, "ssim": 3, "warp_error": 2}
LOWER_IS_BETTER = ("warp_error",)
# Beside each other all three would not fit into 80 columns.
CONSOLE_TABLES = (("psnr_db", "ssim"), ("warp_error",))
ABSENT = "\N{EN DASH}"
EXACT = "exact"
WORST = float("-inf")


@dataclass(frozen=True)
class Cell:
    """One value of the table; `best` among the rows that are no bound."""

    text: str
    best: bool
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One method: a cell for each metric and column, metrics outermost."""

    label: str
    note: str
    is_model: bool
    is_bound: bool
    cells: list[Cell]

    def of(self, metric: str) -> list[Cell]:
        """The cells of one metric, by column."""
        start = METRICS.index(metric) * len(COLUMNS)
        return self.cells[start : start + len(COLUMNS)]


def rows(methods: list[dict[str, Any]], scores: Mapping[str, Mapping[str, dict[str, Any]]]) -> list[Row]:
    """Rows of the table.

    Args:
        methods: of metrics.json.
        scores: `mean` of metrics.json, or the `scores` of one clip: by method, then by column.
    """
    best = {
        (metric, column): max(
            (
                _rank(scores[method["name"]][column], metric)
                for method in methods
                if not method["is_bound"] and column in scores[method["name"]]
            ),
            default=WORST,
        )
        for metric in METRICS
        for column in COLUMNS
    }

    def cell(method: dict[str, Any], metric: str, column: str) -> Cell:
        entry = scores[method["name"]].get(column)
        if entry is None:
            return Cell(ABSENT, best=False, note="no clip has this region")
        is_best = not method["is_bound"] and _rank(entry, metric) == best[metric, column] > WORST
        return Cell(_text(entry, metric), is_best, _note(entry, metric))

    return [
        Row(
            label=method["label"],
            note=method["note"],
            is_model=method["kind"] == "model",
            is_bound=method["is_bound"],
            cells=[cell(method, metric, column) for metric in METRICS for column in COLUMNS],
        )
        for method in methods
    ]


def clip_counts(metrics: dict[str, Any]) -> list[int]:
    """How many clips have each column."""
    model = metrics["mean"][metrics["methods"][0]["name"]]
    return [model[column]["clips"] if column in model else 0 for column in COLUMNS]


def console_tables(metrics: dict[str, Any]) -> Group:
    """The mean scores, for a terminal of 80 columns: the best of each column is bold, a bound is dim."""
    title = f"mean of {len(metrics['clips'])} held-out clips"
    return Group(*(_console_table(metrics, shown, title) for shown in CONSOLE_TABLES))


def _console_table(metrics: dict[str, Any], shown: Sequence[str], title: str) -> Table:
    lower = [HEADINGS[metric] for metric in shown if metric in LOWER_IS_BETTER]
    note = f"; {', '.join(lower)}: lower is better" if lower else ""
    table = Table(title=title + note, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for metric in shown:
        for column in COLUMNS:
            table.add_column(f"{HEADINGS[metric].split(',')[0]}\n{column}", justify="right", no_wrap=True)
    for row in rows(metrics["methods"], metrics["mean"]):
        cells = [cell for metric in shown for cell in row.of(metric)]
        values = [f"[bold]{cell.text}[/bold]" if cell.best else cell.text for cell in cells]
        table.add_row(row.label, *values, style="dim" if row.is_bound else "")
    return table


def _rank(entry: dict[str, Any], metric: str) -> float:
    """The higher the better; values that look alike in the table rank alike."""
    value = entry[metric]
    if value is None:
        return float("inf") if metric == "psnr_db" else WORST
    rounded: float = round(value, DECIMALS[metric])
    return -rounded if metric in LOWER_IS_BETTER else rounded


def _text(entry: dict[str, Any], metric: str) -> str:
    value = entry[metric]
    if value is None:
        return EXACT if metric == "psnr_db" else ABSENT
    return f"{value:.{DECIMALS[metric]}f}"


def _note(entry: dict[str, Any], metric: str) -> str:
    exact = int(entry["exact"])
    if metric == "psnr_db" and entry[metric] is not None and exact:
        return f"and {exact} of {entry['clips']} clips exact, not in this mean"
    return ""
