"""One pair of the rigid family, from seed to folder: sample, simulate, accept, render, mask, write."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.config import SceneConfig
from data_gen.rigid.accept import Reason, Verdict, judge
from data_gen.rigid.assets import Shape
from data_gen.rigid.caption import caption
from data_gen.rigid.mask import quadmask
from data_gen.rigid.render import SceneRenderer
from data_gen.rigid.sample import NoRoomError, sample_scene
from data_gen.rigid.scene import Workshop
from data_gen.rigid.simulate import World, simulate
from data_gen.rigid.spec import SceneSpec
from void.pairs import Pair

SOURCE = "rigid"
MIN_MOTION = 0.02
"""Metres by which some point of an object must differ between the worlds for its pixels to count as affected."""


class NoSceneError(Exception):
    """No draw was accepted; `reasons` counts why."""

    def __init__(self, reasons: Counter[str]) -> None:
        counted = ", ".join(f"{name} {count}" for name, count in reasons.most_common())
        super().__init__(f"none of {reasons.total()} draws was accepted ({counted})")
        self.reasons = reasons


@dataclass(frozen=True)
class Draw:
    """An accepted scene and its physics."""

    spec: SceneSpec
    full: World
    without: World
    verdict: Verdict


def pair_id(index: int) -> str:
    """Name of scene `index`, which is also the name of its folder."""
    return f"{SOURCE}-{index:06d}"


def produce(
    config: SceneConfig, catalogue: dict[str, Shape], manifest: Path, seed: int, index: int, scratch: Path
) -> Pair:
    """Make the pair of one scene.

    Args:
        config: of the scenes.
        catalogue: shapes to draw from.
        manifest: of the asset pack.
        seed: of the data set.
        index: of the scene.
        scratch: an existing folder for temporary files.

    Raises:
        NoSceneError: nothing was accepted in `config.max_attempts` draws.
    """
    workshop = Workshop(manifest, scratch)
    reasons: Counter[str] = Counter()
    for attempt in range(config.max_attempts):
        draw = try_draw(config, catalogue, workshop, seed, index, attempt, scratch)
        if isinstance(draw, Reason):
            reasons[draw.name] += 1
            continue
        pair = render_pair(draw, config, workshop, scratch)
        if not _shows_removed(pair, draw.spec, config):
            reasons[Reason.removed_hidden.name] += 1
            continue
        pair.metadata["attempts"] = attempt + 1
        pair.metadata["rejected"] = dict(sorted(reasons.items()))
        return pair
    raise NoSceneError(reasons)


def try_draw(
    config: SceneConfig,
    catalogue: dict[str, Shape],
    workshop: Workshop,
    seed: int,
    index: int,
    attempt: int,
    scratch: Path,
) -> Draw | Reason:
    """Draw a scene and simulate both worlds; the reason when it is not accepted."""
    try:
        spec = sample_scene(config, catalogue, seed, index, attempt)
    except NoRoomError:
        return Reason.no_room
    full = simulate(spec, range(len(spec.objects)), workshop, scratch)
    without = simulate(spec, spec.survivors, workshop, scratch)
    verdict = judge(spec, full, without, config.accept)
    return verdict.reason or Draw(spec, full, without, verdict)


def render_pair(draw: Draw, config: SceneConfig, workshop: Workshop, scratch: Path) -> Pair:
    """Render the three views of an accepted scene and label their pixels."""
    spec = draw.spec
    renderer = SceneRenderer(spec, workshop, scratch)
    full = renderer.render(draw.full, range(len(spec.objects)))
    without = renderer.render(draw.without, spec.survivors)
    hidden = renderer.render(draw.full, spec.survivors)
    mask, noise = quadmask(
        (full.rgb_THWC, full.objects_THW),
        (without.rgb_THWC, without.objects_THW),
        (hidden.rgb_THWC, hidden.objects_THW),
        spec.removed,
        moved(spec, draw.full, draw.without),
        config.mask,
    )
    metadata = {
        "id": pair_id(spec.index),
        "group": f"{SOURCE}:seed:{spec.seed}:{spec.index}",
        "source": SOURCE,
        "caption": caption(spec, draw.without),
        "scene": spec.to_dict(),
        "removed": list(spec.removed),
        "accepted": draw.verdict.measured,
        "contacts": _contacts(draw.full, spec),
        "mask_noise": noise,
        "pictures": renderer.pictures,
        "versions": versions(),
    }
    return Pair(full.rgb_THWC, without.rgb_THWC, mask, float(spec.fps), metadata)


def moved(spec: SceneSpec, full: World, without: World) -> NDArray[np.bool_]:
    """Bool `(T, N)`: whether object n is visibly elsewhere, or turned, in one world; False for removed ones."""
    result = np.zeros((spec.frames, len(spec.objects)), np.bool_)
    for i in spec.survivors:
        shift_T = np.linalg.norm(full.positions[i] - without.positions[i], axis=-1)
        turns = [Rotation.from_quat(world.quaternions[i][:, [1, 2, 3, 0]]) for world in (full, without)]
        turn_T = (turns[0] * turns[1].inv()).magnitude()
        result[:, i] = shift_T + turn_T * max(spec.objects[i].extents) / 2 > MIN_MOTION
    return result


def versions() -> dict[str, str]:
    """Versions of what made the pixels."""
    return {name: importlib.metadata.version(name) for name in ("bpy", "kubric-nightly", "pybullet")}


def _contacts(world: World, spec: SceneSpec) -> list[dict[str, Any]]:
    """First contact of each pair of objects, in order; the floor does not count."""
    first: dict[tuple[int, int], dict[str, Any]] = {}
    for contact in world.contacts:
        if contact.first >= 0:
            first.setdefault(
                (contact.first, contact.second),
                {"objects": [contact.first, contact.second], "frame": contact.frame, "force": contact.force},
            )
    return list(first.values())


def _shows_removed(pair: Pair, spec: SceneSpec, config: SceneConfig) -> bool:
    area_T = pair.quadmask.primary_THW.mean(axis=(1, 2))
    least = config.accept.removed_area[0] / 4
    return bool((area_T >= least).mean() >= config.accept.min_visible_frames)
