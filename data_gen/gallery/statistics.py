"""What the statistics page shows: counts, distributions and tables of all pairs of a data folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from data_gen.gallery.charts import Bars, Histogram, bars, histogram
from data_gen.gallery.entries import Entry
from data_gen.scene.palette import FLOOR_COLORS, OBJECT_COLORS, WOOD_COLORS
from data_gen.scene.spec import ObjectSpec, SurfaceSpec
from data_gen.summary import Seconds

OWN_FIGURE = "the sequence's own"
OWN_TEXTURE = "its own texture"
UNKNOWN = "\N{EN DASH}"


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first cell of a row is its name."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """Charts on one subject."""

    title: str
    charts: list[Histogram | Bars]


@dataclass(frozen=True)
class Statistics:
    """Everything on the page."""

    headline: list[tuple[str, str]]
    tables: list[Table]
    sections: list[Section]


def statistics(entries: Sequence[Entry], timings: Mapping[str, Seconds]) -> Statistics:
    """The statistics of a data folder.

    Args:
        entries: its pairs, at least one.
        timings: what they cost, by pair id; of some of them, or none.
    """
    draws = sum(entry.attempts for entry in entries)
    headline = [
        ("pairs", f"{len(entries):,}"),
        ("families", str(len({entry.family for entry in entries}))),
        ("seconds of video", f"{sum(entry.row.frames / entry.row.fps for entry in entries):,.0f}"),
        ("draws", f"{draws:,}"),
        ("accepted", f"{len(entries) / draws:.0%} of draws"),
    ]
    sections = [
        Section("What happens", _charts(_happens(entries))),
        Section("The quadmask", _charts(_areas(entries))),
        Section("Objects", _charts(_objects(entries))),
        Section("Setting", _charts(_setting(entries))),
        Section("Making", _charts(_making(entries, timings))),
    ]
    tables = [_families(entries), _rejections(entries), *_costs(entries, timings)]
    return Statistics(headline, tables, [section for section in sections if section.charts])


def _families(entries: Sequence[Entry]) -> Table:
    splits = sorted({entry.row.split for entry in entries})
    rows = []
    for name, members in _by_family(entries).items():
        row = [name, f"{len(members):,}", *(f"{_in_split(members, split):,}" for split in splits)]
        divergences = _known(entry.measured("divergence") for entry in members)
        contacts = _known(entry.first_contact for entry in members)
        row += [
            f"{fmean([entry.attempts for entry in members]):.1f}",
            f"{fmean(contacts):.2f} s" if contacts else UNKNOWN,
            f"{fmean(divergences):.0%}" if divergences else UNKNOWN,
        ]
        rows.append(row)
    everything = ["all", f"{len(entries):,}", *(f"{_in_split(entries, split):,}" for split in splits), "", "", ""]
    headings = ["family", "pairs", *splits, "draws a pair", "first contact", "divergence"]
    return Table("Pairs by family and split", headings, [*rows, everything], "Contact and divergence are means.")


def _rejections(entries: Sequence[Entry]) -> Table:
    families = _by_family(entries)
    counts = {name: Counter[str]() for name in families}
    for entry in entries:
        counts[entry.family].update(entry.rejected)
    totals = sum(counts.values(), Counter[str]())
    names = list(families)
    rows = [
        [reason, *(f"{counts[name][reason]:,}" if counts[name][reason] else "" for name in names), f"{total:,}"]
        for reason, total in totals.most_common()
    ]
    kept = ["accepted", *(f"{len(members):,}" for members in families.values()), f"{len(entries):,}"]
    note = "Draws of the scenes that became pairs; scenes that failed are in summary.json."
    return Table("Draws by reason and family", ["reason", *names, "all"], [*rows, kept], note)


def _costs(entries: Sequence[Entry], timings: Mapping[str, Seconds]) -> list[Table]:
    timed = [entry for entry in entries if entry.row.id in timings]
    stages = list(dict.fromkeys(stage for entry in timed for stage in timings[entry.row.id]))
    if not stages:
        return []
    rows = [
        [name, *(f"{fmean(timings[entry.row.id].get(stage, 0.0) for entry in members):.2f}" for stage in stages)]
        for name, members in [*_by_family(timed).items(), ("all", timed)]
    ]
    note = "Means; rejected draws are part of it. total: the whole process, its start included."
    return [Table("Seconds a pair by stage", ["family", *stages], rows, note)]


def _happens(entries: Sequence[Entry]) -> list[Histogram | Bars | None]:
    return [
        histogram("First contact", _known(entry.first_contact for entry in entries), unit="s", low=0.0),
        histogram(
            "Divergence, of the image width",
            _known(entry.measured("divergence") for entry in entries),
            unit="%",
            low=0.0,
        ),
        histogram("Divergence", _known(entry.measured("divergence_metres") for entry in entries), unit="m", low=0.0),
        histogram("Largest speed", _known(entry.measured("max_speed") for entry in entries), unit="m/s", low=0.0),
        histogram(
            "Hands miss what they hold by", _known(entry.measured("hold_error") for entry in entries), unit="m", low=0.0
        ),
    ]


def _areas(entries: Sequence[Entry]) -> list[Histogram | Bars | None]:
    return [
        histogram(f"Area: {region}", _known(entry.area(region) for entry in entries), unit="%", low=0.0)
        for region in ("removed", "overlap", "affected", "keep")
    ]


def _objects(entries: Sequence[Entry]) -> list[Histogram | Bars | None]:
    specs = [entry.spec for entry in entries if entry.spec is not None]
    objects = [item for spec in specs for item in spec.objects]
    surfaces = [item.surface for item in objects if item.surface is not None]
    return [
        histogram("Objects a scene", [len(spec.objects) for spec in specs], whole=True),
        histogram("Removed objects a scene", [len(spec.removed) for spec in specs], whole=True),
        histogram("Largest side", [max(item.extents) for item in objects], unit="m", low=0.0),
        histogram("Mass", [item.mass for item in objects], unit="kg", low=0.0),
        bars("Names", Counter(item.name for item in objects)),
        bars("Colours", Counter(_color(item) for item in objects), colors=OBJECT_COLORS | WOOD_COLORS),
        bars("Patterns", Counter(surface.pattern for surface in surfaces)),
    ]


def _setting(entries: Sequence[Entry]) -> list[Histogram | Bars | None]:
    specs = [entry.spec for entry in entries if entry.spec is not None]
    people = [spec.person for spec in specs if spec.person is not None]
    floors = Counter(_floor(spec.backdrop.surface) for spec in specs)
    return [
        bars("Sequences", Counter(person.sequence for person in people)),
        bars("Characters", Counter(person.character or OWN_FIGURE for person in people)),
        bars("Camera motion", Counter(spec.camera.motion.replace("_", " ") for spec in specs)),
        bars("Skies", Counter(spec.light.sky for spec in specs)),
        bars("Floors", floors, colors=FLOOR_COLORS),
    ]


def _making(entries: Sequence[Entry], timings: Mapping[str, Seconds]) -> list[Histogram | Bars | None]:
    return [
        histogram("Draws a pair", [entry.attempts for entry in entries], whole=True),
        histogram("Words a caption", [len(entry.row.caption.split()) for entry in entries], whole=True),
        histogram(
            "Seconds a pair", _known(timings.get(entry.row.id, {}).get("total") for entry in entries), unit="s", low=0.0
        ),
        histogram("Pictures rendered a pair", _known(entry.metadata.get("pictures") for entry in entries), whole=True),
    ]


def _by_family(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    families: dict[str, list[Entry]] = {name: [] for name in sorted({entry.family for entry in entries})}
    for entry in entries:
        families[entry.family].append(entry)
    return families


def _in_split(entries: Sequence[Entry], split: str) -> int:
    return sum(entry.row.split == split for entry in entries)


def _color(item: ObjectSpec) -> str:
    return OWN_TEXTURE if item.surface is None else item.surface.color


def _floor(surface: SurfaceSpec | None) -> str:
    return "dome" if surface is None else surface.color


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _charts(charts: Iterable[Histogram | Bars | None]) -> list[Histogram | Bars]:
    return [chart for chart in charts if chart is not None]
