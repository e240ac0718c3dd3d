"""What an evaluation compares, and the key that tells whether it was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from void.config import VoidConfig
from void.errors import InputError
from void.evaluation import results
from void.evaluation.folders import Folder
from void.evaluation.pages import template_fingerprint
from void.files import sha256_of
from void.manifest import ManifestRow, read_manifest
from void.pipelines.predictions import (
    INDEX,
    Prediction,
    content_sha256,
    index_files,
    noise_file,
    pair_fingerprint,
    read_index,
)


@dataclass(frozen=True)
class PredictedClip:
    """One row's clip of a pair.

    Args:
        label: of the row.
        prediction: its entry in the index.
        file: the clip.
        noise: what it started from; None where the folder does not hold that.
    """

    label: str
    prediction: Prediction
    file: Path
    noise: Path | None


@dataclass(frozen=True)
class Job:
    """A pair and the clips that are compared with it.

    Args:
        row: of the manifest.
        folder: of the pair.
        clips: one for each folder of predictions, in order.
        first_pass: the pair's file in `infer.pass2.first_pass`; need not exist.
    """

    row: ManifestRow
    folder: Path
    clips: tuple[PredictedClip, ...]
    first_pass: Path


def plan(config: VoidConfig, folders: Sequence[Folder]) -> list[Job]:
    """Pair up predictions and manifest rows, in the order of the first folder's index.

    Args:
        folders: of the same pairs (`read_folders`).

    Raises:
        InputError: a prediction whose file or pair is missing, or whose pair was generated anew since.
    """
    data_root = Path(config.data.root)
    rows = {row.id: row for row in read_manifest(data_root)}
    first_pass = Path(config.infer.pass2.first_pass)
    firsts = {clip.id: clip.file for file in index_files(first_pass) for clip in read_index(file).clips}
    jobs = []
    for clip_id in folders[0].clips:
        clips = tuple(_predicted_clip(folder, clip_id, rows, data_root) for folder in folders)
        row = rows[clip_id]
        jobs.append(Job(row, data_root / row.path, clips, first_pass / firsts.get(clip_id, f"{clip_id}.mp4")))
    return jobs


def _predicted_clip(folder: Folder, clip_id: str, rows: dict[str, ManifestRow], data_root: Path) -> PredictedClip:
    clip = folder.clips[clip_id]
    file = folder.root / clip.file
    if clip_id not in rows:
        raise InputError(
            f"{folder.root / INDEX} has a prediction of pair {clip_id}, which is not in the manifest of {data_root}",
            "evaluate with the data.root that was predicted, or run `void infer` again",
        )
    if not file.exists():
        raise InputError(
            f"{file} is listed in {INDEX} but does not exist", "run `void infer` again: it makes what is missing"
        )
    if pair_fingerprint(rows[clip_id]) != clip.pair_sha256:
        raise InputError(
            f"pair {clip_id} of {data_root} is not the one that {file} was made from",
            "run `void infer` again: it redoes what is stale",
        )
    noise = noise_file(folder.root, clip_id)
    return PredictedClip(folder.label, clip, file, noise if noise.is_file() else None)


def evaluation_key(config: VoidConfig, folders: Sequence[Folder], jobs: Sequence[Job]) -> str:
    """Hash over all that the report depends on."""
    settings = asdict(config.eval)
    settings.pop("root")
    return sha256_of(
        {
            "schema": results.SCHEMA,
            "version": version("void"),
            "page": template_fingerprint(),
            "name": config.name,
            "settings": settings,
            "geometry": [config.data.frames, config.data.height, config.data.width],
            "vae": [config.model.vae, config.model.vae_weights, config.model.init_seed, config.model.dtype],
            "folders": [[folder.label, str(folder.root), _checksums(index_files(folder.root))] for folder in folders],
            "clips": [[job.row.id, job.row.checksums, _checksums(_files(job))] for job in jobs],
        }
    )


def _files(job: Job) -> list[Path]:
    """Every file that the report of a pair depends on, but for the pair itself."""
    noises = [clip.noise for clip in job.clips if clip.noise is not None]
    driving = [job.first_pass] if noises and job.first_pass.exists() else []
    return [clip.file for clip in job.clips] + noises + driving


def _checksums(files: Sequence[Path]) -> list[list[str]]:
    return [[str(file), content_sha256(file)] for file in files]
