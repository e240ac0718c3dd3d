"""The figures of the configuration, which play sequences in place of those that were recorded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion, check_motion
from data_gen.human.retarget import retarget
from data_gen.human.sources.blender_figure import read_fbx_figure
from data_gen.human.sources.sequences import REMEDY, known
from data_gen.human.sources.store import MotionStore
from void.errors import InputError
from void.files import sha256_file

log = logging.getLogger(__name__)


class Characters:
    """The figures of `scene.human.characters`.

    Args:
        config: names them.

    Raises:
        InputError: a file is missing.
    """

    def __init__(self, config: HumanConfig) -> None:
        self._paths = {name: Path(path) for name, path in sorted(config.characters.items())}
        for name, path in self._paths.items():
            if not path.is_file():
                raise InputError(
                    f"scene.human.characters.{name}: {path} does not exist", "name an FBX file with Mixamo's bones"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(self._paths)

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

        def perform() -> Motion:
            skeleton, skin, _ = read_fbx_figure(path, motion.sequence, f"character {character}")
            played = check_motion(retarget(motion, skeleton, skin, character), REMEDY)
            miss = f"{100 * played.hold_error:.1f} cm"
            log.info("sequence %s: hands of %s miss what they hold by %s at most", motion.sequence, character, miss)
            return played

        return store.get({**origin, "character": [character, sha256_file(path)]}, perform)
