"""A scene of two boxes and its two worlds, made by hand."""

from __future__ import annotations

import numpy as np

from data_gen.scene.camera import CameraPath, Vector, looking_at
from data_gen.scene.simulate import FLOOR, Contact, World
from data_gen.scene.spec import (
    BackdropSpec,
    LightSpec,
    ObjectSpec,
    RenderSpec,
    Role,
    SceneSpec,
    SurfaceSpec,
)

FRAMES = 11
TARGET, REMOVED = 0, 1
PLACE: Vector = (0.0, -6.0, 3.0)


def plain(color: str) -> SurfaceSpec:
    return SurfaceSpec("plain", color, "white", 0.5)


def thing(role: Role, x: float) -> ObjectSpec:
    return ObjectSpec(
        "cube", "box", role, plain("red" if role == "target" else "blue"), (0.25, 0.25, 0.25), (0.5, 0.5, 0.5),
        1.0, 0.4, 0.3, (x, 0.0, 0.25),
    )  # fmt: skip


def resting_camera(position: Vector = PLACE, look_at: Vector = (0.0, 0.0, 0.2)) -> CameraPath:
    return CameraPath("static", (position,), (looking_at(position, look_at),), 35.0, 96, 128)


SPEC = SceneSpec(
    "variable", 0, 0, 0, FRAMES, 10,
    (thing("target", 0.0), thing("removed", 2.0)),
    resting_camera(),
    BackdropSpec("floor", plain("grey"), 0.5, 0.2),
    LightSpec("city", 0.0, 0.5, 1.0, (1.0, 1.0, 1.0)),
    RenderSpec(4, 2, "Standard", 0),
)  # fmt: skip


def still(x: float) -> np.ndarray:
    return np.tile([x, 0.0, 0.25], (FRAMES, 1))


def worlds() -> tuple[World, World]:
    """Object 1 comes from the right and pushes the target at frame 4.5."""
    comes, goes = still(2.0), still(0.0)
    comes[:, 0] = np.maximum(2.0 - 0.33 * np.arange(FRAMES), 0.5)
    goes[5:, 0] = -0.3 * np.arange(1, FRAMES - 4)
    upright = np.tile([1.0, 0.0, 0.0, 0.0], (FRAMES, 1))
    contacts = (Contact(0.5, FLOOR, TARGET, 1.0), Contact(4.5, TARGET, REMOVED, 3.0))
    full = World({TARGET: goes, REMOVED: comes}, {TARGET: upright, REMOVED: upright}, contacts)
    return full, World({TARGET: still(0.0)}, {TARGET: upright}, contacts[:1])
