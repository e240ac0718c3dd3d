"""Sequences as single glTF files: an armature with its skinned meshes, and one root object for each thing.

The layout of HUMOTO's public subset. Blender's importer reads them, so frames of joints and objects are those that
Blender had when it wrote the file.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_gen.human.config import HumanConfig
from data_gen.human.motion import Motion, check_motion
from data_gen.human.sources.blender_figure import GLTF
from data_gen.human.sources.characters import Characters
from data_gen.human.sources.humoto import FPS
from data_gen.human.sources.importing import Importer
from data_gen.human.sources.sequences import REMEDY, by_name, files_with, known, required_folder
from data_gen.human.sources.store import MotionStore

GLB = "humoto_glb"
log = logging.getLogger(__name__)


class GlbSource:
    """See `MotionSource`.

    Args:
        config: Configuration of the scenes; `root`, `fps`, `animation` and `characters` are used.
        cache: Folder for what has been read.

    Raises:
        InputError: the root is missing or holds no glTF file, a name stands for two files, a character's file is
            missing.
    """

    def __init__(self, config: HumanConfig, cache: Path) -> None:
        root = required_folder(config.root)
        self._files = by_name(files_with(root, GLTF), root)
        self._fps = config.fps or FPS
        self._animation = config.animation
        self._characters = Characters(config, cache)
        self._importer = Importer(cache)
        self._store = MotionStore(cache)

    @property
    def sequences(self) -> tuple[str, ...]:
        """Names of the files, without their suffix."""
        return tuple(self._files)

    @property
    def characters(self) -> tuple[str, ...]:
        """Names in the configuration."""
        return self._characters.names

    def describe(self) -> dict[str, Any]:
        """What was found."""
        return {"motion": GLB, "sequences": len(self._files), "characters": list(self.characters), "fps": self._fps}

    def read(self, sequence: str, character: str | None = None) -> Motion:
        """See `MotionSource`. Raises InputError for an unknown name, SequenceError for a bad file."""
        path = known(self._files, sequence, "sequence")
        found = self._importer.sequence(path, sequence, "glb", self._animation)
        if found.motion.fps != self._fps:
            said = f"{path.name} says {found.motion.fps:g} frames a second"
            log.info("sequence %s: %s; played at %g (scene.human.fps)", sequence, said, self._fps)
        motion = check_motion(replace(found.motion, source=GLB, sequence=sequence, fps=self._fps), REMEDY)
        origin = {"kind": GLB, "sequence": sequence, "file": found.digest, "fps": self._fps}
        return self._characters.play(motion, character, origin, self._store)
