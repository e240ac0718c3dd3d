"""A small motion made by hand: a person of four joints, and objects of the pack's solids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from data_gen.assets.solids import Solid, bend, block, egg, join, vessel
from data_gen.blender.kubric_compat import load_kubric
from data_gen.human.factual import factual_world
from data_gen.human.motion import Motion, Prop
from data_gen.human.props import PropStore, StoredProp
from data_gen.human.support import dynamic_props
from data_gen.human.timeline import Clip
from data_gen.human.touch import touches
from data_gen.scene.camera import CameraPath, Vector, looking_at
from data_gen.scene.simulate import Contact, World
from data_gen.scene.skin import Skeleton, Skin
from data_gen.scene.spec import (
    BackdropSpec,
    LightSpec,
    ObjectSpec,
    PersonSpec,
    RenderSpec,
    SceneSpec,
    SurfaceSpec,
)
from data_gen.scene.workshop import Workshop

FPS = 12
UPRIGHT = (1.0, 0.0, 0.0, 0.0)
HAND = 2
RED = SurfaceSpec("plain", "red", "white", 0.5)
PLACE: Vector = (0.0, -6.0, 3.0)
CAMERA = CameraPath("static", (PLACE,), (looking_at(PLACE, (0.0, 0.0, 0.2)),), 35.0, 96, 128)
NAMES = ("mixamorig:Hips", "mixamorig:Head", "mixamorig:RightHand")


def as_prop(solid: Solid, kind: str, name: str = "") -> Prop:
    mesh = solid.stretched(0.01, 0.01, 0.01).visual
    return Prop(name or kind, kind, np.array(mesh.vertices), np.array(mesh.faces))


def mug() -> Prop:
    """Its own frame is at its foot; 9.5 cm high, its floor 0.5 cm, 3.3 cm wide inside."""
    body = vessel([(3.6, 0), (4, 2), (4, 9.5)], [(3.3, 0.5), (3.6, 2), (3.6, 9.5)])
    return as_prop(join(body, bend(2.8, 0.5, -90, 90).moved(3.8, 0, 5)), "mug")


def table() -> Prop:
    """120 x 70 cm, its surface at 73 cm."""
    legs = [block(4, 4, 70.5).moved(x, y) for x in (-55, 55) for y in (-30, 30)]
    return as_prop(join(block(120, 70, 3).moved(0, 0, 70), *legs), "table")


def tray() -> Prop:
    return as_prop(block(40, 30, 1.5), "tray")


def box(kind: str = "box", side: float = 10.0, name: str = "") -> Prop:
    return as_prop(block(side, side, side), kind, name)


def ball(radius: float = 1.5) -> Prop:
    return as_prop(egg(radius, radius, radius), "ball")


def still(x: float, y: float, z: float, frames: int) -> np.ndarray:
    return np.tile([x, y, z, *UPRIGHT], (frames, 1))


def person(hand_T3: np.ndarray, place: tuple[float, float] = (0.0, -3.0)) -> tuple[Skeleton, Skin, np.ndarray]:
    """Hips and head at a place, and a hand of 4 cm radius that goes its own way."""
    frames = len(hand_T3)
    rest_J7 = np.array([[0, 0, 0.9, *UPRIGHT], [0, 0, 1.6, *UPRIGHT], [0.6, 0, 1.0, *UPRIGHT]])
    skeleton = Skeleton(NAMES, (-1, 0, 0), rest_J7)
    parts = [trimesh.creation.icosphere(2, 0.04).vertices + rest_7[:3] for rest_7 in rest_J7]
    faces = trimesh.creation.icosphere(2, 0.04).faces
    count = len(parts[0])
    follows_V = np.repeat(np.arange(3), count)
    skin = Skin(
        np.concatenate(parts),
        np.concatenate([faces + i * count for i in range(3)]),
        np.stack([follows_V] * 4, axis=1),
        np.tile([1.0, 0.0, 0.0, 0.0], (3 * count, 1)),
        ("skin",),
        np.zeros(3 * len(faces), int),
        (None,),
    )
    joints_TJ7 = np.stack([still(*place, 0.9, frames), still(*place, 1.6, frames), still(0, 0, 0, frames)], axis=1)
    joints_TJ7[:, HAND, :3] = hand_T3
    return skeleton, skin, joints_TJ7


def motion_of(props: Sequence[Prop], paths: Sequence[np.ndarray], hand_T3: np.ndarray) -> Motion:
    skeleton, skin, joints_TJ7 = person(hand_T3)
    return Motion("procedural", "by_hand", "nobody", FPS, skeleton, skin, joints_TJ7, tuple(props), np.stack(paths, 1))


class Files:
    """Stands for the asset library: the objects are the motion's."""

    def __init__(self, stored: Mapping[int, StoredProp]) -> None:
        self.stored = stored

    def create(self, asset: str, **traits: Any) -> Any:
        return load_kubric().FileBasedObject(asset_id=asset, **{**self.stored[int(asset)].kwargs, **traits})


def workshop_of(stored: Mapping[int, StoredProp]) -> Workshop:
    return Workshop(Files(stored))  # type: ignore[arg-type]


def scene_of(
    motion: Motion, folder: Path, removal_frame: int = 0
) -> tuple[SceneSpec, World, Clip, dict[int, StoredProp], tuple[Contact, ...]]:
    """The spec, the factual world and what it was made of; which objects are free is inferred."""
    stored = {i: PropStore(folder).add(prop) for i, prop in enumerate(motion.props)}
    clip = Clip(motion.joints_TJ7, motion.props_TN7)
    contacts = touches(motion, clip, stored)
    free = dynamic_props(clip, stored, contacts, frame=removal_frame)
    objects = [_object(str(i), item, i in free) for i, item in stored.items()]
    figure = ObjectSpec(
        "figure", "person", "removed", RED, (1.0, 1.0, 1.0), (0.5, 0.5, 1.8), 70.0, 0.5, 0.1, (0.0, 0.0, 0.0)
    )
    spec = SceneSpec(
        "human", 0, 0, 0, motion.frames, FPS,
        (*objects, figure),
        CAMERA,
        BackdropSpec("floor", RED, 0.5, 0.2),
        LightSpec("city", 0.0, 0.5, 1.0, (1.0, 1.0, 1.0)),
        RenderSpec(4, 2, "Standard", 0),
        PersonSpec("procedural", "by_hand", None, 0.0, False, removal_frame, ("",)),
    )  # fmt: skip
    return spec, factual_world(spec, clip, stored, contacts), clip, stored, contacts


def _object(asset: str, item: StoredProp, free: bool) -> ObjectSpec:
    x, y, z = (float(value) for value in item.high_3 - item.low_3)
    return ObjectSpec(
        asset, item.kind.noun, "target" if free else "bystander", RED, (1.0, 1.0, 1.0), (x, y, z),
        item.mass, item.kind.friction, item.kind.restitution, (0.0, 0.0, 0.0), static=not free,
    )  # fmt: skip
