"""Bullet's software rasteriser: colours, depths and bodies of the pixels that a camera sees.

It draws bodies without a floor, a sky or shadows, at the centres of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pybullet
import trimesh
from numpy.typing import NDArray

from data_gen.scene.camera import SENSOR_WIDTH, CameraSpec
from void.errors import InputError

BALL_SUBDIVISIONS = 4
AMBIENT, DIFFUSE, SPECULAR = 0.62, 0.42, 0.06
"""Light from everywhere, light of the sun on a surface that faces it, and its highlight."""


@dataclass(frozen=True, eq=False)
class Raster:
    """What a camera sees."""

    rgb_HWC: NDArray[np.uint8]
    depth_HW: NDArray[np.float64]
    """Metres along the optical axis; infinite where no body is."""
    bodies_HW: NDArray[np.int64]
    """Ids as `add` returned them, -1 where no body is."""


class Rasteriser:
    """A Bullet world of visible bodies, connected between `with` and its end.

    Args:
        sun: direction from the scene to the light.
    """

    def __init__(self, sun: tuple[float, float, float]) -> None:
        self._sun = sun

    def __enter__(self) -> Rasteriser:
        self._client = pybullet.connect(pybullet.DIRECT)
        # Files are named after assets, so a cache might show another scene's mesh.
        pybullet.setPhysicsEngineParameter(enableFileCaching=0, physicsClientId=self._client)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pybullet.disconnect(self._client)

    def add_box(self, half_extents: tuple[float, float, float], color: tuple[float, ...]) -> int:
        """Add a cuboid; returns its id."""
        return self._add(shapeType=pybullet.GEOM_BOX, halfExtents=half_extents, rgbaColor=(*color, 1.0))

    def add_ball(self, radius: float, color: tuple[float, ...]) -> int:
        """Add a ball, rounder than Bullet's own; returns its id."""
        ball = trimesh.creation.icosphere(BALL_SUBDIVISIONS)
        return self._add_mesh(ball.vertices * radius, ball.faces, ball.vertices, color)

    def add_mesh(self, file: Path, scale: float, color: tuple[float, ...]) -> int:
        """Add the mesh of an OBJ file, whose own texture is multiplied by the colour; returns its id.

        Raises:
            InputError: there is no such file. Bullet itself would draw nothing.
        """
        if not file.is_file():
            raise InputError(f"the mesh {file} does not exist", "delete the folder assets.root: it is filled again")
        return self._add(
            shapeType=pybullet.GEOM_MESH, fileName=str(file), meshScale=(scale,) * 3, rgbaColor=(*color, 1.0)
        )

    def add_triangles(
        self, vertices_V3: NDArray[np.float64], triangles_F3: NDArray[np.int64], color: tuple[float, ...]
    ) -> int:
        """Add a smooth surface; returns its id. Vertices that belong to no triangle do no harm."""
        corners_F33 = vertices_V3[triangles_F3]
        facing_F3 = np.cross(corners_F33[:, 1] - corners_F33[:, 0], corners_F33[:, 2] - corners_F33[:, 0])
        normals_V3 = np.zeros_like(vertices_V3)
        np.add.at(normals_V3, triangles_F3, facing_F3[:, None])
        normals_V3 /= np.linalg.norm(normals_V3, axis=-1, keepdims=True).clip(1e-12)
        return self._add_mesh(vertices_V3, triangles_F3, normals_V3, color)

    def remove(self, body: int) -> None:
        """Take a body away."""
        pybullet.removeBody(body, physicsClientId=self._client)

    def place(self, body: int, pose_7: NDArray[np.float64]) -> None:
        """Move a body to a position in metres and a quaternion (w, x, y, z)."""
        w, x, y, z = pose_7[3:]
        pybullet.resetBasePositionAndOrientation(body, pose_7[:3], (x, y, z, w), physicsClientId=self._client)

    def draw(self, camera: CameraSpec, near: float, far: float) -> Raster:
        """What the camera sees between two depths in metres."""
        _, upwards, forwards = camera.axes
        eye = np.array(camera.position)
        right = near * SENSOR_WIDTH / 2 / camera.focal_length
        pixel = 2 * right / camera.width
        top = pixel * camera.height / 2
        # The rasteriser samples a pixel at its lower left corner: half a pixel of shift makes that its centre.
        _, _, rgba, buffer, ids = pybullet.getCameraImage(
            camera.width,
            camera.height,
            pybullet.computeViewMatrix(eye, eye + forwards, upwards),
            pybullet.computeProjectionMatrix(
                -right + pixel / 2, right + pixel / 2, -top + pixel / 2, top + pixel / 2, near, far
            ),
            lightDirection=self._sun,
            lightAmbientCoeff=AMBIENT,
            lightDiffuseCoeff=DIFFUSE,
            lightSpecularCoeff=SPECULAR,
            shadow=0,
            renderer=pybullet.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        size = (camera.height, camera.width)
        bodies_HW = np.reshape(ids, size).astype(np.int64)
        depth_HW = far * near / (far - (far - near) * np.reshape(buffer, size).astype(np.float64))
        rgb_HWC = np.reshape(rgba, (*size, 4))[..., :3].astype(np.uint8)
        return Raster(rgb_HWC, np.where(bodies_HW < 0, np.inf, depth_HW), bodies_HW)

    def _add_mesh(
        self,
        vertices_V3: NDArray[np.float64],
        triangles_F3: NDArray[np.int64],
        normals_V3: NDArray[np.float64],
        color: tuple[float, ...],
    ) -> int:
        return self._add(
            shapeType=pybullet.GEOM_MESH,
            vertices=vertices_V3.tolist(),
            indices=triangles_F3.ravel().tolist(),
            normals=normals_V3.tolist(),
            uvs=np.zeros((len(vertices_V3), 2)).tolist(),
            rgbaColor=(*color, 1.0),
        )

    def _add(self, **shape: Any) -> int:
        visible = pybullet.createVisualShape(**shape, physicsClientId=self._client)
        body: int = pybullet.createMultiBody(baseVisualShapeIndex=visible, physicsClientId=self._client)
        return body
