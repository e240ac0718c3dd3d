"""What an evaluation writes: metrics.json, metrics.csv, report.html.

metrics.json is written last and holds the key of the evaluation and the checksums of the other two, so that it alone
tells whether the folder is finished. PSNR has no number where a clip equals the truth: `psnr_db` is then null (an empty
field in the CSV) and `exact` true; such clips are counted in `exact` and left out of the mean PSNR. A region that a
clip lacks is absent.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from void.config import VoidConfig
from void.evaluation.baselines import BASELINES
from void.evaluation.panels import Panel
from void.evaluation.scores import COLUMNS, MeanScore, Score, mean_scores
from void.files import read_json, sha256_file, write_json, write_text
from void.pipelines.predictions import Predictions

SCHEMA = 1
KIND = "void-metrics"
METRICS, TABLE, REPORT = "metrics.json", "metrics.csv", "report.html"
MODEL = "model"
CSV_FIELDS = ("kind", "method", "clip", "region", "psnr_db", "ssim", "pixels", "clips", "exact")


@dataclass(frozen=True)
class ScoredClip:
    """Scores of one pair by method and column; `panels` is empty where the page does not show the pair."""

    id: str
    caption: str
    source: str
    group: str
    fps: float
    scores: dict[str, dict[str, Score]]
    panels: list[Panel]


def score_entry(score: Score) -> dict[str, Any]:
    """One clip's score in one region, as JSON."""
    return {"psnr_db": score.psnr, "ssim": score.ssim, "pixels": score.pixels, "exact": score.exact}


def mean_entry(score: MeanScore) -> dict[str, Any]:
    """The mean over clips in one region, as JSON."""
    return {"psnr_db": score.psnr, "ssim": score.ssim, "clips": score.clips, "exact": score.exact}


def metrics_document(
    config: VoidConfig, predictions: Predictions, clips: Sequence[ScoredClip], key: str
) -> dict[str, Any]:
    """Everything metrics.json holds, but for the schema and the checksums of its neighbours."""
    rows = [{"name": MODEL, "label": "VOID", "note": "this checkpoint", "is_bound": False}]
    for name in config.eval.baselines:
        baseline = BASELINES[name]
        rows.append({"name": name, "label": baseline.label, "note": baseline.note, "is_bound": baseline.is_bound})
    settings = asdict(config.eval) | {"inpaint_method": str(config.eval.inpaint_method)}
    settings.pop("root")
    return {
        "key": key,
        "run": {
            "name": config.name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "checkpoint": predictions.checkpoint,
            "sampling": predictions.settings,
            "versions": predictions.versions,
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


def publish(root: Path, metrics: dict[str, Any], html: str) -> None:
    """Write the three files; the folder counts as finished once metrics.json is there."""
    write_text(root / TABLE, csv_text(metrics))
    write_text(root / REPORT, html)
    checksums = {name: sha256_file(root / name) for name in (TABLE, REPORT)}
    write_json(root / METRICS, {"schema": SCHEMA, "kind": KIND, "files": checksums, **metrics})


def is_finished(root: Path, key: str) -> bool:
    """Whether `root` holds a whole evaluation with this key."""
    if not (root / METRICS).is_file():
        return False
    metrics = read_json(root / METRICS)
    if metrics.get("key") != key:
        return False
    files = metrics["files"].items()
    return all((root / name).is_file() and sha256_file(root / name) == checksum for name, checksum in files)


def _in_order(entries: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((column, entries[column]) for column in COLUMNS if column in entries)
