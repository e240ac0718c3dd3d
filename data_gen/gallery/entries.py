"""The pairs of a data folder as its pages need them: from the manifest and each pair's metadata.json."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from data_gen.scene.caption.words import listed, noun
from data_gen.scene.spec import SceneSpec
from void.files import read_json
from void.pairs import METADATA, VIDEOS, ManifestRow, read_manifest

OTHER = "other"
"""Family of a pair that names none."""


@dataclass(frozen=True)
class Entry:
    """One pair."""

    row: ManifestRow
    folder: Path
    metadata: dict[str, Any]

    @property
    def family(self) -> str:
        """The kind of scene."""
        return str(self.metadata.get("family", OTHER))

    @property
    def checksums(self) -> list[str]:
        """Of the three videos."""
        return [self.row.checksums[name] for name in VIDEOS]

    @cached_property
    def spec(self) -> SceneSpec | None:
        """The scene; None for pairs that are no rigid scenes."""
        scene = self.metadata.get("scene")
        return SceneSpec.from_dict(scene) if isinstance(scene, dict) and "objects" in scene else None

    @property
    def number(self) -> int:
        """How many scenes of its split and family came before it."""
        return int(self.metadata.get("number", 0))

    @property
    def attempts(self) -> int:
        """Draws that the scene took."""
        return int(self.metadata.get("attempts", 1))

    @property
    def rejected(self) -> dict[str, int]:
        """Draws before the accepted one, by reason."""
        return {str(reason): int(count) for reason, count in self.metadata.get("rejected", {}).items()}

    @property
    def rejected_draws(self) -> list[tuple[int, str]]:
        """Attempt and reason of each of them."""
        return [(int(attempt), str(reason)) for attempt, reason in self.metadata.get("rejected_draws", [])]

    @property
    def first_contact(self) -> float | None:
        """Seconds until a removed object first has an effect."""
        frame = self.measured("first_contact_frame")
        return None if frame is None else frame / self.row.fps

    def measured(self, name: str) -> float | None:
        """One of the numbers that the scene was accepted by."""
        return _number(self.metadata.get("accepted", {}).get(name))

    def area(self, region: str) -> float | None:
        """Mean fraction of the picture that a region of the quadmask covers."""
        return _number(self.metadata.get("areas", {}).get(region))

    def facts(self) -> list[tuple[str, str]]:
        """What the pair's card lists."""
        spec = self.spec
        known: list[tuple[str, str | None]] = []
        if spec is not None:
            gone = listed([noun(spec.objects[i]) for i in spec.removed])
            known += [
                ("objects", str(len(spec.objects))),
                ("removed", gone),
                ("camera", spec.camera.motion.replace("_", " ")),
            ]
        regions = [(name, self.area(name)) for name in ("removed", "overlap", "affected", "keep")]
        known += [
            ("first contact", _as_text(self.first_contact, "{:.2f} s")),
            ("hands miss by", _as_text(self.measured("hold_error"), "{:.3f} m")),
            ("divergence", _as_text(self.measured("divergence"), "{:.0%} of the width")),
            ("areas", ", ".join(f"{name} {area:.1%}" for name, area in regions if area is not None) or None),
            ("draws", str(self.attempts)),
        ]
        return [(name, value) for name, value in known if value is not None]


def read_entries(root: Path) -> list[Entry]:
    """All pairs of a data folder, in the manifest's order.

    Raises:
        InputError: the manifest or a pair's metadata is missing or unreadable.
    """
    rows = read_manifest(root)
    return [Entry(row, root / row.path, read_json(root / row.path / METADATA)) for row in rows]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _as_text(value: float | None, form: str) -> str | None:
    return None if value is None else form.format(value)
