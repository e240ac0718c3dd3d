"""A small data folder with pairs whose metadata are those of rigid scenes, without any simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from data_gen.scene.accept import Reason
from data_gen.scene.camera import CameraPath, looking_at
from data_gen.scene.spec import BackdropSpec, LightSpec, ObjectSpec, PersonSpec, RenderSpec, SceneSpec, SurfaceSpec
from void.files import write_json
from void.pairs import Pair, pair_row, write_manifest, write_pair
from void.quadmask import Quadmask

FAMILIES = ("ball", "chain", "variable")
FPS = 8.0
NASTY = 'A <b>"ball" & box</b> {{ x }}</script> roll.'


def spec_of(index: int, size: tuple[int, int] = (32, 48), frames: int = 5) -> SceneSpec:
    rng = np.random.default_rng(index)
    names = rng.choice(["ball", "box", "mug"], 3 + index % 3)
    colors = rng.choice(["red", "blue", "green"], len(names))
    objects = tuple(
        ObjectSpec(
            str(name),
            str(name),
            "target" if i == 0 else "removed" if i == 1 else "bystander",
            SurfaceSpec("plain", str(color), "white", 0.5) if i else None,
            (1.0,) * 3,
            (0.3 + 0.1 * i,) * 3,
            float(rng.uniform(0.6, 2.0)),
            0.4,
            0.3,
            (0.0, float(i), 0.5),
        )
        for i, (name, color) in enumerate(zip(names, colors, strict=True))
    )
    place = (5.0, 0.0, 3.0)
    return SceneSpec(
        FAMILIES[index % len(FAMILIES)],
        7,
        index,
        len(rejected_of(index)),
        frames,
        int(FPS),
        objects,
        CameraPath(("static", "dolly_in")[index % 2], (place,), (looking_at(place, (0.0, 0.0, 0.2)),), 35.0, *size),
        BackdropSpec("floor", SurfaceSpec("plain", "grey", "white", 0.5), 0.5, 0.2),
        LightSpec("city", 0.0, 0.5, 1.0, (1.0, 1.0, 1.0)),
        RenderSpec(2, 1, "Standard", 0),
        PersonSpec("humoto", "wave", "Remy", 0.0, False, 0, ()) if has_person(index) else None,
    )


def has_person(index: int) -> bool:
    return index % 5 == 3


def rejected_of(index: int) -> list[str]:
    """Reasons of the draws before the accepted one."""
    reasons = (Reason.no_room, Reason.no_contact, Reason.no_effect, Reason.too_fast)
    return [reasons[(index + draw) % len(reasons)].name for draw in range(index % 4)]


def metadata_of(index: int, size: tuple[int, int] = (32, 48), frames: int = 5) -> dict[str, Any]:
    spec, reasons = spec_of(index, size, frames), rejected_of(index)
    return {
        "id": f"rigid-{index:06d}",
        "group": f"rigid:seed:7:{index}",
        "source": "rigid",
        "caption": NASTY if index == 0 else f"Caption number {index} of a rolling {spec.objects[0].name}.",
        "family": spec.family,
        "scene": spec.to_dict(),
        "removed": list(spec.removed),
        "contacts": [{"objects": [0, 1], "frame": 2.5, "force": 1.0}],
        "accepted": {
            "first_contact_frame": 1.0 + index % 3,
            "divergence": 0.1 + 0.01 * index,
            "max_speed": 3.0,
            **({"hold_error": 0.012} if has_person(index) else {}),
        },
        "attempts": len(reasons) + 1,
        "rejected": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "rejected_draws": [[attempt, reason] for attempt, reason in enumerate(reasons)],
        "areas": {"removed": 0.03, "overlap": 0.01, "affected": 0.05, "keep": 0.91},
        "pictures": 12,
    }


def clips_of(index: int, size: tuple[int, int] = (32, 48), frames: int = 5) -> Pair:
    """A square crosses the picture, and in the second clip it does not."""
    height, width = size
    hue = np.random.default_rng(index).integers(60, 200, 3)
    without_THWC = np.full((frames, height, width, 3), hue, np.uint8)
    full_THWC, primary_THW = without_THWC.copy(), np.zeros((frames, height, width), np.bool_)
    for frame in range(frames):
        left, side = frame * (width - height // 4) // frames, height // 4
        primary_THW[frame, side : 2 * side, left : left + side] = True
    full_THWC[primary_THW] = (220, 40, 40)
    affected_THW = np.roll(primary_THW, height // 6, axis=1)
    return Pair(full_THWC, without_THWC, Quadmask(primary_THW, affected_THW), FPS, metadata_of(index, size, frames))


def write_data(root: Path, count: int, size: tuple[int, int] = (32, 48), frames: int = 5) -> Path:
    for index in range(count):
        write_pair(root / "pairs" / f"rigid-{index:06d}", clips_of(index, size, frames))
    folders = sorted((root / "pairs").iterdir())
    rows = [pair_row(root, folder, split="val" if i % 5 == 4 else "train") for i, folder in enumerate(folders)]
    write_manifest(root, rows)
    height, width = size
    scene = {"frames": frames, "height": height, "width": width, "fps": int(FPS)}
    write_json(root / "generation.json", {"schema": 2, "seed": 7, "scene": scene, "assets": {}})
    return root
