"""Pictures of a scene with `kubric.renderer.Blender`: one loaded scene, from which every view is rendered.

Only the denoiser's rounding depends on what was rendered before; a worker renders one scene, always in one order.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_gen.blender.kubric_compat import load_renderer
from data_gen.scene.palette import linear_rgb
from data_gen.scene.spec import SceneSpec, SurfaceSpec
from data_gen.scene.views import Picture, PictureBook, Window
from data_gen.scene.workshop import BACKDROP, WALL, Workshop
from void.errors import InputError

if TYPE_CHECKING:
    from data_gen.blender.raycast import Surface
    from data_gen.scene.deforming import Deforming

FLOOR_CELL = 0.8
"""Metres of a tile."""
FLOOR_CONTRAST = 0.45
"""How far a floor's pattern goes from its first towards its second colour."""
CELLS = 4
"""Cells of a pattern along the largest side of an object."""
FLOOR_TILE = 1.5
"""Metres of floor and walls that an image of a texture covers."""
OBJECT_TILES = 2.0
"""Times that it covers the largest side of an object."""


class BlenderRenderer(PictureBook):
    """Blender with one scene in it.

    Args:
        spec: the scene; all its objects are loaded.
        workshop: makes the Kubric objects.
        scratch: an existing folder for Blender's files.
        device: of Cycles, see `engine.use_device`.
        eevee: render with EEVEE instead, see `engine.use_eevee`.

    Raises:
        InputError: this machine has no such GPU, or no display.
    """

    def __init__(
        self, spec: SceneSpec, workshop: Workshop, scratch: Path, device: str = "cpu", *, eevee: bool = False
    ) -> None:
        super().__init__(spec)
        self._scratch = scratch
        self._adjust = workshop.kb.adjust_segmentation_idxs
        self._textures = workshop.textures
        blender = load_renderer()
        from data_gen.blender import engine, figure, light, surface

        figure.register(blender)
        logging.getLogger("kubric").setLevel(logging.WARNING)
        self._scene = workshop.scene(spec)
        self._blender = blender(self._scene, scratch_dir=scratch, samples_per_pixel=spec.render.samples)
        engine.configure(
            self._blender,
            seed=spec.render.seed,
            view_transform=spec.render.view_transform,
            bounces=spec.render.bounces,
            motion_blur=spec.render.motion_blur,
        )
        if eevee:
            engine.use_eevee(self._blender, spec.render.samples)
        else:
            engine.use_device(self._blender, device)
        engine.only_segmentation(self._blender)
        sky = workshop.library.sky_file(spec.light.sky)
        light.light_sky(self._blender, file=sky, level=spec.light.level, rotation=spec.light.rotation)
        if spec.light.sun:
            self._scene += workshop.kb.DirectionalLight(
                name="sun", position=spec.light.sun_position, look_at=(0, 0, 0), intensity=spec.light.sun
            )
        self._camera = workshop.camera(spec)
        self._scene.camera = self._camera
        (self._backdrop,) = (asset for asset in self._scene.assets if asset.name == BACKDROP)
        if spec.backdrop.surface is None:
            light.project_sky(self._in_blender(self._backdrop), sky)
        else:
            self._paint_around(self._backdrop, spec.backdrop.surface)
        self._walls = [asset for asset in self._scene.assets if asset.name.startswith(WALL)]
        if spec.backdrop.room is not None:
            for wall in self._walls:
                self._paint_around(wall, spec.backdrop.room.surface)
        self._objects = workshop.add(self._scene, spec, range(len(spec.objects)))
        for asset, item in zip(self._objects.values(), spec.objects, strict=True):
            if not isinstance(asset, figure.Figure):
                surface.smooth(self._in_blender(asset).data)
            if item.surface is not None:
                side = max(item.extents)
                self._paint(asset, item.surface, cell=side / CELLS, tile=side / OBJECT_TILES, stretch=item.scale)

    def prepare(self, poses: Mapping[int, NDArray[np.float64]], frames: Sequence[int]) -> None:
        """Show the objects of `poses` and set the keyframes of these frames."""
        from data_gen.blender import figure

        keyed = sorted({near for frame in frames for near in self._keyed(frame)})
        for i, asset in self._objects.items():
            self._in_blender(asset).hide_render = i not in poses
            if i in poses and isinstance(asset, figure.Figure):
                poses_TK = poses[i][np.clip(keyed, 0, self.spec.frames - 1)]
                figure.set_keyframes(self._in_blender(asset), poses_TK.reshape(len(keyed), -1, 7), keyed)
            elif i in poses:
                for frame in keyed:
                    pose_7 = poses[i][min(max(frame, 0), self.spec.frames - 1)]
                    _set_keyframe(asset, frame, pose_7[:3], pose_7[3:])
        if len(self.spec.camera.positions) > 1:
            for frame in keyed:
                now = self.spec.camera.at(min(max(frame, 0), self.spec.frames - 1))
                _set_keyframe(self._camera, frame, now.position, now.quaternion)

    def draw(self, frame: int, window: Window | None) -> Picture:
        """Render one frame."""
        from data_gen.blender import engine

        engine.show_window(self._blender.blender_scene, window)
        distance = self.spec.focus_distance(frame)
        if distance is not None:
            lens = self._in_blender(self._camera).data
            engine.focus(lens, aperture=self.spec.render.aperture, distance=distance)
        # Kubric reads back every file it finds, so each picture gets a folder of its own.
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            self._blender.scratch_dir = folder
            layers = self._blender.render(frames=[frame], return_layers=("rgba", "segmentation"))
        (ids_HWC,) = self._adjust(layers["segmentation"], self._scene.assets, list(self._objects.values()))
        return layers["rgba"][0, ..., :3], ids_HWC[..., 0].astype(np.int64) - 1

    def surfaces(self) -> dict[int, Surface | Deforming]:
        """The very triangles that are rendered, by object."""
        from data_gen.blender.figure import Figure
        from data_gen.blender.raycast import Surface

        return {
            i: asset.surface() if isinstance(asset, Figure) else Surface.of_object(self._in_blender(asset))
            for i, asset in self._objects.items()
        }

    def backdrop_surface(self) -> Surface:
        """The triangles of floor or dome, and of walls, in the world."""
        from data_gen.blender.raycast import Surface

        if self.spec.backdrop.room is not None:
            return Surface.of_room([self._in_blender(asset) for asset in (self._backdrop, *self._walls)])
        return Surface.of_object(self._in_blender(self._backdrop))

    def _keyed(self, frame: int) -> Sequence[int]:
        return range(frame - 1, frame + 2) if self.spec.render.motion_blur else (frame,)

    def _in_blender(self, asset: Any) -> Any:
        return asset.linked_objects[self._blender]

    def _paint_around(self, asset: Any, look: SurfaceSpec) -> None:
        self._paint(asset, look, cell=FLOOR_CELL, tile=FLOOR_TILE, contrast=FLOOR_CONTRAST)

    def _paint(
        self,
        asset: Any,
        look: SurfaceSpec,
        *,
        cell: float,
        tile: float,
        contrast: float = 1.0,
        stretch: tuple[float, float, float] | None = None,
    ) -> None:
        from data_gen.blender import surface, textures

        if look.texture:
            if self._textures is None:
                raise InputError(
                    f"a surface shows the texture set {look.texture}, but no folder of textures is given",
                    "set scene.human.room.textures",
                )
            images = textures.texture_set(self._textures, look.texture)
            textures.apply(self._in_blender(asset), images, tile=tile)
            return
        first, second = linear_rgb(look.color), linear_rgb(look.second_color)
        surface.paint(
            self._in_blender(asset.material),
            pattern=look.pattern,
            color=first,
            second=surface.towards(first, second, contrast),
            cell=cell,
            stretch=stretch,
        )


def _set_keyframe(asset: Any, frame: int, position: Sequence[float], quaternion: Sequence[float]) -> None:
    asset.position, asset.quaternion = position, quaternion
    asset.keyframe_insert("position", frame)
    asset.keyframe_insert("quaternion", frame)
