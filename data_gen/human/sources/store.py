"""Motions that have been read, as .npz files: reading an FBX file takes seconds and Blender, reading these neither."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from data_gen.assets.once import one_at_a_time
from data_gen.human.motion import Motion, Prop
from data_gen.scene.skin import Skeleton, Skin
from void.files import set_aside, sha256_of, whole_file

FORM = 2
"""Number of the files' form; another form, other files."""
log = logging.getLogger(__name__)


class MotionStore:
    """Keeps motions by what they were made of.

    Args:
        folder: for the files; processes may share it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, origin: Any, make: Callable[[], Motion]) -> Motion:
        """A motion, made if it is not there. A damaged file is made again.

        Args:
            origin: JSON-able; all that decides what is made, such as checksums of files.
            make: makes it; what it raises goes through, and nothing is kept.
        """
        path = self._folder / f"{sha256_of([FORM, origin])[:32]}.npz"
        if path.exists():
            try:
                return read_motion(path)
            except Exception as error:  # numpy and zipfile raise nearly anything for a damaged file.
                log.warning("%s is damaged (%s): made again; it is kept as %s", path, error, set_aside(path).name)
        with one_at_a_time(path) as missing:
            if not missing:
                return read_motion(path)
            motion = make()
            with whole_file(path) as partial:
                write_motion(partial, motion)
            return motion


def write_motion(path: Path, motion: Motion) -> None:
    """Write a motion. The look of its figure is not copied: its place is kept, relative to the folder of the file."""
    skeleton, skin = motion.skeleton, motion.skin
    header = {
        "source": motion.source,
        "sequence": motion.sequence,
        "character": motion.character,
        "fps": motion.fps,
        "hold_error": motion.hold_error,
        "joints": skeleton.names,
        "parents": skeleton.parents,
        "parts": skin.parts,
        "colors": skin.colors,
        "look": os.path.relpath(skin.look, path.parent) if skin.look else None,
        "props": [[prop.name, prop.kind] for prop in motion.props],
    }
    arrays: dict[str, Any] = {
        "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
        "rest_J7": skeleton.rest_J7,
        "vertices_V3": skin.vertices_V3,
        "triangles_F3": skin.triangles_F3,
        "joints_V4": skin.joints_V4,
        "weights_V4": skin.weights_V4,
        "part_F": skin.part_F,
        "joints_TJ7": motion.joints_TJ7,
        "props_TN7": motion.props_TN7,
    }
    if skin.shade_F3 is not None:
        arrays["shade_F3"] = skin.shade_F3
    for i, prop in enumerate(motion.props):
        arrays[f"prop{i}_V3"], arrays[f"prop{i}_F3"] = prop.vertices_V3, prop.triangles_F3
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_motion(path: Path) -> Motion:
    """Read what `write_motion` wrote.

    Raises:
        FileNotFoundError: the look of its figure is gone.
        Exception: nearly any other, where the file is damaged.
    """
    with np.load(path, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        look = path.parent / header["look"] if header["look"] else None
        if look and not look.is_file():
            raise FileNotFoundError(f"{look} is gone")
        skin = Skin(
            arrays["vertices_V3"],
            arrays["triangles_F3"],
            arrays["joints_V4"],
            arrays["weights_V4"],
            tuple(header["parts"]),
            arrays["part_F"],
            tuple(tuple(color) if color else None for color in header["colors"]),
            look,
            arrays.get("shade_F3"),
        )
        return Motion(
            header["source"],
            header["sequence"],
            header["character"],
            header["fps"],
            Skeleton(tuple(header["joints"]), tuple(header["parents"]), arrays["rest_J7"]),
            skin,
            arrays["joints_TJ7"],
            tuple(
                Prop(name, kind, arrays[f"prop{i}_V3"], arrays[f"prop{i}_F3"])
                for i, (name, kind) in enumerate(header["props"])
            ),
            arrays["props_TN7"],
            header["hold_error"],
        )
