"""What an evaluation writes: metrics.json, metrics.csv, report.html, and noise.html where there is noise to show.

metrics.json is written last and holds the key of the evaluation and the checksums of the others, so that it alone
tells whether the folder is finished. PSNR has no number where a clip equals the truth: `psnr_db` is then null (an empty
field in the CSV) and `exact` true; such clips are counted in `exact` and left out of the mean PSNR. A region that a
clip lacks is absent.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.config import VoidConfig
from void.evaluation.baselines import BASELINES, TRUTH
from void.evaluation.folders import Folder
from void.evaluation.scores import COLUMNS, MeanScore, Score, mean_scores
from void.files import check_replaceable, is_our_json, read_json, remove_written, sha256_file, write_json, write_text
from void.pipelines.predictions import Prediction

if TYPE_CHECKING:
    from void.evaluation.noise_view import NoiseView
    from void.evaluation.panels import Panel

SCHEMA = 2
KIND = "void-metrics"
METRICS, TABLE, REPORT, NOISE_PAGE = "metrics.json", "metrics.csv", "report.html", "noise.html"
CSV_FIELDS = ("kind", "method", "clip", "region", "psnr_db", "ssim", "warp_error", "pixels", "clips", "exact")


@dataclass(frozen=True)
class ScoredClip:
    """One pair.

    Args:
        predictions: entries of the indices, by label.
        scores: by method and column.
        panels: empty where the page does not show the pair.
        noises: of the second pass, where the page shows the pair.
        is_simulated: Whether `void generate` made the pair.
    """

    id: str
    caption: str
    source: str
    group: str
    fps: float
    predictions: dict[str, Prediction]
    scores: dict[str, dict[str, Score]]
    panels: list[Panel]
    noises: list[NoiseView]
    is_simulated: bool


def score_entry(score: Score) -> dict[str, Any]:
    """One clip's score in one region, as JSON."""
    return {
        "psnr_db": score.psnr,
        "ssim": score.ssim,
        "warp_error": score.warp_error,
        "pixels": score.pixels,
        "exact": score.exact,
    }


def mean_entry(score: MeanScore) -> dict[str, Any]:
    """The mean over clips in one region, as JSON."""
    return {
        "psnr_db": score.psnr,
        "ssim": score.ssim,
        "warp_error": score.warp_error,
        "clips": score.clips,
        "exact": score.exact,
    }


def metrics_document(
    config: VoidConfig, folders: Sequence[Folder], clips: Sequence[ScoredClip], key: str
) -> dict[str, Any]:
    """Everything metrics.json holds, but for the schema and the checksums of its neighbours."""
    rows = _rows(config, folders)
    settings = asdict(config.eval) | {"inpaint_method": str(config.eval.inpaint_method)}
    settings.pop("root")
    return {
        "key": key,
        "run": {
            "name": config.name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "predictions": [
                {
                    "name": folder.label,
                    "root": str(folder.root),
                    "checkpoint": folder.predictions.checkpoint,
                    "sampling": folder.predictions.settings,
                    "versions": folder.predictions.versions,
                }
                for folder in folders
            ],
        },
        "settings": settings,
        "geometry": {"frames": config.data.frames, "height": config.data.height, "width": config.data.width},
        "methods": rows,
        "mean": {
            row["name"]: {
                column: mean_entry(mean)
                for column, mean in mean_scores([clip.scores[str(row["name"])] for clip in clips]).items()
            }
            for row in rows
        },
        "clips": [
            {
                "id": clip.id,
                "caption": clip.caption,
                "source": clip.source,
                "group": clip.group,
                "fps": clip.fps,
                "predictions": {
                    label: {
                        "stage": prediction.stage,
                        "morphing": prediction.morphing,
                        "unmeasured": prediction.unmeasured,
                        "seed": prediction.seed,
                    }
                    for label, prediction in clip.predictions.items()
                },
                "scores": {
                    method: {column: score_entry(score) for column, score in scores.items()}
                    for method, scores in clip.scores.items()
                },
            }
            for clip in clips
        ],
    }


def csv_text(metrics: dict[str, Any]) -> str:
    """The scores of metrics.json as a table: `mean` rows first, then one `clip` row per method, clip and region."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    for method in metrics["methods"]:
        for region, entry in _in_order(metrics["mean"][method["name"]]):
            writer.writerow({"kind": "mean", "method": method["name"], "region": region} | entry)
    for clip in metrics["clips"]:
        for method in metrics["methods"]:
            for region, entry in _in_order(clip["scores"][method["name"]]):
                row = {"kind": "clip", "method": method["name"], "clip": clip["id"], "region": region, "clips": 1}
                writer.writerow(row | entry | {"exact": int(entry["exact"])})
    return text.getvalue()


def check_free(root: Path) -> None:
    """Raise unless every file that an evaluation writes is absent or of an earlier evaluation.

    Raises:
        InputError: one is there that no evaluation wrote, or that was changed since.
    """
    for name in (TABLE, REPORT, METRICS):
        check_replaceable(root / name, earlier=_is_earlier)


def _is_earlier(file: Path) -> bool:
    """Whether metrics.json says that an evaluation wrote exactly this, for files that no ledger lists."""
    metrics = file.parent / METRICS
    if not is_our_json("schema", "kind", "files")(metrics) or (found := read_json(metrics))["kind"] != KIND:
        return False
    return file == metrics or found["files"].get(file.name) == sha256_file(file)


def publish(root: Path, metrics: dict[str, Any], pages: Mapping[str, str]) -> None:
    """Write table, pages and metrics; the folder counts as finished once metrics.json is there.

    Args:
        root: the folder.
        metrics: of `metrics_document`.
        pages: HTML by file name. A noise page of an earlier evaluation that is not among them is deleted.

    Raises:
        InputError: as `check_free`; the disk is full.
    """
    texts = {TABLE: csv_text(metrics), **pages}
    for name, text in texts.items():
        write_text(root / name, text, earlier=_is_earlier)
    if NOISE_PAGE not in texts:
        remove_written(root / NOISE_PAGE, earlier=_is_earlier)
    checksums = {name: sha256_file(root / name) for name in texts}
    write_json(root / METRICS, {"schema": SCHEMA, "kind": KIND, "files": checksums, **metrics}, earlier=_is_earlier)


def is_finished(root: Path, key: str) -> bool:
    """Whether `root` holds a whole evaluation with this key."""
    if not (root / METRICS).is_file():
        return False
    metrics = read_json(root / METRICS)
    if metrics.get("key") != key:
        return False
    files = metrics["files"].items()
    return all((root / name).is_file() and sha256_file(root / name) == checksum for name, checksum in files)


def _rows(config: VoidConfig, folders: Sequence[Folder]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for folder in folders:
        step = folder.predictions.checkpoint["step"]
        note = "the model's own weights" if step is None else f"step {step:,}"
        rows.append({"name": folder.label, "label": folder.label, "note": note, "kind": "model", "is_bound": False})
    for name in config.eval.baselines:
        one = BASELINES[name]
        rows.append({"name": name, "label": one.label, "note": one.note, "kind": "baseline", "is_bound": one.is_bound})
    note = "compared with itself: its E_warp is the floor that others are read against"
    return [*rows, {"name": TRUTH, "label": "Ground truth", "note": note, "kind": TRUTH, "is_bound": True}]


def _in_order(entries: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((column, entries[column]) for column in COLUMNS if column in entries)
