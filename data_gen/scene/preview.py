"""Quick pictures of a scene without Blender: plain colours, one sun, shadows from a depth map that the sun sees.

The floor is computed, not drawn: every ray of the camera meets a plane. Its tiles show how the camera moves.
Shape legend: H height, W width, C colour channels, N points.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_gen.blender.figure import Figure
from data_gen.scene.camera import SENSOR_WIDTH, CameraSpec, looking_at
from data_gen.scene.geometry import background_points, centres
from data_gen.scene.palette import linear_rgb
from data_gen.scene.rasteriser import Raster, Rasteriser
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from data_gen.scene.views import Picture, PictureBook, View, Window
from data_gen.scene.workshop import WALL, Workshop

NEAR, FAR = 0.1, 200.0
NEUTRAL = (0.75, 0.74, 0.72)
SKY = (0.72, 0.80, 0.89)
TILE = 0.8
"""Metres."""
TILE_CONTRAST = 0.07
TILES_END = 14.0
"""Metres from the middle of the scene."""
SHADOW = 0.38
"""Part of the light that a full shadow takes."""
SHADOW_BIAS = 0.04
"""Metres in front of a surface within which nothing shades it: a depth map has steps."""
SUN_DISTANCE = 60.0
"""Metres; far enough for nearly parallel light."""
SUN_RADIUS = 7.0
"""Shadows fall within this distance of the middle of the scene, metres."""
SUN_DEPTHS = SUN_DISTANCE - SUN_RADIUS, SUN_DISTANCE + SUN_RADIUS
SUN_PIXELS = 640

Color = tuple[float, float, float]


class PreviewRenderer(PictureBook):
    """A rasteriser's pictures of one scene. Bullet is connected only while `prepare` runs.

    Args:
        spec: the scene.
        workshop: makes the Kubric objects, whose visible meshes are drawn.
        scratch: not used; renderers are opened alike.
    """

    def __init__(self, spec: SceneSpec, workshop: Workshop, scratch: Path) -> None:
        super().__init__(spec)
        self._kb = workshop.kb
        scene = workshop.scene(spec)
        self._walls = [asset for asset in scene.assets if asset.name.startswith(WALL)]
        self._assets = workshop.add(scene, spec, range(len(spec.objects)))
        self._floor = _display_color(spec.backdrop.surface.color) if spec.backdrop.surface else NEUTRAL
        self._sun = _sun_camera(spec.light.sun_position) if spec.light.sun else None
        self._prepared: dict[int, Picture] = {}

    def prepare(self, poses: Mapping[int, NDArray[np.float64]], frames: Sequence[int]) -> None:
        """Draw these frames with the objects of `poses`; the others are not even loaded."""
        self._prepared = {}
        with Rasteriser(self.spec.light.sun_position) as rasteriser:
            self._add_walls(rasteriser)
            figures = {i: asset for i, asset in self._assets.items() if i in poses and isinstance(asset, Figure)}
            bodies = {index: self._load(rasteriser, index) for index in poses if index not in figures}
            for frame in frames:
                for index, body in bodies.items():
                    rasteriser.place(body, poses[index][frame])
                parts = {
                    body: index
                    for index, figure in figures.items()
                    for body in _add_parts(rasteriser, figure, poses[index][frame])
                }
                index_of = {body: index for index, body in bodies.items()} | parts
                camera = self.spec.camera.at(frame)
                raster = rasteriser.draw(camera, NEAR, FAR)
                lit = rasteriser.draw(self._sun, *SUN_DEPTHS) if self._sun else None
                self._prepared[frame] = self._compose(camera, raster, lit, index_of)
                for body in parts:
                    rasteriser.remove(body)

    def draw(self, frame: int, window: Window | None) -> Picture:
        """One of the frames that `prepare` drew; `render` asks for no windows."""
        return self._prepared[frame]

    def render(
        self,
        world: World,
        visible: Sequence[int],
        *,
        base: View | None = None,
        windows_T4: NDArray[np.int64] | None = None,
    ) -> View:
        """Render whole pictures, also where windows are asked for: they cost as much, and old ones cost nothing."""
        return super().render(world, visible)

    def _add_walls(self, rasteriser: Rasteriser) -> None:
        if self.spec.backdrop.room is not None:
            color = _display_color(self.spec.backdrop.room.surface.color)
            for wall in self._walls:
                body = rasteriser.add_box(wall.scale, color)
                rasteriser.place(body, np.array([*wall.position, *wall.quaternion]))

    def _load(self, rasteriser: Rasteriser, index: int) -> int:
        asset, item = self._assets[index], self.spec.objects[index]
        color = _display_color(item.surface.color) if item.surface else (1.0, 1.0, 1.0)
        if isinstance(asset, self._kb.Cube):
            return rasteriser.add_box(item.scale, color)
        if isinstance(asset, self._kb.Sphere):
            return rasteriser.add_ball(item.scale[0], color)
        return rasteriser.add_mesh(Path(asset.render_filename), item.scale[0], color)

    def _compose(self, camera: CameraSpec, raster: Raster, lit: Raster | None, index_of: Mapping[int, int]) -> Picture:
        """`lit`: what the sun sees. `index_of`: objects by body; bodies that are none are background."""
        points_N3, floor_N = background_points(camera, None)
        forwards = camera.axes[2]
        behind_N = np.where(floor_N, (points_N3 - camera.position) @ forwards, np.inf)
        depth_N, bodies_N = raster.depth_HW.ravel(), raster.bodies_HW.ravel()
        object_N = depth_N < behind_N
        rays_M3 = camera.rays(centres(object_N.reshape(raster.depth_HW.shape)))
        points_N3[object_N] = camera.position + rays_M3 * (depth_N[object_N] / (rays_M3 @ forwards))[:, None]
        light_N3 = np.full((len(depth_N), 3), SKY)
        light_N3[floor_N] = _tiles(points_N3[floor_N], self._floor)
        light_N3[object_N] = raster.rgb_HWC.reshape(-1, 3)[object_N] / 255
        if self._sun and lit:
            solid_N = object_N | floor_N
            seen_N = np.where(object_N, bodies_N, -1)[solid_N]
            light_N3[solid_N] *= 1 - SHADOW * _shade(points_N3[solid_N], seen_N, self._sun, lit)[:, None]
        rgb_HWC = (light_N3 * 255).round().astype(np.uint8).reshape(raster.rgb_HWC.shape)
        table = np.full(max(bodies_N.max(), *index_of, 0) + 2, -1, np.int64)
        table[list(index_of)] = list(index_of.values())
        objects_N = np.where(object_N, table[bodies_N], -1)
        return rgb_HWC, objects_N.reshape(raster.depth_HW.shape)


def _sun_camera(position: Color) -> CameraSpec:
    """A camera at the sun that sees all shadows."""
    far_away = SUN_DISTANCE / np.linalg.norm(position) * np.array(position)
    x, y, z = (float(value) for value in far_away)
    focal_length = SENSOR_WIDTH / 2 * SUN_DISTANCE / SUN_RADIUS
    return CameraSpec((x, y, z), looking_at((x, y, z), (0.0, 0.0, 0.0)), focal_length, SUN_PIXELS, SUN_PIXELS)


def _shade(
    points_N3: NDArray[np.float64], bodies_N: NDArray[np.int64], sun: CameraSpec, lit: Raster
) -> NDArray[np.float64]:
    """How much of the neighbourhood of each point, 0..1, is in the shadow of another body than its own.

    Args:
        points_N3: in the world.
        bodies_N: to which they belong, -1 for the floor.
        sun: the camera at the sun.
        lit: what it sees.
    """
    near_SS = cv2.dilate((lit.bodies_HW >= 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    places_N2, depth_N = sun.project(points_N3)
    pixels_N2 = np.floor(places_N2 * SUN_PIXELS)
    # All nine pixels around one of these are in the map.
    inside_N = np.all((pixels_N2 >= 1) & (pixels_N2 < SUN_PIXELS - 1), axis=-1)
    columns_N, rows_N = np.where(inside_N[:, None], pixels_N2, 0).astype(np.int64).T
    chosen_M = np.flatnonzero(inside_N & (near_SS[rows_N, columns_N] > 0))
    shaded_N = np.zeros(len(points_N3))
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        around = rows_N[chosen_M] + down, columns_N[chosen_M] + right
        closer_M = lit.depth_HW[around] < depth_N[chosen_M] - SHADOW_BIAS
        shaded_N[chosen_M] += closer_M & (lit.bodies_HW[around] != bodies_N[chosen_M])
    return shaded_N / 9


def _add_parts(rasteriser: Rasteriser, figure: Figure, pose_K: NDArray[np.float64]) -> list[int]:
    """Add a figure in this pose, a body for each of its colours; returns the bodies."""
    vertices_V3 = figure.surface().vertices_of(pose_K)
    return [
        rasteriser.add_triangles(vertices_V3, triangles_F3, _encoded(color)) for triangles_F3, color in figure.shaded()
    ]


def _tiles(points_N3: NDArray[np.float64], color: Color) -> NDArray[np.float64]:
    """Colours `(N, 3)` of points of the floor."""
    odd_N = np.floor(points_N3[:, :2] / TILE).sum(axis=-1) % 2
    # In the distance tiles are smaller than pixels.
    fade_N = np.clip(1 - np.linalg.norm(points_N3, axis=-1) / TILES_END, 0, 1)
    return np.array(color) * (1 - TILE_CONTRAST * odd_N * fade_N)[:, None]


def _display_color(name: str) -> Color:
    """sRGB in 0..1 of a colour of the palette."""
    return _encoded(linear_rgb(name))


def _encoded(linear: Color) -> Color:
    """sRGB in 0..1 of linear RGB."""
    red, green, blue = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)
    return red, green, blue
