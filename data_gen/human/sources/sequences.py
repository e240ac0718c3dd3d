"""Finding sequences by name in a folder, and what to say when they are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from void.errors import InputError

REMEDY = "mend its files, or leave the sequence out: scene.human.exclude"
WHERE = "docs/human-motion.md says where to request HUMOTO and what goes where; scene.motion=procedural needs no files"


def files_with(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """The files below a folder, at any depth, whose suffix is one of these in any case; sorted, without hidden ones.

    Args:
        folder: Folder to search; none is found where it does not exist.
        suffixes: Wanted suffixes in lower case, with their dots.
    """
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
    )


def beside(folder: Path, name: str, suffix: str) -> Path:
    """The file `name` + `suffix` of a folder, its suffix in any case; the lower-case path where there is none."""
    plain = folder / f"{name}{suffix}"
    if plain.is_file():
        return plain
    return next((path for path in files_with(folder, (suffix,)) if path.parent == folder and path.stem == name), plain)


def required_folder(root: str) -> Path:
    """The folder of the sequences. Raises InputError: it is not named or missing."""
    if not root:
        raise InputError("scene.human.root is empty: there is no folder of sequences to read", WHERE)
    if not Path(root).is_dir():
        raise InputError(f"scene.human.root={root} is not a folder", WHERE)
    return Path(root)


def known(table: Mapping[str, Path], name: str, what: str) -> Path:
    """The entry of a name. Raises InputError: it is unknown."""
    try:
        return table[name]
    except KeyError as error:
        some = ", ".join(list(table)[:8]) or "none"
        raise InputError(f"{what} {name!r} is unknown", f"of {len(table)}, these are known: {some}") from error


def by_name(paths: Sequence[Path], root: Path) -> dict[str, Path]:
    """Files or folders by the name that they are sequences under. Raises InputError: none, or two of one name."""
    found: dict[str, Path] = {}
    for path in sorted(paths):
        name = path.name if path.is_dir() else path.stem
        if name in found:
            raise InputError(
                f"{found[name]} and {path} are both named {name}", "rename one: sequences are told apart by name"
            )
        found[name] = path
    if not found:
        raise InputError(f"scene.human.root={root} holds no sequence", WHERE)
    return dict(sorted(found.items()))
