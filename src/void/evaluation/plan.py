"""What an evaluation compares, and the key that tells whether it was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from void.config import VoidConfig
from void.errors import InputError
from void.evaluation import results
from void.evaluation.report import template_fingerprint
from void.files import sha256_file, sha256_of
from void.pairs import ManifestRow, read_manifest
from void.pipelines.predictions import CLIP, INDEX, Prediction, Predictions, pair_fingerprint


@dataclass(frozen=True)
class Job:
    """A predicted clip and the pair it is compared with."""

    prediction: Prediction
    row: ManifestRow
    file: Path
    folder: Path


def plan(config: VoidConfig, predictions: Predictions) -> list[Job]:
    """Pair up predictions and manifest rows, in the order of the index.

    Raises:
        InputError: no predictions; one whose file or pair is missing, or whose pair was generated anew since.
    """
    data_root, infer_root = Path(config.data.root), Path(config.infer.root)
    if not predictions.clips:
        raise InputError(
            f"{infer_root / INDEX} lists no clips", "run `void infer` again; it stopped before the first one"
        )
    if any(clip.source == CLIP for clip in predictions.clips):
        raise InputError(
            f"{infer_root} holds results of a user's clips: they have no ground truth",
            "look at them in strips/, or evaluate a run of `void infer` without infer.input",
        )
    rows = {row.id: row for row in read_manifest(data_root)}
    jobs = []
    for clip in predictions.clips:
        file = infer_root / clip.file
        if clip.id not in rows:
            raise InputError(
                f"{infer_root / INDEX} has a prediction of pair {clip.id}, which is not in the manifest of {data_root}",
                "evaluate with the data.root that was predicted, or run `void infer` again",
            )
        if not file.is_file():
            raise InputError(
                f"{file} is listed in {INDEX} but does not exist", "run `void infer` again: it makes what is missing"
            )
        if pair_fingerprint(rows[clip.id]) != clip.pair_sha256:
            raise InputError(
                f"pair {clip.id} of {data_root} is not the one that {file} was made from",
                "run `void infer` again: it redoes what is stale",
            )
        jobs.append(Job(clip, rows[clip.id], file, data_root / rows[clip.id].path))
    return jobs


def evaluation_key(config: VoidConfig, jobs: Sequence[Job]) -> str:
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
            "index": sha256_file(Path(config.infer.root) / INDEX),
            "clips": [[job.prediction.id, sha256_file(job.file), job.row.checksums] for job in jobs],
        }
    )
