"""Configuration of human-motion scenes: what only they have. Imports nothing heavy.

Intervals are uniform distributions; lengths in metres, angles in degrees, instants as fractions of the clip.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from data_gen.scene.config import AcceptConfig
from void.limits import FRACTION, above, at_least, check_limits, interval, one_of, some, within

MOTIONS = ("procedural", "humoto", "humoto_glb", "bvh")
TIMES = ("real", "squeezed")
REMOVALS = ("from_start", "from_frame")
CASTS = ("drawn", "halves")
VARIANTS = ("v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9")
CAMERA_MOTIONS = ("static", "zoom_in", "zoom_out", "circular", "linear_left", "linear_right")

MOTION_CACHE, PROP_CACHE = "motions", "props"
"""Folders in `assets.root` for what is made of sequences and of their objects."""

Interval = tuple[float, float]


def _accept() -> AcceptConfig:
    """A person is large, and recorded objects overlap a little with what they stand on."""
    return AcceptConfig(
        min_divergence=0.02, removed_area=(0.02, 0.9), max_speed=20.0, max_overlap=0.1, max_sinking=0.05
    )


@dataclass
class RoomConfig:
    """Where the person is."""

    walls: float = 0.7
    """Probability of walls; else the floor ends at the sky."""
    furniture: tuple[int, int] = (0, 3)
    """Pieces of furniture along the walls that nobody touches, least and most."""
    wall_height: Interval = (2.5, 3.2)
    margin: Interval = (1.5, 3.0)
    """Floor between where the person goes and the walls."""
    textures: str = ""
    """Folder of PBR textures, one folder each with images named *color*, *normal*, *roughness*; empty: procedural."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            walls=FRACTION,
            furniture=interval(at_least(0)),
            wall_height=interval(above(0)),
            margin=interval(at_least(0)),
        )


@dataclass
class HumanConfig:
    """Scenes of family human. `scene.motion` says where their motions come from."""

    root: str = ""
    """Folder of the sequences: HUMOTO's release (motion=humoto), .glb files (humoto_glb), .bvh files (bvh)."""
    objects: str = ""
    """Folder of HUMOTO's object meshes, searched to any depth; empty: humoto_objects_* beside `root`."""
    characters: dict[str, str] = field(default_factory=dict)
    """Figures that play the sequences instead of the recorded one, by name: .fbx or .glb files with Mixamo's bones."""
    cast: str = "drawn"
    """Who plays: drawn (each scene draws a character), or halves (sequences by name: the first half to the first)."""
    bvh_object: str = ""
    """What a BVH file's person holds (motion=bvh): a mesh file."""
    bvh_joint: str = "RightHand"
    """The joint that it is attached to."""
    fps: float | None = None
    """Frames a second of the recordings; empty: HUMOTO's 30 (motion=humoto, humoto_glb), what the file says (bvh)."""
    animation: str = ""
    """The animation that is played of .glb files with several of one thing (motion=humoto_glb)."""
    sequences: list[str] = field(default_factory=list)
    """Restrict the sequences to these; empty: all."""
    exclude: list[str] = field(default_factory=list)
    """Sequences to do without."""
    variations: int = 8
    """Variations of each motion of the procedural source: other bodies, objects, paces."""
    held_out: float = 0.1
    """Fraction of the sequences only for validation scenes; at least one."""
    time: str = "real"
    """real (a window of the sequence at its own pace) or squeezed (the whole sequence, as the published generator)."""
    removal: str = "from_start"
    """The person was never there (from_start), or vanishes in the clip (from_frame): objects inherit their motion."""
    removal_window: Interval = (0.2, 0.5)
    """When the person vanishes (removal=from_frame)."""
    physics_config: str = ""
    """JSON file in the form of HUMOTO's physics_config.json that says which objects may fall; empty: inferred."""
    variants: list[str] = field(default_factory=lambda: list(VARIANTS[:6]))
    """Camera variants to draw from."""
    motions: list[str] = field(default_factory=lambda: list(CAMERA_MOTIONS))
    """Camera motions to draw from."""
    distance: Interval = (6.0, 12.0)
    """Limits of the camera's distance from the person."""
    lens: float = 50.0
    """Millimetres, with a sensor of 36 mm."""
    accept: AcceptConfig = field(default_factory=_accept)
    """As `scene.accept`, for these scenes."""
    max_hold_error: float = 0.05
    """Metres by which a hand may miss what it holds, after another figure took the motion over."""
    room: RoomConfig = field(default_factory=RoomConfig)

    def __post_init__(self) -> None:
        check_limits(
            self,
            cast=one_of(CASTS),
            variations=at_least(1),
            held_out=within(0, 1),
            time=one_of(TIMES),
            removal=one_of(REMOVALS),
            removal_window=interval(FRACTION),
            variants=some(one_of(VARIANTS)),
            motions=some(one_of(CAMERA_MOTIONS)),
            distance=interval(above(0)),
            lens=above(0),
            fps=above(0).or_use("use a number above 0, such as 30"),
            max_hold_error=at_least(0),
        )
