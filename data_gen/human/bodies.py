"""Objects and figure as bodies of Bullet that are only placed, to ask where they touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from data_gen.blender.kubric_compat import load_simulator
from data_gen.human.props import StoredProp
from data_gen.scene.poses import Poses
from data_gen.scene.simulate import FLOOR
from data_gen.scene.skin import Skeleton, Skin

FLOOR_HALF = (50.0, 50.0, 0.5)
"""Half the sides of the block that is the floor, metres."""
MIN_VERTICES = 4
"""Of the skin that follow a joint most, for it to have a capsule."""
ENDS = (5, 95)
"""Percentiles of these vertices between which a capsule's axis lies."""


@dataclass(frozen=True)
class Touch:
    """Two surfaces at their closest."""

    position: tuple[float, float, float]
    """On the second body, metres."""
    normal: tuple[float, float, float]
    """From the second body to the first."""
    distance: float
    """Metres; negative: they overlap."""


@dataclass(frozen=True)
class Capsule:
    """Stands for the flesh around a bone, along +Y of its joint's frame, metres."""

    joint: int
    middle: float
    length: float
    """Of the axis."""
    radius: float


def capsules_of(skeleton: Skeleton, skin: Skin) -> tuple[Capsule, ...]:
    """One for each joint that some skin follows most; its radius is the median distance of that skin to the bone."""
    main_V = skin.joints_V4[np.arange(len(skin.joints_V4)), skin.weights_V4.argmax(axis=1)]
    capsules = []
    for joint, rest_7 in enumerate(skeleton.rest_J7):
        own_V3 = skin.vertices_V3[main_V == joint]
        if len(own_V3) < MIN_VERTICES:
            continue
        local_V3 = _turn(rest_7).inv().apply(own_V3 - rest_7[:3])
        radius = float(np.median(np.linalg.norm(local_V3[:, [0, 2]], axis=1)))
        low, high = np.percentile(local_V3[:, 1], ENDS)
        # The round ends reach one radius further.
        length = max(float(high - low) - radius, 1e-3)
        capsules.append(Capsule(joint, float(high + low) / 2, length, max(radius, 1e-3)))
    return tuple(capsules)


class Bodies:
    """Bodies by index, `FLOOR` among them. Made by `placed_bodies`."""

    def __init__(self, engine: Any, stored: Mapping[int, StoredProp]) -> None:
        self._engine = engine
        self._bodies = {FLOOR: self._solid(engine.createCollisionShape(engine.GEOM_BOX, halfExtents=FLOOR_HALF))}
        engine.resetBasePositionAndOrientation(self._bodies[FLOOR], (0, 0, -FLOOR_HALF[2]), (0, 0, 0, 1))
        self._centres = {index: item.centre_3 for index, item in stored.items()}
        for index, item in stored.items():
            self._bodies[index] = engine.loadURDF(item.kwargs["simulation_filename"], useFixedBase=True)

    def place(self, index: int, pose_7: Poses) -> None:
        """Put an object where the frame of its own mesh has this pose."""
        self._put(self._bodies[index], centred(pose_7, self._centres[index]))

    def between(self, first: int, second: int, margin: float) -> list[Touch]:
        """Where two bodies are closer than `margin`, metres."""
        return self._closest(self._bodies[first], self._bodies[second], margin)

    def add_figure(self, capsules: tuple[Capsule, ...]) -> tuple[int, ...]:
        """Bodies of the capsules, for `place_figure` and `reaches`."""
        return tuple(
            self._solid(
                self._engine.createCollisionShape(
                    self._engine.GEOM_CAPSULE,
                    radius=capsule.radius,
                    height=capsule.length,
                    collisionFramePosition=(0, capsule.middle, 0),
                    # Bullet's capsules lie along z.
                    collisionFrameOrientation=Rotation.from_euler("x", -90, degrees=True).as_quat().tolist(),
                )
            )
            for capsule in capsules
        )

    def place_figure(self, bodies: tuple[int, ...], capsules: tuple[Capsule, ...], joints_J7: Poses) -> None:
        """Put the figure's capsules where its joints are."""
        for body, capsule in zip(bodies, capsules, strict=True):
            self._put(body, joints_J7[capsule.joint])

    def reaches(self, body: int, index: int, margin: float) -> bool:
        """Whether a capsule is closer than `margin` to an object."""
        return bool(self._closest(body, self._bodies[index], margin))

    def box(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Corners of the box along the world's axes around an object."""
        return self.box_of(self._bodies[index])

    def box_of(self, body: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """As `box`, of a capsule."""
        low, high = self._engine.getAABB(body)
        return np.array(low), np.array(high)

    def _solid(self, shape: int) -> int:
        return int(self._engine.createMultiBody(0, shape))

    def _put(self, body: int, pose_7: Poses) -> None:
        x, y, z, qw, qx, qy, qz = (float(value) for value in pose_7)
        self._engine.resetBasePositionAndOrientation(body, (x, y, z), (qx, qy, qz, qw))

    def _closest(self, first: int, second: int, margin: float) -> list[Touch]:
        points = self._engine.getClosestPoints(first, second, distance=margin)
        return [Touch(point[6], point[7], point[8]) for point in points]


@contextmanager
def placed_bodies(stored: Mapping[int, StoredProp]) -> Iterator[Bodies]:
    """The floor and objects by index, in a Bullet world of their own that ends with the block."""
    load_simulator()  # Imports Bullet the way Kubric needs it.
    from pybullet_utils.bullet_client import BulletClient

    engine = BulletClient()
    try:
        yield Bodies(engine, stored)
    finally:
        engine.disconnect()
        engine._client = -1


def centred(pose_7: Poses, centre_3: NDArray[np.float64]) -> Poses:
    """Pose of the centre of mass of an object whose own frame has a pose; broadcasts over `(..., 7)`."""
    flat_N7 = pose_7.reshape(-1, 7)
    positions_N3 = flat_N7[:, :3] + _turn(flat_N7).apply(centre_3)
    return np.concatenate([positions_N3, flat_N7[:, 3:]], axis=-1).reshape(pose_7.shape)


def _turn(poses_N7: Poses) -> Rotation:
    return Rotation.from_quat(poses_N7[..., [4, 5, 6, 3]])
