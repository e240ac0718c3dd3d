"""Pictures of a scene with `kubric.renderer.Blender`: one loaded scene, from which every view is rendered.

Poses are rounded to 0.1 mm before they are rendered. Two frames, of one view or of several, that show the same objects
at the same places are then the same picture, as light, camera and noise pattern are fixed, and it is rendered once.
Only the denoiser's rounding depends on what was rendered before; a worker renders one scene, always in one order.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_gen.blender.kubric_compat import load_renderer
from data_gen.rigid.mask import View
from data_gen.rigid.palette import linear_rgb
from data_gen.rigid.scene import Workshop
from data_gen.rigid.simulate import World
from data_gen.rigid.spec import SceneSpec

if TYPE_CHECKING:
    from data_gen.blender.raycast import Surface

POSE_DIGITS = 4

# Objects in view with their rounded poses.
_Key = tuple[tuple[int, tuple[float, ...]], ...]


def rounded_poses(world: World, index: int) -> NDArray[np.float64]:
    """Position and quaternion `(T, 7)` of an object as its pictures show it."""
    return np.concatenate([world.positions[index], world.quaternions[index]], axis=-1).round(POSE_DIGITS)


class SceneRenderer:
    """Blender with one scene in it.

    Args:
        spec: the scene; all its objects are loaded.
        workshop: makes the Kubric objects.
        scratch: an existing folder for Blender's files.
    """

    def __init__(self, spec: SceneSpec, workshop: Workshop, scratch: Path) -> None:
        self._spec = spec
        self._scratch = scratch
        self._adjust = workshop.kb.adjust_segmentation_idxs
        self._pictures: dict[_Key, tuple[NDArray[np.uint8], NDArray[np.int64]]] = {}
        blender = load_renderer()
        from data_gen.blender import engine, light, surface

        logging.getLogger("kubric").setLevel(logging.WARNING)
        self._scene = workshop.scene(spec)
        self._blender = blender(self._scene, scratch_dir=scratch, samples_per_pixel=spec.samples)
        engine.configure(self._blender, seed=spec.render_seed, view_transform=spec.view_transform)
        engine.only_segmentation(self._blender)
        light.light_sky(self._blender, hdri=spec.light.hdri, level=spec.light.level, rotation=spec.light.rotation)
        if spec.light.sun:
            self._scene += workshop.kb.DirectionalLight(
                name="sun", position=spec.light.sun_position, look_at=(0, 0, 0), intensity=spec.light.sun
            )
        self._scene.camera = workshop.camera(spec)
        (floor,) = (asset for asset in self._scene.assets if asset.name == "floor")
        surface.paint_floor(
            floor.material.linked_objects[self._blender],
            pattern=spec.floor.pattern,
            color=linear_rgb(spec.floor.color),
            second=linear_rgb(spec.floor.second_color),
        )
        self._objects = workshop.add(self._scene, spec, range(len(spec.objects)))
        for asset in self._objects.values():
            surface.smooth(asset.linked_objects[self._blender].data)

    def render(self, world: World, visible: Sequence[int]) -> View:
        """Render the objects `visible` moving as in `world`, all T frames."""
        poses = {i: rounded_poses(world, i) for i in visible}
        keys: list[_Key] = [
            tuple((i, tuple(float(value) for value in poses[i][frame])) for i in visible)
            for frame in range(self._spec.frames)
        ]
        first_frame: dict[_Key, int] = {}
        for frame, key in enumerate(keys):
            if key not in self._pictures:
                first_frame.setdefault(key, frame)
        if first_frame:
            self._draw(poses, first_frame)
        rgb, objects = zip(*(self._pictures[key] for key in keys), strict=True)
        return View(np.stack(rgb), np.stack(objects))

    def _draw(self, poses: dict[int, NDArray[np.float64]], frames: dict[_Key, int]) -> None:
        for i, asset in self._objects.items():
            asset.linked_objects[self._blender].hide_render = i not in poses
            if i in poses:
                for frame in frames.values():
                    asset.position, asset.quaternion = poses[i][frame][:3], poses[i][frame][3:]
                    asset.keyframe_insert("position", frame)
                    asset.keyframe_insert("quaternion", frame)
        # Kubric reads back every file it finds, so each call gets a folder of its own.
        self._blender.scratch_dir = tempfile.mkdtemp(dir=self._scratch)
        layers = self._blender.render(frames=list(frames.values()), return_layers=("rgba", "segmentation"))
        ids_THWC = self._adjust(layers["segmentation"], self._scene.assets, list(self._objects.values()))
        for key, rgba_HWC, ids_HWC in zip(frames, layers["rgba"], ids_THWC, strict=True):
            self._pictures[key] = rgba_HWC[..., :3], ids_HWC[..., 0].astype(np.int64) - 1

    def surfaces(self) -> dict[int, Surface]:
        """The very triangles that are rendered, by object."""
        from data_gen.blender.raycast import Surface

        return {i: Surface.of_object(asset.linked_objects[self._blender]) for i, asset in self._objects.items()}

    @property
    def pictures(self) -> int:
        """Pictures rendered so far."""
        return len(self._pictures)
