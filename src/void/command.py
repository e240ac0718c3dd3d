"""What a `void` subcommand is. Rooms declare one each; the command line finds them through entry points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from void.config import VoidConfig


@dataclass(frozen=True)
class Command:
    """One subcommand.

    Args:
        name: what is typed after `void`.
        summary: one line for the list of commands.
        help: the paragraphs `void NAME --help` teaches with: what is read, what is written, examples.
        groups: config groups whose keys the command reads; `--help` prints them with their defaults.
        run: does the work on a composed, typed config. Heavy imports belong inside it.
        check: Refusals of this command alone that need no file. It runs before `run`, before anything is written, and
            imports nothing heavy; None: there are none.
        writes: Keys of the folders that the command writes, for a configuration: each job of a sweep has its own.
        only_asks: Whether the command writes nothing, so that no folder of logs is made for it.
    """

    name: str
    summary: str
    help: str
    groups: tuple[str, ...]
    run: Callable[[VoidConfig], None]
    check: Callable[[VoidConfig], None] | None = None
    writes: Callable[[VoidConfig], tuple[str, ...]] = lambda _: ()
    only_asks: bool = False
