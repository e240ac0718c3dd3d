"""One pair of the rigid family, from seed to folder: sample, simulate, accept, render, mask, write."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.config import AcceptConfig, MaskConfig, SceneConfig
from data_gen.rigid.accept import Reason, judge
from data_gen.rigid.assets import PACK_VERSION, Shape
from data_gen.rigid.caption import caption
from data_gen.rigid.flow import clip_flow
from data_gen.rigid.mask import quadmask
from data_gen.rigid.render import SceneRenderer, rounded_poses
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
        try:
            spec = sample_scene(config, catalogue, seed, index, attempt)
        except NoRoomError:
            reasons[Reason.no_room.name] += 1
            continue
        worlds = simulate_both(spec, workshop, scratch)
        verdict = judge(spec, *worlds, config.accept)
        if verdict.reason:
            reasons[verdict.reason.name] += 1
            continue
        pair = render_pair(spec, *worlds, config.mask, workshop, scratch, flow=config.flow)
        if not _shows_removed(pair, config.accept):
            reasons[Reason.removed_hidden.name] += 1
            continue
        facts = {"accepted": verdict.measured, "attempts": attempt + 1, "rejected": dict(sorted(reasons.items()))}
        return dataclasses.replace(pair, metadata=pair.metadata | facts)
    raise NoSceneError(reasons)


def simulate_both(spec: SceneSpec, workshop: Workshop, scratch: Path) -> tuple[World, World]:
    """The world with all objects, and the one without the removed objects."""
    everything = range(len(spec.objects))
    return simulate(spec, everything, workshop, scratch), simulate(spec, spec.survivors, workshop, scratch)


def render_pair(
    spec: SceneSpec,
    full: World,
    without: World,
    mask_config: MaskConfig,
    workshop: Workshop,
    scratch: Path,
    *,
    flow: bool = False,
) -> Pair:
    """Render the three views of a simulated scene and label their pixels; with `flow`, add the flow of both clips."""
    renderer = SceneRenderer(spec, workshop, scratch)
    full_view = renderer.render(full, range(len(spec.objects)))
    without_view = renderer.render(without, spec.survivors)
    hidden_view = renderer.render(full, spec.survivors)
    mask, noise = quadmask(full_view, without_view, hidden_view, spec.removed, moved(spec, full, without), mask_config)
    metadata = {
        "id": pair_id(spec.index),
        "group": f"{SOURCE}:seed:{spec.seed}:{spec.index}",
        "source": SOURCE,
        "caption": caption(spec, without),
        "scene": spec.to_dict(),
        "removed": list(spec.removed),
        "contacts": _contacts(full),
        "mask_noise": noise,
        "pictures": renderer.pictures,
        "versions": versions(),
    }
    pair = Pair(full_view.rgb_THWC, without_view.rgb_THWC, mask, float(spec.fps), metadata)
    if not flow:
        return pair
    surfaces, cameras = renderer.surfaces(), [spec.camera] * spec.frames
    full_T2HW, without_T2HW = (
        clip_flow(view.objects_THW, {i: rounded_poses(world, i) for i in world.positions}, surfaces, cameras)
        for view, world in ((full_view, full), (without_view, without))
    )
    return dataclasses.replace(pair, flow_full_T2HW=full_T2HW, flow_removed_T2HW=without_T2HW)


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
    packages = {name: importlib.metadata.version(name) for name in ("bpy", "kubric-nightly", "pybullet")}
    return packages | {"shapes": str(PACK_VERSION)}


def _contacts(world: World) -> list[dict[str, Any]]:
    """First contact of each pair of objects, in order; the floor does not count."""
    first: dict[tuple[int, int], dict[str, Any]] = {}
    for contact in world.contacts:
        if contact.first >= 0:
            first.setdefault(
                (contact.first, contact.second),
                {"objects": [contact.first, contact.second], "frame": contact.frame, "force": contact.force},
            )
    return list(first.values())


def _shows_removed(pair: Pair, limits: AcceptConfig) -> bool:
    """Whether the removed objects can really be seen, others in front of them considered."""
    area_T = pair.quadmask.primary_THW.mean(axis=(1, 2))
    return bool((area_T >= limits.removed_area[0] / 4).mean() >= limits.min_visible_frames)
