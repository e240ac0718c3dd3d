"""The folder that `void infer` writes and `void eval` reads.

    infer.root/
      <pair id>.mp4       the result of one pair, and nothing else at this level but
      predictions.json    what made them: checkpoint, settings, and one entry a clip with its key and checksum

An entry's `key` is a hash over everything the clip depends on, so a rerun can tell a finished clip from a stale one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from void.errors import InputError
from void.files import read_json, sha256_of, write_json
from void.pairs import ManifestRow

SCHEMA = 1
KIND = "void-predictions"
INDEX = "predictions.json"


@dataclass(frozen=True)
class Prediction:
    """One predicted clip.

    Args:
        id: the pair's id.
        file: name of the clip inside the folder.
        key: hash over weights, settings and pair.
        sha256: of the file.
        pair_sha256: `pair_fingerprint` of the pair it was made from.
        seed: of the clip's own generator.
        caption: the prompt.
    """

    id: str
    file: str
    key: str
    sha256: str
    pair_sha256: str
    seed: int
    frames: int
    height: int
    width: int
    fps: float
    caption: str


@dataclass(frozen=True)
class Predictions:
    """A folder of predictions.

    Args:
        run: name of the run.
        checkpoint: `path`, `step` (null for the model's own weights) and `sha256` of the transformer's weights.
        settings: every configuration value the clips depend on, by group.
        versions: of the packages that sampled.
        clips: in manifest order.
    """

    run: str
    checkpoint: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str]
    clips: tuple[Prediction, ...]


def pair_fingerprint(row: ManifestRow) -> str:
    """Hash over what a manifest says a pair's files hold."""
    return sha256_of({"checksums": row.checksums, "caption": row.caption})


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Write the index, whole or not at all."""
    write_json(folder / INDEX, {"schema": SCHEMA, "kind": KIND, **asdict(predictions)})


def read_predictions(folder: Path) -> Predictions:
    """Read the index.

    Raises:
        InputError: the folder or the index is missing, is not JSON, or has another schema.
    """
    path = folder / INDEX
    if not path.is_file():
        raise InputError(
            f"there are no predictions: {path} does not exist", "run `void infer` with the same configuration first"
        )
    value = read_json(path)
    if not isinstance(value, dict) or value.get("kind") != KIND or value.get("schema") != SCHEMA:
        found = (
            f"kind {value.get('kind')!r}, schema {value.get('schema')!r}"
            if isinstance(value, dict)
            else type(value).__name__
        )
        raise InputError(
            f"{path} is not an index of predictions of schema {SCHEMA} (found {found})",
            "delete the folder and run `void infer` again, or choose another one with infer.root=PATH",
        )
    names = [field.name for field in fields(Predictions)]
    clip_names = {field.name for field in fields(Prediction)}
    clips = value.get("clips")
    if (
        any(name not in value for name in names)
        or not isinstance(clips, list)
        or any(set(clip) != clip_names for clip in clips)
    ):
        raise InputError(f"{path} lacks keys that schema {SCHEMA} has", "delete the folder and run `void infer` again")
    return Predictions(**{name: value[name] for name in names} | {"clips": tuple(Prediction(**clip) for clip in clips)})
