"""The dome: a floor that curves up into a hemisphere, for the sky's image. Kubric's KuBasic has one such."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

RADIUS = 60.0
"""Of the hemisphere, metres. The paper's camera is up to 30 m from the middle."""
FILLET = 8.0
"""Radius of the curve between floor and hemisphere."""
EYE = 5.0
"""Height in metres above the middle from which the image looks undistorted."""
SECTORS = 96
FLOOR_THICKNESS = 2.0

Points = NDArray[np.float64]


def dome_files() -> dict[str, bytes]:
    """The files of the asset by name: visible mesh with texture coordinates, material, image, thick floor."""
    image_HWC = np.full((16, 32, 3), 160, np.uint8)
    return {
        "visual_geometry.obj": _obj().encode(),
        "visual_geometry.mtl": b"newmtl dome\nKd 1 1 1\nKs 0 0 0\nNs 0\nmap_Kd texture.png\n",
        "texture.png": cv2.imencode(".png", image_HWC)[1].tobytes(),
        "object.urdf": _urdf().encode(),
    }


def outline() -> Points:
    """Its section `(N, 2)`: (radius, height) from the middle of the floor to the zenith."""
    reach = math.sqrt(RADIUS**2 - 2 * RADIUS * FILLET)
    # Equal steps of the angle below the horizon, so that the image's rows are evenly spread.
    dips = np.radians(np.arange(89.0, math.degrees(math.atan2(EYE, reach)), -2.5))
    floor = np.stack([EYE / np.tan(dips), np.zeros(len(dips))], axis=-1)
    tangent = math.atan2(FILLET, reach)
    angles = np.linspace(-math.pi / 2, tangent, 16)
    fillet = np.stack([reach + FILLET * np.cos(angles), FILLET + FILLET * np.sin(angles)], axis=-1)
    angles = np.linspace(tangent, math.pi / 2 - 1e-3, 40)[1:]
    return np.concatenate([floor, fillet, RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=-1)])


def _obj() -> str:
    """Faces look inwards. The image is equirectangular: its middle column is towards +x, as in Blender's worlds."""
    profile = outline()
    azimuths = np.linspace(-math.pi, math.pi, SECTORS + 1)
    lines = ["mtllib visual_geometry.mtl", "o dome"]
    for radius, height in profile:
        lines += [f"v {radius * math.cos(a):.5f} {radius * math.sin(a):.5f} {height:.5f}" for a in azimuths]
    for radius, height in profile:
        v = 0.5 + math.atan2(height - EYE, radius) / math.pi
        lines += [f"vt {0.5 - a / (2 * math.pi):.6f} {v:.6f}" for a in azimuths]
    lines += ["usemtl dome", "s 1"]
    columns = SECTORS + 1
    for i in range(len(profile) - 1):
        for k in range(SECTORS):
            a, b = i * columns + k + 1, i * columns + k + 2
            corners = (a, a + columns, b + columns, b)
            lines.append("f " + " ".join(f"{corner}/{corner}" for corner in corners))
    return "\n".join(lines) + "\n"


def _urdf() -> str:
    side = 2 * RADIUS
    return f"""<robot name="dome">
  <link name="base">
    <inertial><mass value="1.0"/><inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>
    <visual><geometry><mesh filename="visual_geometry.obj"/></geometry></visual>
    <collision>
      <origin xyz="0 0 {-FLOOR_THICKNESS / 2}"/>
      <geometry><box size="{side} {side} {FLOOR_THICKNESS}"/></geometry>
    </collision>
  </link>
</robot>
"""
