"""report.html and noise.html: the table and the clips, and what the second pass started from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from void.evaluation import tables
from void.evaluation.charts import line_chart
from void.evaluation.noise_view import LAGS, PICTURE_RANGE
from void.evaluation.pages import NOISE_TEMPLATE, REPORT_TEMPLATE, environment
from void.evaluation.results import ScoredClip
from void.evaluation.scores import COLUMNS
from void.overlay import KEPT_COLOUR, LEGEND
from void.shapes import LATENT_CHANNELS, latent_shape


def render_report(metrics: dict[str, Any], clips: Sequence[ScoredClip]) -> str:
    """The page of scores and clips.

    Args:
        metrics: what metrics.json will hold.
        clips: those with panels are shown, in this order.
    """
    shown = [clip for clip in clips if clip.panels]
    predictions = metrics["run"]["predictions"]
    return (
        environment()
        .get_template(REPORT_TEMPLATE)
        .render(
            metrics=metrics,
            run=metrics["run"],
            facts=_facts(metrics),
            columns=COLUMNS,
            headings=tables.HEADINGS,
            lower_is_better=tables.LOWER_IS_BETTER,
            counts=tables.clip_counts(metrics),
            rows=tables.rows(metrics["methods"], metrics["mean"]),
            clips=[(clip, _clip_rows(metrics, clip), _frame_scores(metrics, clip)) for clip in shown],
            legend={**LEGEND, "kept": KEPT_COLOUR},
            is_simulated=all(clip.is_simulated for clip in clips),
            is_tiny=any(one["sampling"]["model"]["name"] == "tiny" for one in predictions),
            is_trained=any(one["checkpoint"]["step"] is not None for one in predictions),
            has_noise=any(clip.noises for clip in clips),
        )
    )


def render_noise(metrics: dict[str, Any], clips: Sequence[ScoredClip]) -> str:
    """The page of the noise that clips started from.

    Args:
        metrics: what metrics.json will hold.
        clips: those with noise are shown, in this order.
    """
    geometry = metrics["geometry"]
    _, channels, height, width = latent_shape(geometry["frames"], geometry["height"], geometry["width"])
    samples = channels * height * width
    return (
        environment()
        .get_template(NOISE_TEMPLATE)
        .render(
            metrics=metrics,
            run=metrics["run"],
            views=[
                (clip, view, line_chart(view.along, view.in_place, samples)) for clip in clips for view in clip.noises
            ],
            lags=LAGS,
            picture_range=PICTURE_RANGE,
            channels=LATENT_CHANNELS,
        )
    )


def _facts(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    run, geometry = metrics["run"], metrics["geometry"]
    size = f"{geometry['width']}\N{MULTIPLICATION SIGN}{geometry['height']}"
    versions = {f"{name} {version}": None for one in run["predictions"] for name, version in one["versions"].items()}
    return [
        *((one["name"], _model_fact(one)) for one in run["predictions"]),
        ("Clips", f"{len(metrics['clips'])} held-out, {geometry['frames']} frames of {size}"),
        ("Evaluated", run["created"].replace("T", " ").replace("+00:00", " UTC")),
        ("Versions", ", ".join(versions)),
    ]


def _model_fact(prediction: dict[str, Any]) -> str:
    checkpoint, sampling = prediction["checkpoint"], prediction["sampling"]
    infer = sampling["infer"]
    trained = "the model's own weights" if checkpoint["step"] is None else f"step {checkpoint['step']:,}"
    return (
        f"{checkpoint['path']} ({sampling['model']['name']}, {trained}, {checkpoint['sha256'][:12]}); "
        f"{infer['steps']} steps, guidance {infer['guidance_scale']:g}, seed {infer['seed']}"
    )


def _clip_entry(metrics: dict[str, Any], clip: ScoredClip) -> dict[str, Any]:
    return next(entry for entry in metrics["clips"] if entry["id"] == clip.id)


def _clip_rows(metrics: dict[str, Any], clip: ScoredClip) -> list[tables.Row]:
    return tables.rows(metrics["methods"], _clip_entry(metrics, clip)["scores"])


def _frame_scores(metrics: dict[str, Any], clip: ScoredClip) -> dict[str, str]:
    """Scores of the whole frame, by method, for the lines under the panels."""
    names = [method["name"] for method in metrics["methods"]]
    lines = {}
    for name, row in zip(names, _clip_rows(metrics, clip), strict=True):
        psnr, ssim, warp = (row.of(metric)[0].text for metric in tables.METRICS)
        unit = "" if psnr == tables.EXACT else " dB"
        lines[name] = f"{psnr}{unit} \N{MIDDLE DOT} SSIM {ssim} \N{MIDDLE DOT} E_warp {warp}"
    return lines
