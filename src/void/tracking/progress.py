"""A progress bar with the time left, which log lines do not tear."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextlib.contextmanager
def progress_bar(
    description: str, total: int, completed: int = 0, *, enabled: bool = True
) -> Iterator[Callable[[], None]]:
    """Show a bar while the context lasts; call what is yielded once for each finished item.

    Where the output is not a terminal nothing is drawn: there, log lines alone tell of progress.

    Args:
        description: what is counted.
        total: items in all.
        completed: items already done; they do not count for the speed.
        enabled: false on every process but the first.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console()
    with Progress(*columns, console=console, transient=True, disable=not (enabled and console.is_terminal)) as progress:
        task = progress.add_task(description, total=total, completed=completed)
        with _logging_above(progress):
            yield lambda: progress.advance(task)


@contextlib.contextmanager
def _logging_above(progress: Progress) -> Iterator[None]:
    """Send log lines for the terminal through the bar's own stream, which writes them above it."""
    if progress.disable:
        yield
        return
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
