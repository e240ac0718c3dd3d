"""Whether a simulated scene is worth rendering: pure functions of the two worlds, with the reason when it is not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.scene.config import AcceptConfig
from data_gen.scene.influence import acts, reached
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from void.quadmask import Quadmask


class Reason(StrEnum):
    """Why a scene is not used."""

    no_room = "the objects would touch at the start"
    not_finite = "the physics broke down"
    too_fast = "an object is faster than accept.max_speed"
    below_floor = "an object sinks into the floor"
    spawn_overlap = "objects are inside one another at the start"
    target_out_of_view = "the target starts outside the picture"
    removed_out_of_view = "a removed object is in view too briefly"
    removed_size = "a removed object is too small or too large in the picture"
    no_contact = "a removed object touches nothing, directly or through others"
    contact_time = "the first contact is too early or too late"
    worlds_disagree = "the worlds differ where no removed object has had an effect yet"
    unsteady = "what should be held up falls by itself"
    no_effect = "nothing moves visibly otherwise"
    has_effect = "something moves otherwise, in a scene where nothing may"
    bad_sequence = "the sequence cannot be used"
    tunnelled = "an object passes through another that does not move, or through a wall"
    missed_hold = "a hand misses what it holds"
    removed_hidden = "the removed objects are hidden in the rendered clip"


@dataclass(frozen=True)
class Verdict:
    """`reason` is None for an accepted scene; `measured` holds the numbers the decision used."""

    reason: Reason | None
    measured: dict[str, float] = field(default_factory=dict)


def judge(
    spec: SceneSpec,
    full: World,
    without: World,
    limits: AcceptConfig,
    *,
    contact_window: tuple[float, float],
    changes: bool,
    steady: bool = False,
) -> Verdict:
    """Decide on physics alone.

    Args:
        spec: of the scene.
        full: the world with all objects.
        without: the world without the removed ones.
        limits: see `AcceptConfig`.
        contact_window: fractions of the clip between which a removed object first has an effect.
        changes: whether the worlds must differ; if not, no remaining object may move otherwise.
        steady: whether targets must stay where they are in the full world.
    """
    reason = _sanity(spec, full, limits) or _sanity(spec, without, limits)
    if reason:
        return Verdict(reason)
    speeds = [_speed(spec, world) for world in (full, without)]
    measured = {"max_speed": max(speeds)}
    reason = _framing(spec, full, limits, measured)
    if reason:
        return Verdict(reason, measured)
    if steady and any(_wandering(full, i) > limits.max_settling for i in spec.targets):
        return Verdict(Reason.unsteady, measured)
    reach = reached(spec, full, without)
    first = min((reach[i] for i in spec.survivors), default=np.inf)
    if np.isfinite(first):
        measured["first_contact_frame"] = float(first)
    apart = {i: np.linalg.norm(full.positions[i] - without.positions[i], axis=-1) for i in spec.survivors}
    if changes:
        if not np.isfinite(first) or (limits.every_removed_acts and not all(acts(spec, full, i) for i in spec.removed)):
            return Verdict(Reason.no_contact, measured)
        low, high = (share * (spec.frames - 1) for share in contact_window)
        if not low <= first <= high:
            return Verdict(Reason.contact_time, measured)
    untouched = [gap[: _frames_before(reach[i], spec.frames)] for i, gap in apart.items()]
    measured["disagreement_before_contact"] = max((float(gap.max()) for gap in untouched if gap.size), default=0.0)
    if measured["disagreement_before_contact"] > limits.agreement:
        return Verdict(Reason.worlds_disagree, measured)
    measured["divergence"] = max((_divergence(spec, full, without, i) for i in spec.survivors), default=0.0)
    measured["divergence_metres"] = max((float(gap.max()) for gap in apart.values()), default=0.0)
    if changes and measured["divergence"] < limits.min_divergence:
        return Verdict(Reason.no_effect, measured)
    if not changes and measured["divergence"] > limits.max_no_effect:
        return Verdict(Reason.has_effect, measured)
    return Verdict(None, measured)


def _sanity(spec: SceneSpec, world: World, limits: AcceptConfig) -> Reason | None:
    states = [*world.positions.values(), *world.quaternions.values()]
    if not all(np.isfinite(state).all() for state in states):
        return Reason.not_finite
    if world.overlap > limits.max_overlap:
        return Reason.spawn_overlap
    if _speed(spec, world) > limits.max_speed:
        return Reason.too_fast
    if world.crossings:
        return Reason.tunnelled
    return Reason.below_floor if world.sinking > limits.max_sinking else None


def _speed(spec: SceneSpec, world: World) -> float:
    """Of the fastest object, metres per second."""
    steps = [np.linalg.norm(np.diff(positions_T3, axis=0), axis=-1) for positions_T3 in world.positions.values()]
    return max((float(step.max()) * spec.fps for step in steps), default=0.0)


def _wandering(world: World, index: int) -> float:
    """Metres an object gets away from where it started."""
    return float(np.linalg.norm(world.positions[index] - world.positions[index][0], axis=-1).max())


def _framing(spec: SceneSpec, full: World, limits: AcceptConfig, measured: dict[str, float]) -> Reason | None:
    views = {i: _view(spec, full, i) for i in (*spec.targets, *spec.removed)}
    if not all(views[i].inside[0] for i in spec.targets):
        return Reason.target_out_of_view
    measured["removed_visible"] = min(float(views[i].inside.mean()) for i in spec.removed)
    measured["removed_area"] = min(float(views[i].area.max()) for i in spec.removed)
    if measured["removed_visible"] < limits.min_visible_frames:
        return Reason.removed_out_of_view
    low, high = limits.removed_area
    return None if all(low <= views[i].area.max() <= high for i in spec.removed) else Reason.removed_size


def _frames_before(reach: float, frames: int) -> int:
    """Number of frames whose poses know nothing of a contact at `reach`."""
    return frames if np.isinf(reach) else int(np.ceil(reach))


@dataclass(frozen=True, eq=False)
class _View:
    inside: NDArray[np.bool_]
    """`(T,)`: the middle of the object is in the picture."""
    area: NDArray[np.float64]
    """`(T,)`: fraction of the picture that the projected bounding box covers (about; occlusion is not known yet)."""


def _view(spec: SceneSpec, world: World, index: int) -> _View:
    positions_T3, quaternions_T4 = world.positions[index], world.quaternions[index]
    half = np.array(spec.objects[index].extents) / 2
    corners_83 = np.array(list(itertools.product((-1, 1), repeat=3))) * half
    turns = Rotation.from_quat(quaternions_T4[:, [1, 2, 3, 0]])
    points_T93 = np.stack([positions_T3, *(turns.apply(corner) + positions_T3 for corner in corners_83)], axis=1)
    image_T92, depth_T9 = _project(spec, points_T93)
    inside = ((image_T92[:, 0] > 0) & (image_T92[:, 0] < 1)).all(axis=-1) & (depth_T9[:, 0] > 0)
    corners_T82 = image_T92[:, 1:].clip(0, 1)
    sides_T2 = corners_T82.max(axis=1) - corners_T82.min(axis=1)
    return _View(inside, np.where(inside, sides_T2.prod(axis=-1), 0.0))


def _project(spec: SceneSpec, points_TN3: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Image positions `(T, N, 2)` and depths `(T, N)` of points as the camera of each frame sees them."""
    places, depths = zip(*(spec.camera.at(t).project(points) for t, points in enumerate(points_TN3)), strict=True)
    return np.stack(places), np.stack(depths)


def _divergence(spec: SceneSpec, full: World, without: World, index: int) -> float:
    """Largest distance between the object's places in the two pictures, in image widths, in frames that show either."""
    both_T23 = np.stack([full.positions[index], without.positions[index]], axis=1)
    image_T22, _ = _project(spec, both_T23)
    seen_T = ((image_T22 > 0) & (image_T22 < 1)).all(axis=-1).any(axis=-1)
    first_T2, second_T2 = image_T22.clip(0, 1).transpose(1, 0, 2)
    step_T2 = (first_T2 - second_T2) * [1, spec.camera.height / spec.camera.width]
    return float(np.where(seen_T, np.linalg.norm(step_T2, axis=-1), 0.0).max())


def shows_removed(mask: Quadmask, limits: AcceptConfig) -> bool:
    """Whether the removed objects can really be seen in the rendered clip, others in front of them considered."""
    area_T = mask.primary_THW.mean(axis=(1, 2))
    return bool((area_T >= limits.removed_area[0] / 4).mean() >= limits.min_visible_frames)
