"""Writes a motion as a .bvh file in the manner of motion-capture archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from data_gen.human.motion import Motion

UP = {
    "X": Rotation.from_matrix([[0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
    "Y": Rotation.from_matrix([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "Z": Rotation.identity(),
}
"""Turns of a Z-up world that bring its +Z to the axis."""


def write_bvh(path: Path, motion: Motion, *, up: str = "Y", lying: bool = False, unit: float = 0.01) -> None:
    """A .bvh file of a motion.

    Args:
        path: to write.
        motion: with T frames of J joints.
        up: the file's axis that points up.
        lying: with all angles zero, each bone points along +X (as in LAFAN1); else the figure is in its rest pose.
        unit: metres in one unit of the file.
    """
    skeleton = motion.skeleton
    children = {parent: j for j, parent in reversed(list(enumerate(skeleton.parents)))}
    rest_J = _turns(skeleton.rest_J7)
    zero = []
    for j in range(len(skeleton.names)):
        frame = UP[up] * rest_J[j]
        if lying:
            child = children.get(j)
            along_3 = skeleton.rest_J7[child, :3] - skeleton.rest_J7[j, :3] if child is not None else [0.0, 0.0, 1.0]
            frame = Rotation.align_vectors([[1.0, 0.0, 0.0]], [rest_J[j].inv().apply(along_3)])[0]
        zero.append(frame)
    world = [UP[up] * _turns(motion.joints_TJ7[:, j]) * frame.inv() for j, frame in enumerate(zero)]
    columns = [UP[up].apply(motion.joints_TJ7[:, 0, :3]) / unit]
    lines = ["HIERARCHY"]

    def joint(j: int) -> None:
        parent = skeleton.parents[j]
        offset_3 = np.zeros(3)
        turn = world[j]
        if parent >= 0:
            offset_3 = zero[parent].apply(
                rest_J[parent].inv().apply(skeleton.rest_J7[j, :3] - skeleton.rest_J7[parent, :3])
            )
            turn = world[parent].inv() * turn
        columns.append(turn.as_euler("ZYX", degrees=True))
        places = "6 Xposition Yposition Zposition" if parent < 0 else "3"
        lines.extend(
            [
                f"{'ROOT' if parent < 0 else 'JOINT'} {skeleton.names[j].removeprefix('mixamorig:')}",
                "{",
                "OFFSET " + " ".join(f"{value / unit:.6f}" for value in offset_3),
                f"CHANNELS {places} Zrotation Yrotation Xrotation",
            ]
        )
        below = [k for k, above in enumerate(skeleton.parents) if above == j]
        for k in below:
            joint(k)
        if not below:
            lines.extend(["End Site", "{", f"OFFSET {0.01 / unit:.6f} 0 0", "}"])
        lines.append("}")

    joint(0)
    values_TC = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {motion.frames}", f"Frame Time: {1 / motion.fps:.9f}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in values_TC]
    path.write_text("\n".join(lines) + "\n")


def _turns(poses_7: np.ndarray) -> Rotation:
    return Rotation.from_quat(poses_7[..., [4, 5, 6, 3]])
