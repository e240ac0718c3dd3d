"""Calibrates the morphing detector on simulated pairs and tells its precision and recall on others.

    .venv/bin/python benchmarks/morphing.py DATA_ROOT [--calibrate N] [--sheet FILE.png] [--cases FILE.json]

Simulated clips never morph: the counterfactual clip of each pair as it is, softened, and as H.264 at crf 28; and the
factual one, a harder case, for in its affected region things collide at speed. Made to morph, in the affected region
and growing over the clip, they are the positives: elastic deformation, wobble, swelling, and colours that turn into
others.

The first N pairs of the manifest give the units: the drift that a tenth of their counterfactual clips reach. Precision
and recall are those of the pairs after them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from void.data.randomness import child_seed
from void.files import write_json
from void.noise import morphing as detector
from void.noise.flow import DisFlow
from void.pairs import ManifestRow, Pair, read_manifest, read_pair
from void.progress import progress_bar
from void.video import read_video, write_video

Frames = NDArray[np.uint8]
# Strength: displacement as a share of the height, growth, or share of the other colour, at the end of the clip.
STRENGTHS = {
    "elastic": (0.015, 0.03, 0.06),
    "wobble": (0.015, 0.03),
    "swelling": (0.1, 0.2, 0.4),
    "colour": (0.25, 0.5, 1.0),
}
WOBBLE_FRAMES = 12
FALSE_ALARMS = 0.1
DRIFTS = ("appearance", "shape")
HARDER = "factual"
SHEET_ROWS = 4
# Stands for the drift of a clip in which no track lasts: `stage=auto` runs the second pass for it.
LOST = 100.0


@dataclass(frozen=True)
class Case:
    """A clip and its drifts; strength 0: it does not morph."""

    pair: str
    kind: str
    strength: float
    appearance: float
    shape: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="a data folder of `void generate`")
    parser.add_argument("--calibrate", type=int, help="pairs that give the units (half of them)")
    parser.add_argument("--sheet", type=Path, help="also draw a few held-out cases into this PNG")
    parser.add_argument("--cases", type=Path, help="also write the drifts of every clip")
    arguments = parser.parse_args()
    rows = read_manifest(arguments.root)
    first = arguments.calibrate or len(rows) // 2
    console = Console(width=100)
    with progress_bar("pairs", len(rows)) as advance:
        calibration, held_out = (
            [case for row in part for case in cases_of(arguments.root, row, advance, with_morphs=with_morphs)]
            for part, with_morphs in ((rows[:first], False), (rows[first:], True))
        )
    calm = [case for case in calibration if case.kind != HARDER]
    units = [float(np.quantile([getattr(case, name) for case in calm], 1 - FALSE_ALARMS)) for name in DRIFTS]
    console.print(
        f"units from {first} pairs: appearance {units[0]:.2f}, shape {units[1]:.3f}; "
        f"in use: {detector.APPEARANCE_UNIT}, {detector.SHAPE_UNIT}"
    )
    console.print(report(held_out, f"{len(rows) - first} other pairs"))
    for without, cases in (
        ("", held_out),
        (" without factual clips", [case for case in held_out if case.kind != HARDER]),
    ):
        console.print(summary(cases) + without)
    if arguments.cases:
        write_json(arguments.cases, [asdict(case) for case in calibration + held_out])
    if arguments.sheet:
        draw(arguments.root, rows[first : first + SHEET_ROWS], arguments.sheet)


def score(case: Case) -> float:
    """The detector's score, by the units in use."""
    return max(case.appearance / detector.APPEARANCE_UNIT, case.shape / detector.SHAPE_UNIT)


def report(cases: list[Case], title: str) -> Table:
    """Alarms by kind and strength."""
    table = Table(title=f"{title}: clips with a score of at least 1")
    for heading in ("kind", "strength", "clips", "alarms", "share"):
        table.add_column(heading, justify="right" if heading != "kind" else "left")
    for kind, strength in sorted({(case.kind, case.strength) for case in cases}, key=lambda key: (key[1] > 0, key)):
        alarms = [score(case) >= 1 for case in cases if (case.kind, case.strength) == (kind, strength)]
        table.add_row(kind, f"{strength:g}", str(len(alarms)), str(sum(alarms)), f"{np.mean(alarms):.0%}")
    return table


def summary(cases: list[Case]) -> str:
    """Precision and recall, with their counts."""
    morphs = np.array([case.strength > 0 for case in cases])
    alarms = np.array([score(case) >= 1 for case in cases])
    hits, false = int((alarms & morphs).sum()), int((alarms & ~morphs).sum())
    recall, false_share = hits / morphs.sum(), false / (~morphs).sum()
    return (
        f"recall {recall:.2f} ({hits} of {morphs.sum()}), "
        f"false alarms {false_share:.2f} ({false} of {(~morphs).sum()}), "
        f"precision {hits / max(1, hits + false):.2f}, "
        f"or {recall / (recall + false_share):.2f} if half of all clips morph"
    )


def cases_of(root: Path, row: ManifestRow, advance: Callable[[], None], *, with_morphs: bool) -> Iterator[Case]:
    """Every clip that a pair gives, with its drifts."""
    pair = read_pair(root / row.path)
    region_THW = pair.quadmask.primary_THW | pair.quadmask.affected_THW
    for kind, strength, frames_THWC in clips_of(row, pair):
        if strength == 0 or with_morphs:
            found = detector.drifts(frames_THWC, region_THW, DisFlow())
            if isinstance(found, detector.Obstacle):
                found = (LOST, LOST) if found is detector.Obstacle.no_tracks else (0.0, 0.0)
            yield Case(row.id, kind, strength, *found)
    advance()


def clips_of(row: ManifestRow, pair: Pair) -> Iterator[tuple[str, float, Frames]]:
    """Kind, strength (0: it does not morph) and frames of every clip that a pair gives."""
    true_THWC = pair.rgb_removed_THWC
    yield "true", 0.0, true_THWC
    yield HARDER, 0.0, pair.rgb_full_THWC
    yield "softened", 0.0, np.stack([cv2.GaussianBlur(frame, (0, 0), 1.2) for frame in true_THWC])
    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder) / "clip.mp4", true_THWC, pair.fps, crf=28)
        yield "H.264", 0.0, read_video(Path(folder) / "clip.mp4")[0]
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            draws = np.random.default_rng(child_seed("morph", row.id, kind))
            yield kind, strength, MORPHS[kind](true_THWC, _soft(pair.quadmask.affected_THW), strength, draws)


def _soft(region_THW: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The region, grown and with a soft border, in [0, 1]."""
    sigma = region_THW.shape[1] / 48
    grown = (cv2.dilate(mask.astype(np.float32), np.ones((5, 5), np.uint8)) for mask in region_THW)
    return np.stack([cv2.GaussianBlur(mask, (0, 0), sigma) for mask in grown])


def _waves(height: int, width: int, draws: np.random.Generator) -> NDArray[np.float32]:
    """A smooth random displacement `(2, H, W)` of unit variance."""
    noise = (draws.normal(size=(height, width)).astype(np.float32) for _ in range(2))
    field = np.stack([cv2.GaussianBlur(one, (0, 0), height / 16) for one in noise])
    return field / field.std()


def _displaced(frame: Frames, x: NDArray[np.float32], y: NDArray[np.float32]) -> Frames:
    rows, columns = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]].astype(np.float32)
    return np.asarray(
        cv2.remap(frame, columns + x, rows + y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def elastic(frames: Frames, soft: NDArray[np.float32], strength: float, draws: np.random.Generator) -> Frames:
    """A smooth deformation that grows."""
    count, height, width, _ = frames.shape
    x, y = np.float32(strength * height) * _waves(height, width, draws)
    grown = np.linspace(0, 1, count, dtype=np.float32)
    return np.stack([_displaced(frame, g * m * x, g * m * y) for frame, m, g in zip(frames, soft, grown, strict=True)])


def wobble(frames: Frames, soft: NDArray[np.float32], strength: float, draws: np.random.Generator) -> Frames:
    """A smooth deformation to and fro."""
    count, height, width, _ = frames.shape
    x, y = np.float32(strength * height) * _waves(height, width, draws)
    swing = np.sin(2 * np.pi * np.arange(count, dtype=np.float32) / WOBBLE_FRAMES + np.float32(draws.uniform(0, 6.28)))
    return np.stack([_displaced(frame, g * m * x, g * m * y) for frame, m, g in zip(frames, soft, swing, strict=True)])


def swelling(frames: Frames, soft: NDArray[np.float32], strength: float, _: np.random.Generator) -> Frames:
    """The region grows about its centre."""
    rows, columns = np.mgrid[0 : frames.shape[1], 0 : frames.shape[2]].astype(np.float32)
    swollen = []
    for share, frame, mask in zip(np.linspace(0, 1, len(frames)), frames, soft, strict=True):
        total = mask.sum() + 1e-6
        pull = np.float32(1 - 1 / (1 + strength * share)) * mask
        x, y = pull * ((mask * columns).sum() / total - columns), pull * ((mask * rows).sum() / total - rows)
        swollen.append(_displaced(frame, x, y))
    return np.stack(swollen)


def colour(frames: Frames, soft: NDArray[np.float32], strength: float, _: np.random.Generator) -> Frames:
    """Hues turn by 120 degrees."""
    turned = []
    for share, frame, mask in zip(np.linspace(0, strength, len(frames)), frames, soft, strict=True):
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + 60) % 180
        weight = (share * mask)[..., None]
        turned.append(((1 - weight) * frame + weight * cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)).round().astype(np.uint8))
    return np.stack(turned)


MORPHS: dict[str, Callable[[Frames, NDArray[np.float32], float, np.random.Generator], Frames]] = {
    "elastic": elastic,
    "wobble": wobble,
    "swelling": swelling,
    "colour": colour,
}


def draw(root: Path, rows: list[ManifestRow], sheet: Path) -> None:
    """First, middle and last frame of a few clips of each pair, with their scores."""
    lines = []
    for row in rows:
        pair = read_pair(root / row.path)
        tiles = []
        for kind, strength, frames_THWC in clips_of(row, pair):
            if kind == "true" or strength in {STRENGTHS[name][-1] for name in STRENGTHS if name == kind}:
                found = detector.morphing(frames_THWC, pair.quadmask, DisFlow())
                strip = np.concatenate([frames_THWC[index] for index in (0, len(frames_THWC) // 2, -1)], axis=1)
                banner = np.full((16, strip.shape[1], 3), 255, np.uint8)
                shown = "not measured" if found.score is None else f"{found.score:.2f}"
                text = f"{kind} {strength:g}: score {shown}"
                cv2.putText(banner, text, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
                tiles.append(np.concatenate([banner, strip]))
        lines.append(np.concatenate(tiles, axis=1))
    cv2.imwrite(str(sheet), cv2.cvtColor(np.concatenate(lines), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
