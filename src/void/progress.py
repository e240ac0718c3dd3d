"""Progress with the time left: a bar on a terminal, elsewhere a line each half minute; tables that are never cut."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_SECONDS = 30.0
"""Seconds between two lines where the output is no terminal: the log of a batch job, a file, a pipe."""

log = logging.getLogger(__name__)

T = TypeVar("T")


@contextlib.contextmanager
def progress_bar(
    description: str, total: int, completed: int = 0, *, enabled: bool = True
) -> Iterator[Callable[[], None]]:
    """Show progress while the context lasts; call what is yielded once for each finished item.

    Args:
        description: Name of the work, such as "training".
        total: Number of items in all.
        completed: Number of items already done; they do not count for the speed.
        enabled: False on every process but the first.
    """
    console = Console()
    if not enabled:
        yield lambda: None
    elif console.is_terminal:
        with _bar(description, total, completed, console) as advance:
            yield advance
    else:
        yield _Lines(description, total, completed).advance


def tracked(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield items, and show how many of them are done.

    Args:
        items: What is iterated over.
        description: Name of the work.
        total: Number of items; None: that of a sized collection.
    """
    if total is None:
        assert isinstance(items, Sized)
        total = len(items)
    with progress_bar(description, total) as advance:
        for item in items:
            yield item
            advance()


def print_whole(console: Console, table: RenderableType) -> None:
    """Print a table at the width that it needs, also where the terminal is narrower: no digit is cut off."""
    wide = console.options.update(max_width=10_000)
    console.width = max(console.width, Measurement.get(console, wide, table).maximum)
    console.print(table)


class _Lines:
    """A line each `LINE_SECONDS`, into the log where there is one, else to stderr."""

    def __init__(self, description: str, total: int, completed: int) -> None:
        self._description, self._total = description, total
        self._first = self._done = completed
        self._begun = self._told = time.monotonic()

    def advance(self) -> None:
        """One more item is done."""
        self._done += 1
        now = time.monotonic()
        if now < self._told + LINE_SECONDS or self._done >= self._total:
            return
        self._told = now
        elapsed = now - self._begun
        left = elapsed / (self._done - self._first) * (self._total - self._done)
        line = (
            f"{self._description}: {self._done}/{self._total} ({self._done / self._total:.0%}), "
            f"{duration(elapsed)} elapsed, ETA {duration(left)}"
        )
        if log.hasHandlers() and log.isEnabledFor(logging.INFO):
            log.info(line)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def duration(seconds: float) -> str:
    """A time as `1:02:03`, or `2:03` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextlib.contextmanager
def _bar(description: str, total: int, completed: int, console: Console) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(description, total=total, completed=completed)
        with _logging_above():
            yield lambda: progress.advance(task)


@contextlib.contextmanager
def _logging_above() -> Iterator[None]:
    """Send log lines for the terminal through the bar's own stream, which writes them above it."""
    originals = {
        handler: handler.stream
        for handler in logging.getLogger().handlers
        if type(handler) is logging.StreamHandler and handler.stream in (sys.__stdout__, sys.__stderr__)
    }
    for handler in originals:
        handler.setStream(sys.stdout)
    try:
        yield
    finally:
        for handler, stream in originals.items():
            handler.setStream(stream)
