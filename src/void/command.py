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
    """

    name: str
    summary: str
    help: str
    groups: tuple[str, ...]
    run: Callable[[VoidConfig], None]
