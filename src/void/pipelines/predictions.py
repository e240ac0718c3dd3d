"""The folder that `void infer` writes and `void eval` reads.

    infer.root/
      <id>.mp4            the result of one pair or clip, and nothing else at this level but
      predictions.json    what made them: checkpoint, settings, and one entry a clip with its key and checksum
      strips/<id>.mp4     input | mask | result, of a user's clips
      noise/<id>.safetensors, morphing/<id>.json    of the second pass: what each clip started from, and how much the
                          first pass's result morphs

With `infer.num_shards` > 1 each shard writes an index of its own, predictions-SHARD-of-N.json, so none overwrites what
another one wrote; readers take all of them together.

An entry's `key` is a hash over everything the clip depends on, so a rerun can tell a finished clip from a stale one.
"""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from void.data.randomness import child_seed
from void.errors import InputError
from void.files import is_our_json, read_json, sha256_file, sha256_of, write_json
from void.manifest import ManifestRow
from void.recipe import Stage

SCHEMA = 1
KIND = "void-predictions"
INDEX = "predictions.json"
STRIPS = "strips"
NOISE = "noise"
MORPHING = "morphing"
SHARD_INDICES = "predictions-*-of-*.json"
PAIR, CLIP = "pair", "clip"


@dataclass(frozen=True)
class Prediction:
    """One predicted clip.

    Args:
        id: of the pair, or the name of the user's folder.
        file: name of the clip inside the folder.
        key: hash over weights, settings and input.
        sha256: of the file.
        pair_sha256: fingerprint of the pair (`pair_fingerprint`) or of the user's files that it was made from.
        seed: of the clip's own generator.
        caption: the prompt.
        source: `pair`, or `clip`, a user's own, which has no ground truth.
        stage: `pass1` or `pass2`.
        morphing: score of the first pass's result; None where the second pass was not asked for, or it has none.
        unmeasured: Reason why it has none (`void.noise.morphing.Obstacle`); None otherwise.
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
    source: str = PAIR
    stage: str = Stage.pass1.value
    morphing: float | None = None
    unmeasured: str | None = None


@dataclass(frozen=True)
class Predictions:
    """A folder of predictions.

    Args:
        run: name of the run.
        checkpoint: `path`, `step` (null for the model's own weights) and `sha256` of the transformer's weights.
        settings: every configuration value the clips depend on, by group.
        versions: of the packages that sampled.
        clips: in the order of the manifest, or by name.
    """

    run: str
    checkpoint: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str]
    clips: tuple[Prediction, ...]


def pair_fingerprint(row: ManifestRow) -> str:
    """Hash over what a manifest says a pair's files hold."""
    return sha256_of({"checksums": row.checksums, "caption": row.caption})


def clip_seed(seed: int, clip_id: str, *, per_clip: bool = True) -> int:
    """Seed of a clip's generator: its own, or for every clip `seed` itself (`recipe.seed_per_clip=false`)."""
    return child_seed(seed, "infer", clip_id) if per_clip else seed


def index_name(shard: int, num_shards: int) -> str:
    """Name of the index that a shard writes."""
    return INDEX if num_shards == 1 else f"predictions-{shard}-of-{num_shards}.json"


def strip_file(folder: Path, clip_id: str) -> Path:
    """Where a user's clip is shown with its mask and result."""
    return folder / STRIPS / f"{clip_id}.mp4"


def noise_file(folder: Path, clip_id: str) -> Path:
    """Where the second pass keeps the noise that a clip started from."""
    return folder / NOISE / f"{clip_id}.safetensors"


def score_file(folder: Path, clip_id: str) -> Path:
    """Where the second pass keeps how much a clip's first result morphs."""
    return folder / MORPHING / f"{clip_id}.json"


def content_sha256(path: Path) -> str:
    """Hex SHA-256 of a file; of a folder (a clip as numbered pictures), a hash over its files' names and contents."""
    if not path.is_dir():
        return sha256_file(path)
    # Hidden files say who wrote the pictures.
    pictures = [item for item in path.iterdir() if item.is_file() and not item.name.startswith(".")]
    return sha256_of({item.name: sha256_file(item) for item in pictures})


def index_files(folder: Path) -> list[Path]:
    """Every index in a folder, the newest last."""
    files = [file for file in (folder / INDEX, *folder.glob(SHARD_INDICES)) if file.is_file()]
    return sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))


def write_predictions(folder: Path, predictions: Predictions, name: str = INDEX) -> None:
    """Write an index, whole or not at all.

    Raises:
        InputError: The file that is there is no index, or the disk is full.
    """
    write_json(folder / name, {"schema": SCHEMA, "kind": KIND, **asdict(predictions)}, earlier=is_index)


def is_index(path: Path) -> bool:
    """Whether a file is an index as `write_predictions` writes it."""
    return is_our_json("schema", "kind", "clips")(path) and read_json(path)["kind"] == KIND


def read_predictions(folder: Path) -> Predictions:
    """Read what a run, or all shards of one, predicted.

    Raises:
        InputError: there is no index, one is not JSON or has another schema, or shards ran with different settings.
    """
    files = index_files(folder)
    if not files:
        raise InputError(
            f"there are no predictions: {folder / INDEX} does not exist",
            "run `void infer` with the same configuration first",
        )
    indices = [read_index(file) for file in files]
    newest = indices[-1]
    for file, index in zip(files, indices, strict=True):
        alike = index.settings == newest.settings and index.checkpoint["sha256"] == newest.checkpoint["sha256"]
        if not alike:
            raise InputError(
                f"{file} and {files[-1].name} were made with different settings or weights",
                "run every shard with the same configuration, or `void infer` once without shards",
            )
    if len(files) == 1:
        return newest
    clips = {clip.id: clip for index in indices for clip in index.clips}
    return replace(newest, clips=tuple(clips[name] for name in sorted(clips)))


def read_index(path: Path) -> Predictions:
    """Read one index.

    Raises:
        InputError: it is not JSON, or has another schema.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("kind") != KIND or value.get("schema") != SCHEMA:
        found = (
            f"kind {value.get('kind')!r}, schema {value.get('schema')!r}"
            if isinstance(value, dict)
            else type(value).__name__
        )
        raise InputError(
            f"{path} is not an index of predictions of schema {SCHEMA} (found {found})",
            "choose another folder (infer.root=PATH), or move the file away",
        )
    names = [one.name for one in fields(Predictions)]
    known = {one.name for one in fields(Prediction)}
    required = {one.name for one in fields(Prediction) if one.default is MISSING}
    clips = value.get("clips")
    if (
        any(name not in value for name in names)
        or not isinstance(clips, list)
        or any(not isinstance(clip, dict) or not required <= set(clip) <= known for clip in clips)
    ):
        raise InputError(
            f"{path} lacks keys that schema {SCHEMA} has",
            "choose another folder (infer.root=PATH), or move the file away",
        )
    entries = tuple(Prediction(**clip) for clip in clips)
    outside = [clip.file for clip in entries if _leads_outside(clip.file)]
    if outside:
        raise InputError(f"{path} names a file outside of its folder: {outside[0]}", "delete that entry by hand")
    return Predictions(**{name: value[name] for name in names} | {"clips": entries})


def _leads_outside(name: str) -> bool:
    pure = PurePosixPath(name)
    return pure.is_absolute() or ".." in pure.parts
