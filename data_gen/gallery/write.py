"""gallery.html and statistics.html of a data folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader

from data_gen.assets.library import open_library
from data_gen.config import AssetsConfig
from data_gen.gallery.charts import Histogram
from data_gen.gallery.entries import Entry, read_entries
from data_gen.gallery.rejected import Rejection, draw_again, rejections
from data_gen.gallery.statistics import statistics
from data_gen.gallery.strips import Record, make_strips, strip_name
from data_gen.recipe import RECIPE
from data_gen.scene.accept import Reason
from data_gen.summary import read_timings
from void.evaluation.pages import environment
from void.files import check_replaceable, read_json, write_text
from void.overlay import LEGEND

GALLERY, STATISTICS = "gallery.html", "statistics.html"


def write_gallery(root: Path, assets: AssetsConfig) -> Path:
    """Write the pages of a finished data folder and the videos that they show; videos that are up to date are kept.

    Args:
        root: of the data set, with its manifest.
        assets: of the configuration that made it, to draw rejected scenes again.

    Returns:
        gallery.html.

    Raises:
        InputError: the manifest or a pair is missing or damaged; the assets can't be opened; the disk is full; a page
            is there that no run wrote.
    """
    root = Path(root)
    check_free(root)
    entries = read_entries(root)
    record = Record(root)
    make_strips(root, entries, record)
    refused = rejections(entries)
    examples = [example for rejection in refused for example in rejection.examples]
    if examples:
        draw_again(root, read_json(root / RECIPE), open_library(assets), examples, record)
    write_text(root / STATISTICS, render_statistics(root, entries), earlier=_is_earlier)
    write_text(root / GALLERY, render_gallery(root, entries, refused), earlier=_is_earlier)
    return root / GALLERY


def check_free(root: Path) -> None:
    """Raise unless every page that `write_gallery` writes is absent or of an earlier run.

    Raises:
        InputError: a page is there that no run wrote, or that was changed since.
    """
    for page in (GALLERY, STATISTICS):
        check_replaceable(root / page, earlier=_is_earlier)


def _is_earlier(page: Path) -> bool:
    """Whether a page that no ledger lists has the title of ours."""
    return re.search(r"<title>VOID: \w+ of ", page.read_text(encoding="utf-8", errors="replace")) is not None


def render_gallery(root: Path, entries: Sequence[Entry], refused: Sequence[Rejection]) -> str:
    """The page of all pairs, and of examples of rejected draws whose videos exist."""
    rejected = Counter(reason for entry in entries for reason in entry.rejected)
    shown = [(one, [example for example in one.examples if (root / example.strip).is_file()]) for one in refused]
    return (
        _environment()
        .get_template("gallery.html.jinja")
        .render(
            name=root.resolve().name,
            entries=[(entry, strip_name(entry.row.id)) for entry in entries],
            families=Counter(entry.family for entry in entries),
            splits=Counter(entry.row.split for entry in entries),
            reasons={reason: rejected[reason] for reason in sorted(rejected)},
            explanations={reason.name: reason.value for reason in Reason},
            refused=sorted(shown, key=lambda one: not one[1]),
            legend=LEGEND,
        )
    )


def render_statistics(root: Path, entries: Sequence[Entry]) -> str:
    """The page of numbers and charts."""
    found = statistics(entries, read_timings(root))
    sections = [(one.title, [(chart, isinstance(chart, Histogram)) for chart in one.charts]) for one in found.sections]
    return (
        _environment()
        .get_template("statistics.html.jinja")
        .render(name=root.resolve().name, headline=found.headline, tables=found.tables, sections=sections)
    )


def _environment() -> Environment:
    """The project's own, which also finds our templates; both may include the report's style."""
    shared = environment()
    assert shared.loader is not None
    return shared.overlay(loader=ChoiceLoader([PackageLoader("data_gen.gallery"), shared.loader]))
