"""Drawing a human scene around a stretch of a motion: which window of it, camera, room, light and looks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_gen.assets.library import Library
from data_gen.blender.textures import texture_names
from data_gen.config import SceneConfig
from data_gen.human.bodies import centred
from data_gen.human.camera import sample_camera
from data_gen.human.config import HumanConfig
from data_gen.human.light import sample_light
from data_gen.human.looks import surface_of
from data_gen.human.motion import Motion
from data_gen.human.props import StoredProp
from data_gen.human.room import furnish, sample_room
from data_gen.human.timeline import Clip
from data_gen.human.workshop import FIGURE, PROP
from data_gen.scene.simulate import Contact
from data_gen.scene.spec import ObjectSpec, PersonSpec, RenderSpec, SceneSpec, Vector
from data_gen.seeds import Rng, Streams

PERSON_MASS = 70.0
"""Kilograms; nothing depends on it, since the person is played back."""


WINDOWS = 8
"""Windows of a sequence that a scene looks at for one in which something happens."""


@dataclass(frozen=True, eq=False)
class Take:
    """A stretch of a motion at the clip's rate."""

    motion: Motion
    stored: dict[int, StoredProp]
    """The files of each of its objects."""
    clip: Clip
    contacts: tuple[Contact, ...]
    """See `touch.touches`."""


@dataclass(frozen=True)
class HumanDraw:
    """What is decided about a scene before it is drawn, and what it is drawn from."""

    family: str
    seed: int
    index: int
    attempt: int
    streams: Streams
    variant: str
    """Of the camera."""


def draw_starts(config: SceneConfig, motion: Motion, rng: Rng) -> tuple[float, ...]:
    """Seconds into the sequence at frame 0, `WINDOWS` to choose from; 0 alone where the clip shows all of it, or the
    sequence is too short."""
    spare = motion.seconds - (config.frames - 1) / config.fps
    if config.human.time != "real" or spare <= 0:
        return (0.0,)
    return tuple(float(start) for start in rng.uniform(0, spare, WINDOWS))


def draw_removal(config: HumanConfig, frames: int, rng: Rng) -> int:
    """The frame from which the person is gone."""
    if config.removal == "from_start":
        return 0
    return round(float(rng.uniform(*config.removal_window)) * (frames - 1))


def sample_scene(
    config: SceneConfig,
    library: Library,
    take: Take,
    person: PersonSpec,
    dynamic: tuple[int, ...],
    draw: HumanDraw,
) -> SceneSpec:
    """Draw all that a motion does not decide.

    Args:
        config: distributions.
        library: assets of the scene's split: skies and furniture.
        take: what is played.
        person: who plays it.
        dynamic: indices of the objects that may fall.
        draw: see there.
    """
    hips_T3 = take.clip.joints_TJ7[:, take.motion.skeleton.index("Hips"), :3]
    size = (config.height, config.width)
    camera = sample_camera(
        config.human,
        hips_T3,
        variant=draw.variant,
        frames=config.frames,
        fps=config.fps,
        size=size,
        rng=draw.streams("camera"),
    )
    low_2, high_2 = _floor_area(take)
    folder = config.human.room.textures
    textures = texture_names(Path(folder)) if folder else ()
    backdrop = sample_room(config.human.room, low_2, high_2, camera, textures, draw.streams)
    props = tuple(
        _object(take, i, i in dynamic, textures, draw.streams(f"prop {i}")) for i in range(len(take.motion.props))
    )
    furniture = furnish(config.human.room, backdrop, library.shapes, low_2, high_2, draw.streams)
    return SceneSpec(
        family=draw.family,
        seed=draw.seed,
        index=draw.index,
        attempt=draw.attempt,
        frames=config.frames,
        fps=config.fps,
        objects=(*props, *furniture, _person(take)),
        camera=camera,
        backdrop=backdrop,
        light=sample_light(config.light, library.skies, camera, backdrop, draw.streams("light")),
        render=RenderSpec(
            samples=config.render.samples,
            bounces=config.render.bounces,
            view_transform=config.render.view_transform,
            seed=int(draw.streams("render").integers(2**31)),
            aperture=config.camera.aperture,
            motion_blur=config.camera.motion_blur,
            focus=tuple(_vector(place_3) for place_3 in hips_T3),
        ),
        person=person,
    )


def _object(take: Take, index: int, dynamic: bool, textures: tuple[str, ...], rng: Rng) -> ObjectSpec:
    """An object of the motion at frame 0."""
    stored = take.stored[index]
    pose_7 = centred(take.clip.props_TN7[0, index], stored.centre_3)
    return ObjectSpec(
        asset=f"{PROP}{take.motion.props[index].name}",
        name=stored.kind.noun,
        role="target" if dynamic else "bystander",
        surface=surface_of(stored.kind, textures, rng),
        scale=(1.0, 1.0, 1.0),
        extents=_vector(stored.high_3 - stored.low_3),
        mass=stored.mass,
        friction=stored.kind.friction,
        restitution=stored.kind.restitution,
        position=_vector(pose_7[:3]),
        quaternion=(float(pose_7[3]), float(pose_7[4]), float(pose_7[5]), float(pose_7[6])),
        static=not dynamic,
    )


def _person(take: Take) -> ObjectSpec:
    joints_J3 = take.clip.joints_TJ7[0, :, :3]
    low_3, high_3 = joints_J3.min(axis=0), joints_J3.max(axis=0)
    return ObjectSpec(
        asset=FIGURE,
        name="person",
        role="removed",
        surface=None,
        scale=(1.0, 1.0, 1.0),
        extents=_vector(high_3 - low_3),
        mass=PERSON_MASS,
        friction=0.5,
        restitution=0.0,
        position=_vector((low_3 + high_3) / 2),
    )


def _floor_area(take: Take) -> tuple[tuple[float, float], tuple[float, float]]:
    """Corners of the rectangle of floor that the person and the objects use."""
    half_N = [float(np.linalg.norm(item.high_3 - item.low_3)) / 2 for item in take.stored.values()]
    places = [take.clip.joints_TJ7[..., :2].reshape(-1, 2)]
    for i, half in enumerate(half_N):
        place_T2 = take.clip.props_TN7[:, i, :2]
        places += [place_T2 - half, place_T2 + half]
    points_N2 = np.concatenate(places)
    low, high = points_N2.min(axis=0), points_N2.max(axis=0)
    return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))


def _vector(values_3: np.ndarray) -> Vector:
    x, y, z = (float(value) for value in values_3)
    return x, y, z
