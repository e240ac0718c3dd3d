"""From simulated worlds to a pair: the views, the quadmask, the caption, the optional layers."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.spatial.transform import Rotation

from data_gen.config import SceneConfig
from data_gen.scene import flow, geometry
from data_gen.scene.caption import caption
from data_gen.scene.config import MaskRule
from data_gen.scene.mask import humoto_quadmask, kubric_quadmask, quadmask, windows
from data_gen.scene.simulate import FLOOR, SURROUNDINGS, World
from data_gen.scene.spec import SceneSpec
from data_gen.scene.views import PictureBook, View, rounded_poses
from data_gen.scene.workshop import Workshop
from data_gen.stopwatch import Stopwatch
from void.layers import AMODAL, DEPTH_FULL, DEPTH_REMOVED, FAR, FLOW_FULL, FLOW_REMOVED, PHYSICS
from void.pairs import Pair
from void.quadmask import Quadmask

if TYPE_CHECKING:
    from data_gen.blender.raycast import Surface

MIN_MOTION = 0.02
"""Metres by which some point of an object must differ between the worlds for its pixels to count as affected."""
WINDOW_MARGIN = 8
"""Pixels around the removed objects that view C shows anew, so that its denoiser sees some of what is around."""

Layers = dict[str, dict[str, NDArray[Any]]]


def render_pair(
    spec: SceneSpec,
    full: World,
    without: World,
    config: SceneConfig,
    workshop: Workshop,
    scratch: Path,
    watch: Stopwatch | None = None,
) -> Pair:
    """Render the views of a simulated scene and label their pixels.

    Args:
        spec: the scene.
        full, without: its two worlds.
        config: renderer, rule of the mask, style of the caption, optional layers; all else is in the spec.
        workshop: makes the scene's objects.
        scratch: an existing folder for temporary files.
        watch: told the seconds of the stages render, label and layers.
    """
    watch = watch or Stopwatch()
    with watch.stage("load"):
        renderer = open_renderer(spec, config, workshop, scratch)
    with watch.stage("render"):
        views = views_of(renderer, full, without, config.mask)
    surfaces = renderer.surfaces() if config.renderer != "preview" else {}
    if spec.render.aperture and surfaces:
        views = _sharp(spec, views, full, without, surfaces)
    with watch.stage("label"):
        mask, noise = _label(spec, views, moved(spec, full, without), config)
    with watch.stage("layers"):
        layers = {PHYSICS: physics_layer(spec, full, without)}
        if surfaces:
            around = None if spec.backdrop.kind == "floor" else renderer.backdrop_surface()
            layers |= _optional_layers(spec, config, (full, views.full), (without, views.without), surfaces, around)
    metadata = {
        "family": spec.family,
        "caption": caption(spec, without, config.caption),
        "scene": spec.to_dict(),
        "removed": list(spec.removed),
        "contacts": first_contacts(full),
        "renderer": config.renderer,
        "mask_rule": config.mask.value,
        "mask_noise": noise,
        "areas": areas(mask),
        "pictures": renderer.pictures,
        "versions": versions(workshop),
    }
    return Pair(views.full.rgb_THWC, views.without.rgb_THWC, mask, float(spec.fps), metadata, layers)


def open_renderer(spec: SceneSpec, config: SceneConfig, workshop: Workshop, scratch: Path) -> Any:
    """The renderer of `scene.renderer` with the scene loaded."""
    if config.renderer == "preview":
        from data_gen.scene.preview import PreviewRenderer

        return PreviewRenderer(spec, workshop, scratch)
    from data_gen.scene.render import BlenderRenderer

    return BlenderRenderer(spec, workshop, scratch, config.render.device, eevee=config.renderer == "eevee")


def moved(spec: SceneSpec, full: World, without: World) -> NDArray[np.bool_]:
    """Bool `(T, N)`: whether object n is visibly elsewhere, or turned, in one world; False for removed ones."""
    result = np.zeros((spec.frames, len(spec.objects)), np.bool_)
    for i in spec.survivors:
        shift_T = np.linalg.norm(full.positions[i] - without.positions[i], axis=-1)
        turns = [Rotation.from_quat(world.quaternions[i][:, [1, 2, 3, 0]]) for world in (full, without)]
        turn_T = (turns[0] * turns[1].inv()).magnitude()
        result[:, i] = shift_T + turn_T * max(spec.objects[i].extents) / 2 > MIN_MOTION
    return result


def physics_layer(spec: SceneSpec, full: World, without: World) -> dict[str, NDArray[Any]]:
    """Poses and contacts of both worlds, as `void.layers` describes them."""
    arrays: dict[str, NDArray[Any]] = {"removed": np.isin(np.arange(len(spec.objects)), spec.removed)}
    for suffix, world in (("full", full), ("removed", without)):
        positions_TN3 = np.full((spec.frames, len(spec.objects), 3), np.nan)
        quaternions_TN4 = np.full((spec.frames, len(spec.objects), 4), np.nan)
        for i in world.positions:
            positions_TN3[:, i], quaternions_TN4[:, i] = world.positions[i], world.quaternions[i]
        # All of the surroundings are one object of the layer.
        rows = [(c.frame, max(c.first, FLOOR), max(c.second, FLOOR), c.force) for c in world.contacts]
        arrays |= {
            f"positions_{suffix}": positions_TN3,
            f"quaternions_{suffix}": quaternions_TN4,
            f"contacts_{suffix}": np.array(rows, np.float64).reshape(-1, 4),
        }
    return arrays


def first_contacts(world: World) -> list[dict[str, Any]]:
    """First contact of each pair of objects, in order; floor and walls do not count."""
    first: dict[tuple[int, int], dict[str, Any]] = {}
    for contact in world.contacts:
        if contact.first not in SURROUNDINGS:
            first.setdefault(
                (contact.first, contact.second),
                {"objects": [contact.first, contact.second], "frame": contact.frame, "force": contact.force},
            )
    return list(first.values())


def areas(mask: Quadmask) -> dict[str, float]:
    """Fraction of the clip's pixels in each region of the quadmask."""
    primary, affected = mask.primary_THW, mask.affected_THW
    regions = {
        "removed": primary & ~affected,
        "overlap": primary & affected,
        "affected": affected & ~primary,
        "keep": ~affected & ~primary,
    }
    return {name: float(region_THW.mean()) for name, region_THW in regions.items()}


def versions(workshop: Workshop) -> dict[str, str]:
    """Versions of what made the pixels."""
    packages = {name: importlib.metadata.version(name) for name in ("bpy", "kubric-nightly", "pybullet")}
    return packages | {"assets": workshop.library.version}


@dataclass(frozen=True, eq=False)
class Views:
    """The views of a pair, as `data_gen.scene.mask` names them."""

    full: View
    without: View
    hidden: View
    """C: the full world with the removed objects invisible."""
    behind_THWC: NDArray[np.uint8]
    """What to compare C with: the colours of B, rendered in the same windows."""
    silhouette: View | None = None
    """The removed objects as they move in A among the others as they move in B; only where the rule asks for it."""


def views_of(renderer: PictureBook, full: World, without: World, rule: MaskRule = MaskRule.measured) -> Views:
    """A, B and C, and what else a rule of the mask needs.

    By the measured rule, C is drawn only where removed objects are seen: it differs from A there, and in their shadows.
    Where remaining objects are where they are in B, C is B. The published rules see C whole.
    """
    spec = renderer.spec
    full_view = renderer.render(full, range(len(spec.objects)))
    without_view = renderer.render(without, spec.survivors)
    if rule is not MaskRule.measured:
        hidden_view = renderer.render(full, spec.survivors)
        whole = Views(full_view, without_view, hidden_view, without_view.rgb_THWC)
        if rule is MaskRule.released_kubric:
            return whole
        return replace(whole, silhouette=renderer.render(_mixed(spec, full, without), range(len(spec.objects))))
    alike_T = _alike(spec, full, without)
    base = View(*(
        np.where(alike_T.reshape(-1, *[1] * (b.ndim - 1)), b, a)
        for a, b in ((full_view.rgb_THWC, without_view.rgb_THWC), (full_view.objects_THW, without_view.objects_THW))
    ))  # fmt: skip
    windows_T4 = windows(np.isin(full_view.objects_THW, spec.removed), WINDOW_MARGIN)
    windows_T4[alike_T] = 0
    hidden_view = renderer.render(full, spec.survivors, base=base, windows_T4=windows_T4)
    behind = renderer.render(without, spec.survivors, base=without_view, windows_T4=windows_T4)
    return Views(full_view, without_view, hidden_view, behind.rgb_THWC)


def _alike(spec: SceneSpec, full: World, without: World) -> NDArray[np.bool_]:
    """Bool `(T,)`: the pictures of both worlds without the removed objects are the same."""
    same_T = np.ones(spec.frames, np.bool_)
    for i in spec.survivors:
        same_T &= (rounded_poses(full, i) == rounded_poses(without, i)).all(axis=-1)
    if spec.render.motion_blur:
        same_T = ~binary_dilation(~same_T, iterations=1)
    return same_T


def _mixed(spec: SceneSpec, full: World, without: World) -> World:
    """The removed objects as they move in the full world, the others as they move without them."""

    def both(of_full: dict[int, Any], of_without: dict[int, Any]) -> dict[int, Any]:
        others = {i: value for i, value in of_without.items() if i not in spec.removed}
        return others | {i: of_full[i] for i in spec.removed if i in of_full}

    return World(
        both(full.positions, without.positions),
        both(full.quaternions, without.quaternions),
        (),
        joints=both(full.joints, without.joints),
    )


def _sharp(spec: SceneSpec, views: Views, full: World, without: World, surfaces: geometry.Surfaces) -> Views:
    """The views with segmentations from geometry: a lens with depth of field blurs the rendered ones."""

    def traced(view: View, world: World, visible: Sequence[int]) -> View:
        poses = {i: rounded_poses(world, i) for i in visible}
        return View(view.rgb_THWC, geometry.visible_objects(poses, surfaces, _cameras(spec)))

    return replace(
        views,
        full=traced(views.full, full, range(len(spec.objects))),
        without=traced(views.without, without, spec.survivors),
        hidden=traced(views.hidden, full, spec.survivors),
        silhouette=views.silhouette and traced(views.silhouette, _mixed(spec, full, without), range(len(spec.objects))),
    )


def _label(
    spec: SceneSpec, views: Views, moved_TN: NDArray[np.bool_], config: SceneConfig
) -> tuple[Quadmask, float | None]:
    """The quadmask by the rule asked for, and the noise it measured, if it did."""
    if config.mask is MaskRule.released_kubric:
        return kubric_quadmask(views.full, views.without, views.hidden, spec.removed), None
    if config.mask is MaskRule.released_humoto:
        assert views.silhouette is not None
        return humoto_quadmask(views.silhouette, views.without, views.hidden, spec.removed), None
    return quadmask(
        views.full, views.without, views.hidden, spec.removed, moved_TN, config.change, behind_THWC=views.behind_THWC
    )


def _optional_layers(
    spec: SceneSpec,
    config: SceneConfig,
    full: tuple[World, View],
    without: tuple[World, View],
    surfaces: geometry.Surfaces,
    around: Surface | None,
) -> Layers:
    layers: Layers = {}
    cameras = _cameras(spec)
    for (world, view), flow_name, depth_name in (
        (full, FLOW_FULL, DEPTH_FULL),
        (without, FLOW_REMOVED, DEPTH_REMOVED),
    ):
        poses = {i: rounded_poses(world, i) for i in world.positions}
        if config.flow:
            layers[flow_name] = {"flow": flow.clip_flow(view.objects_THW, poses, surfaces, cameras, around)}
        if config.depth:
            depth_THW = geometry.depth(view.objects_THW, poses, surfaces, cameras, around, FAR)
            layers[depth_name] = {"depth": depth_THW}
    if config.amodal:
        poses = {i: rounded_poses(full[0], i) for i in spec.removed}
        layers[AMODAL] = {"removed": geometry.silhouette(spec.removed, poses, surfaces, cameras)}
    return layers


def _cameras(spec: SceneSpec) -> list[Any]:
    return [spec.camera.at(frame) for frame in range(spec.frames)]
