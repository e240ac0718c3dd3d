"""Configuration of what scenes of all families share. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from void.limits import ANY_NUMBER, FRACTION, above, at_least, between, check_limits, interval, one_of, some

VIEW_TRANSFORMS = ("Standard", "Filmic", "AgX")
MOTIONS = ("static", "dolly_in", "dolly_out", "orbit_left", "orbit_right", "handheld")
RENDERERS = ("blender", "eevee", "preview")
CAPTIONS = ("short", "full")
BACKDROPS = ("floor", "dome")
DEVICES = ("cpu", "cuda", "optix", "hip", "oneapi", "metal")


class MaskRule(StrEnum):
    """Rules by which the pixels of a pair are labelled."""

    measured = "measured"
    released_kubric = "released_kubric"
    released_humoto = "released_humoto"


@dataclass
class CameraConfig:
    """Where the camera is and how it moves. One of `motions` is drawn a scene, evenly."""

    distance: tuple[float, float] = (4.4, 5.4)
    """Horizontal, from the middle of the scene."""
    azimuth: tuple[float, float] = (-30.0, 30.0)
    height: tuple[float, float] = (3.0, 4.0)
    look_at_height: float = 0.2
    focal_length: float = 35.0
    """Millimetres, with a sensor of 32 mm: 49 degrees from left to right."""
    motions: list[str] = field(default_factory=lambda: list(MOTIONS))
    dolly_in: tuple[float, float] = (0.6, 0.8)
    """Distance at the end, relative to the start."""
    dolly_out: tuple[float, float] = (1.3, 1.5)
    orbit: tuple[float, float] = (20.0, 40.0)
    """Degrees around the scene."""
    handheld_shift: float = 0.04
    """Metres, root mean square along each axis."""
    handheld_turn: float = 0.5
    """Degrees, root mean square about each axis."""
    aperture: float = 0.0
    """F-number of the lens, focused on the person's hips, or on what the camera looks at; 0: everything is sharp."""
    motion_blur: float = 0.0
    """Shutter time in frames; 0: none."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            distance=interval(above(0)),
            azimuth=interval(ANY_NUMBER),
            height=interval(at_least(0)),
            focal_length=above(0),
            motions=some(one_of(MOTIONS)),
            dolly_in=interval(above(0)),
            dolly_out=interval(above(0)),
            orbit=interval(at_least(0)),
            handheld_shift=at_least(0),
            handheld_turn=at_least(0),
            aperture=at_least(0).or_use("use an f-number above 0, or 0 for a picture that is sharp everywhere"),
            motion_blur=FRACTION,
        )


@dataclass
class AcceptConfig:
    """What a simulated scene must show to be rendered. Times are fractions of the clip, lengths of the image width.

    Every check can be switched off by a limit that nothing reaches.
    """

    min_divergence: float = 0.08
    """Some remaining object must differ between the two worlds by this fraction of the image width."""
    max_no_effect: float = 0.005
    """In scenes of family no_effect, no remaining object may differ by more than this fraction of the image width."""
    agreement: float = 1e-3
    """Metres by which an object may differ between the worlds before a removed one has reached it, if it ever does."""
    min_visible_frames: float = 0.25
    """Removed objects must each be in view for this fraction of the clip."""
    removed_area: tuple[float, float] = (0.006, 0.2)
    """Fraction of the image covered by a removed object when it is largest, least and most."""
    max_settling: float = 0.2
    """In scenes of family support, metres by which a target may move while it is held up."""
    max_speed: float = 15.0
    """Metres per second."""
    max_overlap: float = 0.01
    """Metres by which objects may overlap one another, or the floor, at the start."""
    max_sinking: float = 0.08
    """Metres by which an object may sink into the floor later."""
    every_removed_acts: bool = True
    """Each removed object must touch a remaining one, directly or through others (not in family no_effect)."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            min_divergence=at_least(0),
            max_no_effect=at_least(0),
            agreement=at_least(0),
            min_visible_frames=FRACTION,
            removed_area=interval(at_least(0)),
            max_settling=at_least(0),
            max_speed=above(0),
            max_overlap=at_least(0),
            max_sinking=at_least(0),
        )


@dataclass
class LightConfig:
    """Sky and sun."""

    level: float = 0.55
    """Light of the sky on the floor; each sky is scaled to it (1: a white floor would be just white). 0: as it is."""
    sun: float = 1.6
    """Irradiance of the sun in W/m2, on top of the sky; it casts the sharp shadows. 0: none."""
    turn_sky: bool = True
    """Turn the sky by a random angle about the vertical."""
    skies: list[str] = field(default_factory=list)
    """Restrict the environment images to these ids; empty: all but `dark`."""
    dark: list[str] = field(default_factory=list)
    """Environment images whose id contains one of these are left out, unless that would leave none."""

    def __post_init__(self) -> None:
        check_limits(self, level=at_least(0), sun=at_least(0))


@dataclass
class RenderConfig:
    """Blender's pictures."""

    samples: int = 4
    """Paths per pixel (EEVEE: samples), at least 2; in Cycles a denoiser follows."""
    bounces: int = 2
    """Of light, diffuse and glossy."""
    view_transform: str = "Standard"
    """Blender's view transform from light to sRGB: Standard (plain sRGB curve), Filmic or AgX."""
    device: str = "cpu"
    """cpu, or Cycles' name of a GPU interface: cuda, optix, hip, oneapi, metal."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            samples=at_least(2).or_use(
                "use 2 or more: with 1, Blender paints objects with the material of their coordinates"
            ),
            bounces=at_least(0),
            view_transform=one_of(VIEW_TRANSFORMS),
            device=one_of(DEVICES),
        )


@dataclass
class ChangeConfig:
    """Where a pixel counts as changed (mask=measured)."""

    min_change: int = 12
    """Grey levels (largest of R, G, B) a change must exceed."""
    noise_factor: float = 6.0
    """It must also exceed this many times the measured noise of the frame."""
    min_speck: float = 0.0006
    """Connected changes smaller than this fraction of the image are dropped."""
    grid: int = 0
    """Cells along the shorter side to which the affected region is coarsened, as a mask reasoner draws it; 0: exact."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            min_change=between(0, 255),
            noise_factor=at_least(0),
            min_speck=FRACTION,
            grid=at_least(0).or_use("use 0 (exact) or a number of cells"),
        )
