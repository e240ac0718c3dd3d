"""Files that Blender's importer reads, each once: in a process of its own, to a folder that any process may read."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from data_gen.assets.once import one_at_a_time
from data_gen.executors.process import run_process
from data_gen.human.motion import Motion, SequenceError
from data_gen.human.sources.blender_child import MOTION
from data_gen.human.sources.store import read_motion
from void.errors import InputError
from void.files import read_json, remove_written, set_aside, sha256_file, sha256_of, whole_folder, write_json

IMPORTED, FACTS = "imported", "facts.json"
FORM = 1
"""Number of the files' form."""
TIMEOUT = 900.0
"""Seconds after which a file counts as one that Blender cannot read; a busy hang ends before, by `CPU_SECONDS`."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Imported:
    """What a file holds."""

    motion: Motion
    """The whole sequence at the file's own frames; of a figure alone, one frame at rest."""
    meshes: frozenset[str]
    """Names of the meshes that the figure's skin is made of."""
    digest: str
    """Of the file, of the images beside it, and of all that decides how it is read."""


class Importer:
    """Reads files by Blender's importer, unless that was done before.

    Args:
        cache: Folder for what was read; processes may share it.
    """

    def __init__(self, cache: Path) -> None:
        self._folder = cache / IMPORTED

    def figure(self, path: Path, sequence: str, field: str) -> Imported:
        """The figure of an FBX or glTF file.

        Args:
            path: File of the figure.
            sequence: Name of the sequence in errors.
            field: Name of the file's role in errors.

        Raises:
            SequenceError: the file is bad.
            InputError: the disk is full.
        """
        return self._read(path, sequence, field, moves=False)

    def sequence(self, path: Path, sequence: str, field: str, animation: str) -> Imported:
        """The figure, objects and motion of a glTF file; `animation` chooses where it holds several of one thing."""
        return self._read(path, sequence, field, moves=True, animation=animation)

    def _read(self, path: Path, sequence: str, field: str, *, moves: bool, animation: str = "") -> Imported:
        contents = list(_digests([path, *_parts_of_gltf(path)]).values())
        digest = sha256_of([FORM, moves, animation, path.suffix.lower(), contents])
        place = self._folder / digest[:32]
        with one_at_a_time(place) as missing:
            found = None if missing else _kept(place, digest)
            if found is None:
                if not missing:
                    log.warning("%s is damaged, or images beside %s have changed: it is read again", place, path)
                    if not remove_written(place):
                        set_aside(place)
                request = {"file": str(path.resolve()), "sequence": sequence, "field": field, "moves": moves}
                with whole_folder(place, "imported motion") as partial:
                    _import(request | {"animation": animation, "folder": str(partial.resolve())}, partial)
                found = _load(place, digest)
        return found


def _import(request: dict[str, Any], folder: Path) -> None:
    """Have another process fill a folder. Raises SequenceError: the file is bad."""

    def wrong(field: str, problem: str, remedy: str) -> SequenceError:
        return SequenceError(request["sequence"], field, problem, remedy)

    answer = run_process(_command, request, TIMEOUT)
    if answer.error is not None:
        raise answer.error
    if answer.value is None:
        name = Path(request["file"]).name
        raise wrong(
            request["field"],
            f"cannot be read from {name}: Blender's importer {answer.failure}",
            "export or fetch it again",
        )
    if "wrong" in answer.value:
        raise wrong(*answer.value["wrong"])
    if "input_error" in answer.value:
        raise InputError(*answer.value["input_error"])
    facts = answer.value["facts"]
    for note in facts.pop("notes"):
        log.warning("%s: %s", request["file"], note)
    write_json(folder / FACTS, facts)


def _command(request: Path) -> list[str]:
    return [sys.executable, "-m", "data_gen.human.sources.blender_child", str(request)]


def _kept(place: Path, digest: str) -> Imported | None:
    """What a folder holds; None: it is not all there, or images that were beside the file have changed."""
    try:
        images = read_json(place / FACTS)["images"]
        return _load(place, digest) if _digests([Path(image) for image in images]) == images else None
    except Exception as error:  # numpy and zipfile raise nearly anything for a damaged file.
        log.debug("%s: %s", place, error)
        return None


def _load(place: Path, digest: str) -> Imported:
    facts = read_json(place / FACTS)
    digest = sha256_of([digest, sorted(facts["images"].values())])
    return Imported(read_motion(place / MOTION), frozenset(facts["meshes"]), digest)


def _digests(paths: list[Path]) -> dict[str, str]:
    """Digest of each file by its path; of a file that is gone, nothing."""
    return {str(path.resolve()): sha256_file(path) if path.is_file() else "" for path in paths}


def _parts_of_gltf(path: Path) -> list[Path]:
    """Files that a .gltf file refers to; none for other files, or where it is damaged."""
    if path.suffix.lower() != ".gltf":
        return []
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        named = [item["uri"] for kind in ("buffers", "images") for item in document.get(kind, []) if "uri" in item]
        return [path.parent / unquote(name) for name in named if not name.startswith("data:")]
    except (ValueError, AttributeError, TypeError, KeyError):
        return []
