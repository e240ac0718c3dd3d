"""Whether `void generate` made a pair, and what to do about a pair or manifest that is broken, accordingly."""

from __future__ import annotations

from pathlib import Path

GENERATION = "generation.json"
"""What `void generate` leaves in its data folder: the recipe of the scenes."""


def is_generated(path: Path) -> bool:
    """Whether a path belongs to a data folder of `void generate`: the folder itself, or anything below it."""
    return any((folder / GENERATION).is_file() for folder in (path.absolute(), *path.absolute().parents))


def write_pair_again(folder: Path) -> str:
    """The remedy for a broken pair."""
    if is_generated(folder):
        return "delete the pair folder and run `void generate` again, with the configuration that made it"
    return "write it again with void.pairs.write_pair, or take its row out of the manifest"


def write_manifest_again(root: Path) -> str:
    """The remedy for a broken manifest."""
    if is_generated(root):
        return "move the manifest away and write it again with `void generate`"
    return "move the manifest away and write it again with void.pairs.write_manifest"
