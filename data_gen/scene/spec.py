"""A scene as plain data: enough to simulate and render it again, and JSON both ways.

World: metres, Z up, floor at z = 0. Quaternions are (w, x, y, z).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from data_gen.scene.camera import CameraPath

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Role = Literal["target", "removed", "bystander"]
Pattern = Literal["plain", "checkered", "striped", "dotted", "mottled", "wood", "marble"]


@dataclass(frozen=True)
class SurfaceSpec:
    """Look of an object or a floor that has no texture of its own. Colours are names of the palette."""

    pattern: Pattern
    color: str
    second_color: str
    roughness: float
    metallic: float = 0.0
    texture: str = ""
    """Name of a set of PBR images that replaces pattern and colours; empty: none."""


@dataclass(frozen=True)
class ObjectSpec:
    """One object at time 0."""

    asset: str
    """Id in the asset library."""
    name: str
    """The word for it in captions."""
    role: Role
    surface: SurfaceSpec | None
    """None: the asset's own texture."""
    scale: Vector
    """Multiplies the shape's own bounds; meshes take equal factors only, the library's cube any."""
    extents: Vector
    """Sides of the bounding box before rotation, metres."""
    mass: float
    friction: float
    restitution: float
    position: Vector
    """Of the origin of the shape, its centre of mass."""
    quaternion: Quaternion = (1.0, 0.0, 0.0, 0.0)
    velocity: Vector = (0.0, 0.0, 0.0)
    """Metres per second."""
    angular_velocity: Vector = (0.0, 0.0, 0.0)
    """Radians per second about the world's axes."""
    static: bool = False
    """Never moves, whatever hits it."""

    @property
    def radius(self) -> float:
        """Half the diagonal of the bounding box."""
        return float(np.linalg.norm(self.extents)) / 2


@dataclass(frozen=True)
class RoomSpec:
    """Walls on some sides of a rectangle of floor; the top is open to the sky."""

    low: tuple[float, float]
    """Corner of least x and y, metres."""
    high: tuple[float, float]
    height: float
    sides: tuple[Literal["-x", "+x", "-y", "+y"], ...]
    """Where walls stand."""
    surface: SurfaceSpec


@dataclass(frozen=True)
class BackdropSpec:
    """What is below and around the scene."""

    kind: Literal["floor", "dome", "room"]
    surface: SurfaceSpec | None
    """Of the floor; None: the dome shows the sky's image."""
    friction: float
    restitution: float
    room: RoomSpec | None = None
    """Of kind room."""


@dataclass(frozen=True)
class PersonSpec:
    """The person of a human scene, the last of its objects, and the motion that all of its other objects follow."""

    motion: str
    """Kind of the source, a value of `scene.motion`."""
    sequence: str
    character: str | None
    """Figure that plays it; None: the sequence's own."""
    start: float
    """Seconds into the sequence at frame 0."""
    squeezed: bool
    """The clip shows the whole sequence, however long it is."""
    removal_frame: int
    """From this frame the counterfactual lacks the person; 0: from the start."""
    colors: tuple[str, ...]
    """Colours of the figure's parts, names of the palette, in the order of `Skin.parts`; "": the part's own."""


@dataclass(frozen=True)
class LightSpec:
    """Sky and sun."""

    sky: str
    """Id of an environment image in the asset library."""
    rotation: float
    """Of the sky about the vertical, radians."""
    level: float
    """Light of the sky on the floor; 0: as the image has it."""
    sun: float
    """Irradiance, W/m2."""
    sun_position: Vector
    """The sun shines from here to the origin."""


@dataclass(frozen=True)
class RenderSpec:
    """How the pictures are made."""

    samples: int
    bounces: int
    view_transform: str
    seed: int
    aperture: float = 0.0
    """F-number; 0: everything is sharp."""
    motion_blur: float = 0.0
    """Shutter time in frames."""
    focus: tuple[Vector, ...] = ((0.0, 0.0, 0.0),)
    """Points of the world that an open lens is focused on, one a frame, or a single one."""


@dataclass(frozen=True)
class SceneSpec:
    """Everything about a scene."""

    family: str
    seed: int
    index: int
    attempt: int
    frames: int
    fps: int
    objects: tuple[ObjectSpec, ...]
    camera: CameraPath
    backdrop: BackdropSpec
    light: LightSpec
    render: RenderSpec
    person: PersonSpec | None = None

    @property
    def removed(self) -> tuple[int, ...]:
        """Indices of the objects that the counterfactual lacks."""
        return tuple(i for i, item in enumerate(self.objects) if item.role == "removed")

    @property
    def survivors(self) -> tuple[int, ...]:
        """Indices of the objects in both worlds."""
        return tuple(i for i, item in enumerate(self.objects) if item.role != "removed")

    @property
    def targets(self) -> tuple[int, ...]:
        """Indices of the objects that a viewer watches: they must start in view."""
        return tuple(i for i, item in enumerate(self.objects) if item.role == "target")

    def focus_distance(self, frame: int) -> float | None:
        """Metres along the camera's axis at which a frame is sharp; None: at all."""
        if not self.render.aperture:
            return None
        point = self.render.focus[frame if len(self.render.focus) > 1 else 0]
        _, depths = self.camera.at(frame).project(np.array([point]))
        return float(depths[0])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SceneSpec:
        """The inverse of `to_dict`, also after a trip through JSON."""
        person = data.get("person")
        return cls(
            **{
                **data,
                "objects": tuple(_with_surface(ObjectSpec, item) for item in data["objects"]),
                "camera": CameraPath(**_tuples(data["camera"])),
                "backdrop": _backdrop(data["backdrop"]),
                "light": LightSpec(**_tuples(data["light"])),
                "render": RenderSpec(**_tuples(data["render"])),
                "person": person and PersonSpec(**_tuples(person)),
            }
        )


def _backdrop(data: dict[str, Any]) -> BackdropSpec:
    room = data.get("room")
    return _with_surface(BackdropSpec, data | {"room": room and _with_surface(RoomSpec, room)})


def _with_surface(kind: type[Any], data: dict[str, Any]) -> Any:
    surface = data["surface"]
    return kind(**_tuples(data | {"surface": surface and SurfaceSpec(**surface)}))


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    """Lists as tuples, lists of lists as tuples of tuples."""
    return {key: _as_tuple(value) for key, value in data.items()}


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
