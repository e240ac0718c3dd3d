"""What the geometry of a scene says of its pixels, with no picture of its own: places, depth, whole silhouettes.

Shape legend: T frames, H height, W width, N points. Poses are `(7,)`: position in metres and quaternion (w, x, y, z);
of what bends `(K,)`, as its `Deforming` takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.scene.camera import CameraSpec
from data_gen.scene.deforming import WORLD, Deforming
from data_gen.scene.workshop import FLOOR_SIZE

if TYPE_CHECKING:
    from data_gen.blender.raycast import Surface

Poses = Mapping[int, NDArray[np.float64]]
Surfaces = Mapping[int, "Surface | Deforming"]


def centres(chosen_HW: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Image positions `(N, 2)`, (x, y) in 0..1, of the centres of the chosen pixels."""
    rows, columns = np.nonzero(chosen_HW)
    height, width = chosen_HW.shape
    return np.stack([(columns + 0.5) / width, (rows + 0.5) / height], axis=-1)


def turn_of(pose_7: NDArray[np.float64]) -> Rotation:
    """The rotation of a pose."""
    return Rotation.from_quat(pose_7[[4, 5, 6, 3]])


def into_object(
    camera: CameraSpec, pose_7: NDArray[np.float64], places_N2: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origin `(3,)` and unit vectors `(N, 3)` of the rays through image positions, in the frame of an object."""
    to_object = turn_of(pose_7).inv()
    return to_object.apply(np.subtract(camera.position, pose_7[:3])), to_object.apply(camera.rays(places_N2))


def placed(surface: Surface | Deforming, pose_K: NDArray[np.float64]) -> tuple[Surface, NDArray[np.float64]]:
    """A surface that does not bend, and its pose `(7,)`. Of what bends: the surface in this pose, in the world."""
    if isinstance(surface, Deforming):
        return surface.at(pose_K), WORLD
    return surface, pose_K


def background_points(camera: CameraSpec, dome: Surface | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where the rays through all pixels meet what is around the scene: points `(H*W, 3)`, and which of them do.

    The others see the sky.

    Args:
        camera: whose pixels.
        dome: dome or room; None: the floor is the plane z = 0, as far as it goes.
    """
    rays_N3 = camera.rays(centres(np.ones((camera.height, camera.width), np.bool_)))
    if dome is not None:
        eye = np.array(camera.position)
        solid_N = np.ones(len(rays_N3), np.bool_) if dome.closed else dome.meets(eye, rays_N3)
        return dome.first_met(eye, rays_N3), solid_N
    with np.errstate(divide="ignore", invalid="ignore"):
        points_N3 = camera.position + rays_N3 * (-camera.position[2] / rays_N3[:, 2:])
        solid_N = (rays_N3[:, 2] < 0) & (np.abs(points_N3[:, :2]) <= FLOOR_SIZE).all(axis=-1)
    return points_N3, solid_N


def depth(
    objects_THW: NDArray[np.int64],
    poses: Poses,
    surfaces: Surfaces,
    cameras: Sequence[CameraSpec],
    dome: Surface | None,
    far: float,
) -> NDArray[np.float32]:
    """Depth `(T, H, W)` along the optical axis in metres, at most `far`, which is also that of the sky.

    Args:
        objects_THW: index of the object that each pixel shows, -1 for background.
        poses: by object `(T, 7)`, or `(T, K)` of what bends.
        surfaces: by object.
        cameras: one a frame.
        dome: see `background_points`.
        far: metres.
    """
    depth_THW = np.full(objects_THW.shape, far, np.float32)
    behind: tuple[CameraSpec, NDArray[np.float32]] | None = None
    for t, camera in enumerate(cameras):
        if behind is None or behind[0] != camera:
            points_N3, solid_N = background_points(camera, dome)
            depth_N = np.where(solid_N, _depth_of(np.where(solid_N[:, None], points_N3, 0.0), camera), far)
            behind = camera, depth_N.reshape(camera.height, camera.width).astype(np.float32)
        depth_THW[t] = behind[1]
        for index, pose_T7 in poses.items():
            shown_HW = objects_THW[t] == index
            if shown_HW.any():
                surface, pose_7 = placed(surfaces[index], pose_T7[t])
                origin, rays_N3 = into_object(camera, pose_7, centres(shown_HW))
                points_N3 = turn_of(pose_7).apply(surface.first_met(origin, rays_N3)) + pose_7[:3]
                depth_THW[t, shown_HW] = _depth_of(points_N3, camera)
    return depth_THW.clip(0, far)


def silhouette(
    indices: Sequence[int], poses: Poses, surfaces: Surfaces, cameras: Sequence[CameraSpec]
) -> NDArray[np.bool_]:
    """Where the objects `indices` would be seen if nothing were in front of them: bool `(T, H, W)`."""
    frames = []
    for t, camera in enumerate(cameras):
        whole_HW = np.zeros((camera.height, camera.width), np.bool_)
        for index in indices:
            surface, pose_7 = placed(surfaces[index], poses[index][t])
            window_HW = _near(surface, pose_7, camera) & ~whole_HW
            if window_HW.any():
                origin, rays_N3 = into_object(camera, pose_7, centres(window_HW))
                whole_HW[window_HW] = surface.meets(origin, rays_N3)
        frames.append(whole_HW)
    return np.stack(frames)


def visible_objects(poses: Poses, surfaces: Surfaces, cameras: Sequence[CameraSpec]) -> NDArray[np.int64]:
    """Index of the object at the centre of each pixel, -1 for background: `(T, H, W)`."""
    frames = []
    for t, camera in enumerate(cameras):
        objects_HW = np.full((camera.height, camera.width), -1, np.int64)
        nearest_HW = np.full((camera.height, camera.width), np.inf)
        for index, pose_T7 in poses.items():
            surface, pose_7 = placed(surfaces[index], pose_T7[t])
            window_HW = _near(surface, pose_7, camera)
            if not window_HW.any():
                continue
            origin, rays_N3 = into_object(camera, pose_7, centres(window_HW))
            points_N3 = surface.first_met(origin, rays_N3)
            far_N = np.where(surface.meets(origin, rays_N3), np.linalg.norm(points_N3 - origin, axis=-1), np.inf)
            closer_N = far_N < nearest_HW[window_HW]
            objects_HW[window_HW] = np.where(closer_N, index, objects_HW[window_HW])
            nearest_HW[window_HW] = np.where(closer_N, far_N, nearest_HW[window_HW])
        frames.append(objects_HW)
    return np.stack(frames)


def _depth_of(points_N3: NDArray[np.float64], camera: CameraSpec) -> NDArray[np.float64]:
    return np.subtract(points_N3, camera.position) @ camera.axes[2]


def _near(surface: Surface, pose_7: NDArray[np.float64], camera: CameraSpec) -> NDArray[np.bool_]:
    """The pixels `(H, W)` of the box around the object in the picture; all where it reaches behind the camera."""
    corners_83 = turn_of(pose_7).apply(surface.corners) + pose_7[:3]
    places_82, depth_8 = camera.project(corners_83)
    window_HW = np.zeros((camera.height, camera.width), np.bool_)
    if (depth_8 <= 0).all():
        return window_HW
    if (depth_8 <= 0).any():
        return ~window_HW
    low = np.floor(places_82.min(axis=0) * (camera.width, camera.height)).astype(int) - 1
    high = np.ceil(places_82.max(axis=0) * (camera.width, camera.height)).astype(int) + 1
    window_HW[max(low[1], 0) : max(high[1], 0), max(low[0], 0) : max(high[0], 0)] = True
    return window_HW
