"""Configuration of data generation: the scenes, the local assets and the worker processes. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

HDRIS = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")
"""Environment images that come with Blender."""
VIEW_TRANSFORMS = ("Standard", "Filmic", "AgX")


@dataclass
class AcceptConfig:
    """What a simulated scene must show to be rendered. Times are fractions of the clip, lengths of the image width."""

    contact_window: tuple[float, float] = (0.15, 0.6)
    """The first contact of a removed object with another object lies between these fractions of the clip."""
    min_divergence: float = 0.08
    """Some remaining object must differ between the two worlds by this fraction of the image width."""
    agreement: float = 1e-3
    """Metres by which the two worlds may differ before that contact."""
    min_visible_frames: float = 0.25
    """Removed objects must each be in view for this fraction of the clip."""
    removed_area: tuple[float, float] = (0.006, 0.2)
    """Fraction of the image covered by a removed object when it is largest, least and most."""
    max_speed: float = 15.0
    """Metres per second."""
    floor_tolerance: float = 0.05
    """Metres by which an object may sink into the floor."""


@dataclass
class RenderConfig:
    """Cycles."""

    samples: int = 4
    """Paths per pixel, at least 2; a denoiser follows."""
    view_transform: str = "Standard"
    """Blender's view transform from light to sRGB: Standard (plain sRGB curve), Filmic or AgX."""
    light_level: float = 0.55
    """Light of the sky on the floor; each HDRI is scaled to it (1: a white floor would be just white)."""
    sun: float = 1.6
    """Irradiance of the sun in W/m2, on top of the sky; it casts the sharp shadows. 0: none."""
    hdris: list[str] = field(default_factory=lambda: list(HDRIS))
    """Names of the environment images that come with Blender."""


@dataclass
class MaskConfig:
    """Where a pixel counts as changed."""

    min_change: int = 12
    """Grey levels (largest of R, G, B) a change must exceed."""
    noise_factor: float = 6.0
    """It must also exceed this many times the measured noise of the frame."""
    min_speck: float = 0.0006
    """Connected changes smaller than this fraction of the image are dropped."""


@dataclass
class SceneConfig:
    """Scenes of one family. Intervals are uniform distributions; lengths in metres, masses in kg, angles in degrees."""

    family: str = "rigid_launch"
    count: int = 20
    """Pairs in the data set. A larger number adds pairs to a finished set."""
    val_every: int = 5
    """Every val_every-th scene is for validation."""
    frames: int = MISSING
    """Frames of a clip: 8k+5."""
    height: int = MISSING
    width: int = MISSING
    fps: int = 12
    """Must divide 240, the rate of the physics."""
    object_counts: list[int] = field(default_factory=lambda: [2, 3, 3, 4])
    """Numbers of objects, the target included; one is drawn."""
    remove_two_from: int = 4
    """Scenes of at least this many objects lose two, others one."""
    resting_share: float = 0.6
    """Probability that an object neither target nor removed stands beside the target instead of being launched."""
    target_size: tuple[float, float] = (0.9, 1.25)
    """Largest side of the target's bounding box."""
    object_size: tuple[float, float] = (0.7, 1.1)
    """Largest side of the others' bounding boxes."""
    target_mass: tuple[float, float] = (0.4, 1.0)
    object_mass: tuple[float, float] = (0.6, 2.0)
    friction: tuple[float, float] = (0.3, 0.5)
    restitution: tuple[float, float] = (0.2, 0.5)
    ring_radius: tuple[float, float] = (2.0, 2.8)
    """Distance from the target at which objects are launched."""
    resting_radius: tuple[float, float] = (0.9, 1.5)
    """Distance from the target at which resting objects stand."""
    drop_height: tuple[float, float] = (0.0, 0.8)
    """Height above the floor at which objects are launched."""
    speed: tuple[float, float] = (3.0, 5.0)
    """Metres per second, horizontal."""
    aim_error: float = 1.2
    """Launched objects that remain aim at a point this far, at most, from the target along each axis."""
    camera_gap: float = 40.0
    """Nothing is launched from within this angle of the camera's direction."""
    camera_distance: tuple[float, float] = (4.4, 5.4)
    camera_azimuth: tuple[float, float] = (-30.0, 30.0)
    camera_height: tuple[float, float] = (3.0, 4.0)
    look_at_height: float = 0.2
    focal_length: float = 35.0
    """Millimetres, with a sensor of 32 mm: 49 degrees from left to right."""
    flow: bool = False
    """Also write the optical flow of both clips, exact to the pixel: flow_full.npz and flow_removed.npz."""
    max_attempts: int = 60
    """Draws per scene before it counts as failed."""
    accept: AcceptConfig = field(default_factory=AcceptConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
    mask: MaskConfig = field(default_factory=MaskConfig)


@dataclass
class AssetsConfig:
    """Shapes to draw from."""

    root: str = MISSING
    """Folder in which the meshes are built, once."""
    kinds: list[str] = field(
        default_factory=lambda: [
            "ball", "box", "domino", "bottle", "can", "cone", "gem", "mug", "pin", "ring", "star",
        ]
    )  # fmt: skip
    """Shapes in use; targets and launched objects are drawn from the same list."""


@dataclass
class ExecutorConfig:
    """Worker processes: one scene each, one thread each."""

    workers: int = 2
    """Processes at a time."""
    timeout: float = 900.0
    """Seconds after which a scene is given up."""
    failure_budget: float = 0.1
    """Fraction of the scenes that may fail before the command itself fails."""


GROUPS: dict[str, type] = {"scene": SceneConfig, "assets": AssetsConfig, "executor": ExecutorConfig}
