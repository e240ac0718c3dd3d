"""report.html: one page with the table and the clips, which asks the network for nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from void.evaluation import tables
from void.evaluation.results import ScoredClip
from void.evaluation.scores import COLUMNS
from void.files import sha256_of
from void.overlay import KEPT_COLOUR, LEGEND

TEMPLATES = ("report.html.jinja", "report.css", "report.js")


def template_fingerprint() -> str:
    """Hash of the page's templates: a new design makes old reports stale."""
    folder = resources.files("void.evaluation") / "templates"
    return sha256_of([(folder / name).read_text(encoding="utf-8") for name in TEMPLATES])


def render(metrics: dict[str, Any], clips: Sequence[ScoredClip]) -> str:
    """The page.

    Args:
        metrics: what metrics.json will hold.
        clips: those with panels are shown, in this order.
    """
    environment = Environment(
        loader=PackageLoader("void.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = lambda mp4: "data:video/mp4;base64," + base64.b64encode(mp4).decode()
    shown = [clip for clip in clips if clip.panels]
    return environment.get_template(TEMPLATES[0]).render(
        metrics=metrics,
        run=metrics["run"],
        facts=_facts(metrics),
        columns=COLUMNS,
        headings=tables.HEADINGS,
        counts=tables.clip_counts(metrics),
        rows=tables.rows(metrics["methods"], metrics["mean"]),
        clips=[(clip, _clip_rows(metrics, clip), _frame_scores(metrics, clip)) for clip in shown],
        legend={**LEGEND, "kept": KEPT_COLOUR},
        is_tiny=metrics["run"]["sampling"]["model"]["name"] == "tiny",
    )


def _facts(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    run, geometry = metrics["run"], metrics["geometry"]
    checkpoint, sampling = run["checkpoint"], run["sampling"]
    infer = sampling["infer"]
    trained = "the model's own weights" if checkpoint["step"] is None else f"step {checkpoint['step']:,}"
    size = f"{geometry['width']}\N{MULTIPLICATION SIGN}{geometry['height']}"
    return [
        ("Checkpoint", f"{checkpoint['path']} ({trained}, {checkpoint['sha256'][:12]})"),
        ("Model", sampling["model"]["name"]),
        ("Clips", f"{len(metrics['clips'])} held-out, {geometry['frames']} frames of {size}"),
        ("Sampling", f"{infer['steps']} steps, guidance {infer['guidance_scale']:g}, seed {infer['seed']}"),
        ("Evaluated", run["created"].replace("T", " ").replace("+00:00", " UTC")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in run["versions"].items())),
    ]


def _clip_entry(metrics: dict[str, Any], clip: ScoredClip) -> dict[str, Any]:
    return next(entry for entry in metrics["clips"] if entry["id"] == clip.id)


def _clip_rows(metrics: dict[str, Any], clip: ScoredClip) -> list[tables.Row]:
    return tables.rows(metrics["methods"], _clip_entry(metrics, clip)["scores"])


def _frame_scores(metrics: dict[str, Any], clip: ScoredClip) -> dict[str, tuple[str, str]]:
    """PSNR and SSIM of the whole frame, by method, for the lines under the panels."""
    names = [method["name"] for method in metrics["methods"]]
    return {
        name: (row.cells[0].text, row.cells[len(COLUMNS)].text)
        for name, row in zip(names, _clip_rows(metrics, clip), strict=True)
    }
