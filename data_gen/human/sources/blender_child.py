"""`python -m data_gen.human.sources.blender_child REQUEST.json`: one file through Blender's importer, in one process.

A damaged file may crash Blender or hang it, and Blender's memory and scene are its process's: so a worker has other
people's files read by this one.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np

from data_gen.executors.child import serve
from data_gen.human.motion import Motion, SequenceError
from data_gen.human.sources.store import write_motion
from void.errors import InputError
from void.files import sha256_file

MOTION = "motion.npz"
CPU_SECONDS = 120
"""Of the processor's time, after which a file counts as one that Blender hangs on; HUMOTO's take 4."""


def handle(request: dict[str, Any]) -> dict[str, Any]:
    """Read a file and write what it holds to a folder.

    Args:
        request: file, sequence, field, folder, animation, and whether it is a whole sequence (moves) or only a figure.

    Returns:
        The facts of an `Imported`, or what is wrong with the file.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    try:
        return {"facts": import_file(**request)}
    except SequenceError as error:
        return {"wrong": [error.field, error.detail, error.remedy]}
    except InputError as error:
        return {"input_error": [error.problem, error.remedy]}


def import_file(*, file: str, sequence: str, field: str, folder: str, moves: bool, animation: str) -> dict[str, Any]:
    """See `handle`. Raises SequenceError: the file is bad."""
    from data_gen.human.sources.blender_figure import read_figure
    from data_gen.human.sources.blender_motion import read_sequence

    path, place = Path(file), Path(folder)
    if moves:
        motion, figure = read_sequence(path, sequence, field, animation, place)
    else:
        figure = read_figure(path, sequence, field, place)
        resting_TJ7 = figure.skeleton.rest_J7[None]
        nothing = np.zeros((1, 0, 7))
        motion = Motion("", sequence, path.stem, 1.0, figure.skeleton, figure.skin, resting_TJ7, (), nothing)
    write_motion(place / MOTION, motion)
    images = {str(image): sha256_file(image) for image in figure.images}
    return {"meshes": sorted(figure.meshes), "images": images, "notes": list(figure.notes)}


if __name__ == "__main__":
    serve(handle)
