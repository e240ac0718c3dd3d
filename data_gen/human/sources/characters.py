"""The figures of the configuration, which play sequences in place of those that were recorded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion, SequenceError, check_motion
from data_gen.human.retarget import check_joints, retarget
from data_gen.human.sources.blender_figure import FIGURE_SUFFIXES
from data_gen.human.sources.importing import Importer
from data_gen.human.sources.sequences import REMEDY, known
from data_gen.human.sources.store import MotionStore
from void.errors import InputError

log = logging.getLogger(__name__)


class Characters:
    """The figures of `scene.human.characters`.

    Args:
        config: Configuration that names them.
        cache: Folder for what has been read.

    Raises:
        InputError: a file is missing, or is no file of a figure.
    """

    def __init__(self, config: HumanConfig, cache: Path) -> None:
        self._importer = Importer(cache)
        self._paths = {name: Path(path) for name, path in sorted(config.characters.items())}
        for name, path in self._paths.items():
            if not path.is_file():
                raise InputError(
                    f"scene.human.characters.{name}: {path} does not exist",
                    f"name a file ({', '.join(FIGURE_SUFFIXES)}) with Mixamo's bones",
                )
            if path.suffix.lower() not in FIGURE_SUFFIXES:
                raise InputError(
                    f"scene.human.characters.{name}: {path} is no file of a figure",
                    f"export it as one of {', '.join(FIGURE_SUFFIXES)}",
                )

    @property
    def names(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(self._paths)

    def check(self) -> None:
        """Read every figure, which is then kept.

        Raises:
            InputError: a figure cannot be read, or cannot play a motion.
        """
        for name, path in self._paths.items():
            try:
                figure = self._importer.figure(path, "", f"character {name}").motion
                check_joints("", figure.skeleton, f"character {name}")
            except SequenceError as error:
                raise InputError(f"scene.human.characters.{name}: {path} {error.detail}", error.remedy) from error

    def play(self, motion: Motion, character: str | None, origin: dict[str, Any], store: MotionStore) -> Motion:
        """A motion, played by a character.

        Args:
            motion: as recorded.
            character: one of `names`; None: the motion as it is.
            origin: what `motion` is stored under.
            store: for the result.

        Raises:
            InputError: the name is unknown.
            SequenceError: the character's file is bad.
        """
        if character is None:
            return motion
        path = known(self._paths, character, "character")
        found = self._importer.figure(path, motion.sequence, f"character {character}")
        figure = found.motion

        def perform() -> Motion:
            played = check_motion(retarget(motion, figure.skeleton, figure.skin, character), REMEDY)
            miss = f"{100 * played.hold_error:.1f} cm"
            log.info("sequence %s: hands of %s miss what they hold by %s at most", motion.sequence, character, miss)
            return played

        return store.get({**origin, "character": [character, found.digest]}, perform)
