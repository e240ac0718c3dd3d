"""Whether a simulated scene is worth rendering: pure functions of the two worlds, with the reason when it is not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.config import AcceptConfig
from data_gen.rigid.simulate import World
from data_gen.rigid.spec import SceneSpec


class Reason(StrEnum):
    """Why a scene is not used."""

    no_room = "the objects would touch at the start"
    not_finite = "the physics broke down"
    too_fast = "an object is faster than accept.max_speed"
    below_floor = "an object sinks into the floor"
    target_out_of_view = "the target starts outside the picture"
    removed_out_of_view = "a removed object is in view too briefly"
    removed_size = "a removed object is too small or too large in the picture"
    no_contact = "a removed object touches nothing"
    contact_time = "the first contact is too early or too late"
    worlds_disagree = "the worlds differ before the first contact"
    no_effect = "nothing moves visibly otherwise"
    removed_hidden = "the removed objects are hidden in the rendered clip"


@dataclass(frozen=True)
class Verdict:
    """`reason` is None for an accepted scene; `measured` holds the numbers the decision used."""

    reason: Reason | None
    measured: dict[str, float] = field(default_factory=dict)


def judge(spec: SceneSpec, full: World, without: World, limits: AcceptConfig) -> Verdict:
    """Decide on physics alone.

    Args:
        spec: of the scene.
        full: the world with all objects.
        without: the world without the removed ones.
        limits: see `AcceptConfig`.
    """
    reason = _sanity(spec, full, limits) or _sanity(spec, without, limits)
    if reason:
        return Verdict(reason)
    views = {i: _view(spec, full, i) for i in range(len(spec.objects))}
    if not views[spec.target].inside[0]:
        return Verdict(Reason.target_out_of_view)
    for i in spec.removed:
        if views[i].inside.mean() < limits.min_visible_frames:
            return Verdict(Reason.removed_out_of_view)
        if not limits.removed_area[0] <= views[i].area.max() <= limits.removed_area[1]:
            return Verdict(Reason.removed_size)
    contacts = [full.first_contact([i], spec.survivors) for i in spec.removed]
    touching = [frame for frame in contacts if frame is not None]
    if len(touching) < len(contacts):
        return Verdict(Reason.no_contact)
    first = min(touching)
    measured = {"first_contact_frame": first}
    low, high = (share * (spec.frames - 1) for share in limits.contact_window)
    if not low <= first <= high:
        return Verdict(Reason.contact_time, measured)
    before = int(np.ceil(first))
    apart = {i: np.linalg.norm(full.positions[i] - without.positions[i], axis=-1) for i in spec.survivors}
    measured["disagreement_before_contact"] = max(float(gap[:before].max()) for gap in apart.values())
    if measured["disagreement_before_contact"] > limits.agreement:
        return Verdict(Reason.worlds_disagree, measured)
    measured["divergence"] = max(_divergence(spec, full, without, i) for i in spec.survivors)
    measured["divergence_metres"] = max(float(gap.max()) for gap in apart.values())
    if measured["divergence"] < limits.min_divergence:
        return Verdict(Reason.no_effect, measured)
    return Verdict(None, measured)


def _sanity(spec: SceneSpec, world: World, limits: AcceptConfig) -> Reason | None:
    for i, positions_T3 in world.positions.items():
        if not (np.isfinite(positions_T3).all() and np.isfinite(world.quaternions[i]).all()):
            return Reason.not_finite
        if (np.linalg.norm(np.diff(positions_T3, axis=0), axis=-1) * spec.fps > limits.max_speed).any():
            return Reason.too_fast
        # However it lies, a shape of the pack has its centre of mass higher than a quarter of its smallest side.
        if (positions_T3[:, 2] < _least_height(spec, i) - limits.floor_tolerance).any():
            return Reason.below_floor
    return None


def _least_height(spec: SceneSpec, index: int) -> float:
    item = spec.objects[index]
    return 0.25 * min(item.extents)


@dataclass(frozen=True, eq=False)
class _View:
    inside: NDArray[np.bool_]
    """`(T,)`: the middle of the object is in the picture."""
    area: NDArray[np.float64]
    """`(T,)`: fraction of the picture that the projected bounding box covers (about; occlusion is not known yet)."""


def _view(spec: SceneSpec, world: World, index: int) -> _View:
    positions, quaternions = world.positions[index], world.quaternions[index]
    center_T2, depth = spec.camera.project(positions)
    inside = ((center_T2 > 0) & (center_T2 < 1)).all(axis=-1) & (depth > 0)
    half = np.array(spec.objects[index].extents) / 2
    corners_83 = np.array(list(itertools.product((-1, 1), repeat=3))) * half
    turns = Rotation.from_quat(quaternions[:, [1, 2, 3, 0]])
    world_T83 = np.stack([turns.apply(corner) for corner in corners_83], axis=1) + positions[:, None]
    image, _ = spec.camera.project(world_T83.reshape(-1, 3))
    image = image.reshape(-1, 8, 2).clip(0, 1)
    sides_T2 = image.max(axis=1) - image.min(axis=1)
    return _View(inside, np.where(inside, sides_T2.prod(axis=-1), 0.0))


def _divergence(spec: SceneSpec, full: World, without: World, index: int) -> float:
    """Largest distance between the object's places in the two pictures, in image widths, in frames that show either."""
    first_T2, _ = spec.camera.project(full.positions[index])
    second_T2, _ = spec.camera.project(without.positions[index])
    seen = ((first_T2 > 0) & (first_T2 < 1)).all(axis=-1) | ((second_T2 > 0) & (second_T2 < 1)).all(axis=-1)
    step = (first_T2.clip(0, 1) - second_T2.clip(0, 1)) * [1, spec.camera.height / spec.camera.width]
    return float(np.where(seen, np.linalg.norm(step, axis=-1), 0.0).max())
