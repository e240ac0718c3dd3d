"""Motions that are composed, not recorded. They are written in the layout of HUMOTO's release and read from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import data_gen.human.choreography
import data_gen.human.figure
from data_gen.assets.once import one_at_a_time
from data_gen.human.choreography import compose_motion, sequence_names
from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion
from data_gen.human.sources import layout
from data_gen.human.sources.humoto import HumotoSource
from data_gen.human.sources.sequences import known
from void.files import sha256_file, whole_folder

PROCEDURAL = "procedural"
SEQUENCES, OBJECTS = "sequences", "objects"


class ProceduralSource:
    """See `MotionSource`.

    Args:
        config: `variations` and `characters` are used.
        cache: folder for the sequences and for what has been read. What is in it was made by this version of the code:
            another version makes its own.
    """

    def __init__(self, config: HumanConfig, cache: Path) -> None:
        self._config = config
        self._cache = cache
        self._folders = {name: cache / _version() / name for name in sequence_names(config.variations)}

    @property
    def sequences(self) -> tuple[str, ...]:
        """Motions x variations."""
        return tuple(sorted(self._folders))

    @property
    def characters(self) -> tuple[str, ...]:
        """Names in the configuration."""
        return tuple(sorted(self._config.characters))

    def describe(self) -> dict[str, Any]:
        """What can be composed."""
        return {"motion": PROCEDURAL, "sequences": len(self._folders), "characters": list(self.characters)}

    def read(self, sequence: str, character: str | None = None) -> Motion:
        """See `MotionSource`. Raises InputError for an unknown name."""
        folder = known(self._folders, sequence, "sequence")
        with one_at_a_time(folder) as missing:
            if missing:
                with whole_folder(folder, "set of motions") as partial:
                    layout.write_sequence(partial / SEQUENCES, partial / OBJECTS, compose_motion(sequence))
        config = replace(self._config, root=str(folder / SEQUENCES), objects=str(folder / OBJECTS), fps=None)
        return HumotoSource(config, self._cache, kind=PROCEDURAL).read(sequence, character)


def _version() -> str:
    """Digest of the code that motions are composed and written by."""
    packages = (data_gen.human.figure, data_gen.human.choreography)
    files: Iterable[Path] = (file for package in packages for file in Path(package.__path__[0]).rglob("*.py"))
    kinematics = Path(data_gen.human.__path__[0]) / "kinematics.py"
    digest = hashlib.sha256()
    for file in sorted([*files, kinematics, Path(layout.__file__)]):
        digest.update(f"{file.name} {sha256_file(file)}\n".encode())
    return digest.hexdigest()[:16]
