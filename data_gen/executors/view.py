"""The one view of a running generation: a bar for all scenes, and a line for each family."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from void.progress import LINE_SECONDS, duration


class View:
    """Bars on a terminal; elsewhere, in the log of a batch job say, a line each half minute.

    Args:
        wanted: scenes to have in the end, by family.
        made: scenes there already, by family; they do not count for the speed.
        console: where it is drawn.
    """

    def __init__(self, wanted: Mapping[str, int], made: Mapping[str, int], console: Console) -> None:
        self._console = console
        # Scenes take minutes: the speed is that of all of them, not of the last seconds.
        self._all = Progress(
            TextColumn("scenes"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[trouble]}"),
            TimeElapsedColumn(), TextColumn("ETA"), TimeRemainingColumn(),
            console=console, speed_estimate_period=math.inf,
        )  # fmt: skip
        self._families = Progress(
            TextColumn("  {task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(),
            TextColumn("{task.fields[trouble]}"), console=console,
        )  # fmt: skip
        self._total = self._all.add_task("scenes", total=sum(wanted.values()), completed=sum(made.values()), trouble="")
        self._family = {
            name: self._families.add_task(name, total=count, completed=made.get(name, 0), trouble="")
            for name, count in wanted.items()
        }
        self._failed: Counter[str] = Counter()
        self._retried = 0
        self._live = Live(Group(self._all, self._families), console=console)
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def made(self, family: str, count: int = 1) -> None:
        """Scenes are finished."""
        self._all.advance(self._total, count)
        self._families.advance(self._family[family], count)

    def failed(self, family: str, count: int = 1) -> None:
        """Scenes are given up."""
        self._failed[family] += count
        self._families.update(self._family[family], trouble=f"[red]{self._failed[family]} failed[/]")
        self._show_trouble()

    def retried(self) -> None:
        """A scene is tried again."""
        self._retried += 1
        self._show_trouble()

    def tick(self) -> None:
        """Now and then."""
        if self._console.is_terminal or time.monotonic() < self._last_line + LINE_SECONDS:
            return
        self._last_line = time.monotonic()
        task = self._all.tasks[0]
        left = "unknown" if task.time_remaining is None else duration(task.time_remaining)
        self._console.print(
            f"{task.completed:.0f} of {task.total:.0f} scenes, {self._failed.total()} failed, "
            f"{self._retried} retried, ETA {left}",
            highlight=False,
        )

    def _show_trouble(self) -> None:
        counts = [f"[red]{self._failed.total()} failed[/]"] if self._failed else []
        counts += [f"{self._retried} retried"] if self._retried else []
        self._all.update(self._total, trouble=" ".join(counts))
