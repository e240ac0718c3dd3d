"""Optical flow from the geometry of a scene: where what a pixel shows is in the next frame.

The segmentation says which object a pixel shows. The ray through the pixel's centre says where on the object, in the
object's own frame; its pose in the next frame carries this point along, and the next frame's camera projects it. So
flow needs no picture of its own, costs nothing where nothing moves, and does not depend on the order of rendering.

Shape legend: T frames, H height, W width, N points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_gen.scene.camera import CameraSpec
from data_gen.scene.deforming import Deforming
from data_gen.scene.geometry import Poses, Surfaces, background_points, centres, into_object, placed, turn_of

if TYPE_CHECKING:
    from data_gen.blender.raycast import Surface

MAX_WIDTHS = 4.0
"""No flow is larger than this many picture widths: what flies past the camera has left the picture anyhow."""


def clip_flow(
    objects_THW: NDArray[np.int64],
    poses: Poses,
    surfaces: Surfaces,
    cameras: Sequence[CameraSpec],
    dome: Surface | None = None,
) -> NDArray[np.float32]:
    """Forward flow `(T-1, 2, H, W)`: (x, y) in pixels, x to the right and y down, on the grid of the earlier frame.

    Floor, dome, walls and sky move with the camera alone, the sky by its rotation.

    Args:
        objects_THW: index of the object that each pixel shows, -1 for floor and sky.
        poses: by object `(T, 7)`, position in metres and quaternion (w, x, y, z), or `(T, K)` of what bends.
        surfaces: by object.
        cameras: one a frame.
        dome: dome or room; None: a floor under the sky.
    """
    frames, height, width = objects_THW.shape
    flow_T2HW = np.zeros((frames - 1, 2, height, width), np.float32)
    for t, flow_2HW in enumerate(flow_T2HW):
        now, later = cameras[t], cameras[t + 1]
        if now != later:
            flow_2HW[:] = background_flow(now, later, dome)
        for index, pose_T7 in poses.items():
            shown_HW = objects_THW[t] == index
            at_rest = now == later and (pose_T7[t] == pose_T7[t + 1]).all()
            if shown_HW.any() and not at_rest:
                places_N2 = centres(shown_HW)
                flow_2HW[:, shown_HW] = _object_flow(places_N2, surfaces[index], pose_T7[t : t + 2], now, later).T
    return flow_T2HW.clip(-MAX_WIDTHS * width, MAX_WIDTHS * width)


def background_flow(now: CameraSpec, later: CameraSpec, dome: Surface | None = None) -> NDArray[np.float64]:
    """Flow `(2, H, W)` of floor or dome, and sky, between two cameras of one size."""
    centres_N2 = centres(np.ones((now.height, now.width), np.bool_))
    points_N3, solid_N = background_points(now, dome)
    # Infinitely far, the sky is in the same direction from any camera.
    sky_N3 = later.position + now.rays(centres_N2)
    places_N2, _ = later.project(np.where(solid_N[:, None], points_N3, sky_N3))
    flow_N2 = (places_N2 - centres_N2) * (now.width, now.height)
    return flow_N2.T.reshape(2, now.height, now.width)


def _object_flow(
    places_N2: NDArray[np.float64],
    surface: Surface | Deforming,
    poses_2K: NDArray[np.float64],
    now: CameraSpec,
    later: CameraSpec,
) -> NDArray[np.float64]:
    """Flow `(N, 2)` of the points of a moving object that camera `now` shows at these image positions."""
    solid, pose_7 = placed(surface, poses_2K[0])
    points_N3 = solid.first_met(*into_object(now, pose_7, places_N2))
    if isinstance(surface, Deforming):
        before_N3, after_N3 = points_N3, surface.carried(points_N3, *poses_2K)
    else:
        before_N3, after_N3 = (turn_of(pose_7).apply(points_N3) + pose_7[:3] for pose_7 in poses_2K)
    before_N2, _ = now.project(before_N3)
    after_N2, _ = later.project(after_N3)
    return (after_N2 - before_N2) * (now.width, now.height)
