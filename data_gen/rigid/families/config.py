"""Configuration of the scene families. Intervals are uniform distributions; metres, kg, degrees.

Sizes are largest sides of bounding boxes. Instants are fractions of the clip, so that scenes fit clips of any length;
none lies later than `latest` seconds, so that long clips are not spent waiting. Imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from void.limits import ANY_NUMBER, FRACTION, above, at_least, between, check_limits, interval, one_of, some

Interval = tuple[float, float]
RULES = ("normalised", "paper")
SUPPORTS = ("stack", "table", "shelf", "slope")

_LENGTH, _DISTANCE, _INSTANT, _ANYWHERE = (
    interval(above(0)),
    interval(at_least(0)),
    interval(FRACTION),
    interval(ANY_NUMBER),
)
_SOME, _NONE_OR_SOME = some(at_least(1)), some(at_least(0))


@dataclass
class MixConfig:
    """What every family has."""

    share: float = 1.0
    """Of the scenes, relative to the other families; 0: none."""
    contact_window: Interval = (0.08, 0.7)
    """A removed object first has an effect between these fractions of the clip."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            share=at_least(0),
            contact_window=_INSTANT,
        )


@dataclass
class FamilyConfig(MixConfig):
    """What every family of rigid objects has."""

    latest: float = 1.2
    """Seconds within which what is thrown, dropped or rolled arrives."""
    size: Interval = (0.7, 1.1)
    mass: Interval = (0.6, 2.0)
    friction: Interval = (0.3, 0.5)
    restitution: Interval = (0.2, 0.5)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            latest=above(0),
            size=_LENGTH,
            mass=_LENGTH,
            friction=_DISTANCE,
            restitution=_INSTANT,
        )


@dataclass
class VariableConfig(FamilyConfig):
    """Objects are launched at a target, or stand beside it; one launched object is removed, or two."""

    share: float = 3.0
    contact_window: Interval = (0.04, 0.6)
    rule: str = "normalised"
    """normalised (by bounding box, nothing touches at the start) or paper (the published generator's distribution)."""
    counts: list[int] = field(default_factory=lambda: [3, 3, 4, 4, 5, 6, 6, 7, 7])
    """Numbers of objects, the target included; one is drawn."""
    remove_two_from: int = 4
    """Scenes of at least this many objects lose two, others one."""
    target_mass: Interval = (0.4, 1.0)
    resting_share: float = 0.6
    """Probability that an object neither target nor removed stands beside the target instead of being launched."""
    target_size: Interval = (0.9, 1.25)
    target_offset: Interval = (-0.3, 0.3)
    """From the middle of the scene along each axis."""
    ring_radius: Interval = (2.0, 2.8)
    """Distance from the target at which objects are launched."""
    resting_radius: Interval = (0.9, 1.9)
    """Distance from the target at which resting objects stand."""
    drop_height: Interval = (0.0, 0.8)
    """Height above the floor at which objects are launched."""
    speed: Interval = (3.0, 5.0)
    """Metres per second, horizontal."""
    aim_error: float = 1.2
    """Launched objects that remain aim at a point this far, at most, from the target along each axis."""
    camera_gap: float = 40.0
    """Nothing is launched from within this angle of the camera's direction."""
    first_removed: bool = False
    """rule=paper: remove the first launched objects, neighbours on the ring, instead of random ones."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            rule=one_of(RULES),
            counts=some(at_least(2)),
            remove_two_from=at_least(0),
            target_mass=_LENGTH,
            resting_share=FRACTION,
            target_size=_LENGTH,
            target_offset=_ANYWHERE,
            ring_radius=_LENGTH,
            resting_radius=_LENGTH,
            drop_height=_DISTANCE,
            speed=_LENGTH,
            aim_error=at_least(0),
            camera_gap=between(0, 180),
        )


@dataclass
class FallingConfig(FamilyConfig):
    """Objects fall on others; some of them are removed."""

    counts: list[int] = field(default_factory=lambda: [1, 1, 2])
    """Numbers of falling objects; of two, one is removed or both."""
    standing: list[int] = field(default_factory=lambda: [1, 2, 3])
    """Numbers of standing objects."""
    standing_mass: Interval = (0.3, 0.8)
    arrival: Interval = (0.18, 0.45)
    """Instant at which a falling object arrives."""
    mass: Interval = (1.5, 3.0)
    drift: Interval = (1.0, 2.5)
    """Horizontal metres per second."""
    off_centre: Interval = (0.15, 0.4)
    """Distance from the middle of what is hit, relative to its width."""
    spin: float = 3.0
    """Radians per second about each axis, at most."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            counts=_SOME,
            standing=_SOME,
            standing_mass=_LENGTH,
            arrival=_INSTANT,
            drift=_DISTANCE,
            off_centre=_DISTANCE,
            spin=at_least(0),
        )


@dataclass
class FlyingConfig(FamilyConfig):
    """Objects are thrown in arcs at standing ones; some of them are removed."""

    counts: list[int] = field(default_factory=lambda: [1, 1, 2, 3])
    """Numbers of thrown objects; of several, one or two are removed."""
    standing: list[int] = field(default_factory=lambda: [1, 2, 3])
    standing_mass: Interval = (0.3, 0.8)
    arrival: Interval = (0.2, 0.45)
    distance: Interval = (1.8, 2.6)
    height: Interval = (0.2, 1.2)
    """Above the floor, where the throw begins."""
    aim_error: float = 0.15
    camera_gap: float = 50.0
    spin: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            counts=_SOME,
            standing=_SOME,
            standing_mass=_LENGTH,
            arrival=_INSTANT,
            distance=_LENGTH,
            height=_DISTANCE,
            aim_error=at_least(0),
            camera_gap=between(0, 180),
            spin=at_least(0),
        )


@dataclass
class BallConfig(FamilyConfig):
    """Balls roll into standing objects; one of them is removed."""

    size: Interval = (0.5, 0.9)
    mass: Interval = (0.3, 0.9)
    counts: list[int] = field(default_factory=lambda: [1, 1, 2])
    """Numbers of balls."""
    standing: list[int] = field(default_factory=lambda: [2, 3, 4, 5])
    ball_size: Interval = (0.5, 0.9)
    ball_mass: Interval = (1.5, 3.0)
    arrival: Interval = (0.15, 0.45)
    distance: Interval = (1.6, 2.4)
    """Between the ball and the first object in its way."""
    cluster: float = 1.0
    """Objects stand within this distance of the middle."""
    camera_gap: float = 40.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            counts=_SOME,
            standing=_SOME,
            ball_size=_LENGTH,
            ball_mass=_LENGTH,
            arrival=_INSTANT,
            distance=_LENGTH,
            cluster=above(0),
            camera_gap=between(0, 180),
        )


@dataclass
class ChainConfig(FamilyConfig):
    """A row of dominoes, pushed over from one end; one in the middle is removed, or two neighbours."""

    contact_window: Interval = (0.03, 0.75)
    counts: list[int] = field(default_factory=lambda: [5, 6, 7, 8, 9])
    """Numbers of dominoes."""
    size: Interval = (0.55, 0.75)
    """Heights."""
    width: Interval = (0.45, 0.6)
    """Relative to the height."""
    thickness: Interval = (0.12, 0.18)
    """Relative to the height."""
    spacing: Interval = (0.5, 0.72)
    """Between middles of neighbours, relative to the height."""
    bend: Interval = (-12.0, 12.0)
    """Degrees by which each domino is turned against the one before: the row is an arc."""
    mass: Interval = (0.5, 0.8)
    restitution: Interval = (0.05, 0.2)
    push: Interval = (1.8, 3.0)
    """Metres per second of the ball that pushes the first domino."""
    ball_size: Interval = (0.35, 0.5)
    length: float = 3.6
    """The longest row; the spacing shrinks, down to its least, before dominoes are left out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            counts=some(at_least(3)),
            width=_LENGTH,
            thickness=_LENGTH,
            spacing=_LENGTH,
            bend=_ANYWHERE,
            push=_LENGTH,
            ball_size=_LENGTH,
            length=above(0),
        )


@dataclass
class SupportConfig(FamilyConfig):
    """What holds others up is removed: a block of a stack, a pillar, a shelf, what stops a ball on a slope."""

    contact_window: Interval = (0.0, 0.5)
    kinds: list[str] = field(default_factory=lambda: ["stack", "table", "shelf", "slope"])
    """Arrangements; one is drawn."""
    size: Interval = (0.5, 0.75)
    friction: Interval = (0.5, 0.7)
    restitution: Interval = (0.0, 0.1)
    levels: list[int] = field(default_factory=lambda: [1, 2, 2, 3])
    """Blocks of a stack, without what stands on it."""
    block: Interval = (0.45, 0.65)
    """Sides of blocks."""
    board: Interval = (1.5, 2.0)
    """Length of a board."""
    height: Interval = (0.6, 0.9)
    """Of pillars."""
    slope: Interval = (12.0, 20.0)
    bystanders: list[int] = field(default_factory=lambda: [0, 1, 2])

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            kinds=some(one_of(SUPPORTS)),
            levels=_SOME,
            block=_LENGTH,
            board=_LENGTH,
            height=_LENGTH,
            slope=interval(between(0, 89)),
            bystanders=_NONE_OR_SOME,
        )


@dataclass
class BarrierConfig(FamilyConfig):
    """What stops a moving object is removed, so that it goes on and hits what is behind."""

    contact_window: Interval = (0.1, 0.6)
    arrival: Interval = (0.18, 0.45)
    """Instant at which the moving object meets the barrier."""
    distance: Interval = (1.0, 1.7)
    """Between them at the start."""
    width: Interval = (1.0, 1.5)
    """Of the barrier."""
    height: Interval = (0.5, 0.8)
    thickness: Interval = (0.18, 0.35)
    ball_size: Interval = (0.5, 0.8)
    ball_mass: Interval = (0.5, 1.0)
    barrier_mass: Interval = (8.0, 15.0)
    static_share: float = 0.5
    """Probability that nothing can move the barrier."""
    standing: list[int] = field(default_factory=lambda: [0, 1, 2])
    """Numbers of objects behind the barrier."""
    mass: Interval = (0.3, 0.8)
    behind: Interval = (1.1, 1.6)
    """Their distance from the barrier."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            arrival=_INSTANT,
            distance=_LENGTH,
            width=_LENGTH,
            height=_LENGTH,
            thickness=_LENGTH,
            ball_size=_LENGTH,
            ball_mass=_LENGTH,
            barrier_mass=_LENGTH,
            static_share=FRACTION,
            standing=_NONE_OR_SOME,
            behind=_LENGTH,
        )


@dataclass
class NoEffectConfig(FamilyConfig):
    """Removed objects do nothing to the others: only their pixels, shadows and reflections go."""

    contact_window: Interval = (0.0, 1.0)
    counts: list[int] = field(default_factory=lambda: [1, 2, 3])
    """Numbers of remaining objects."""
    removed: list[int] = field(default_factory=lambda: [1, 1, 2])
    moving_share: float = 0.5
    """Probability that a removed object moves: it rolls, flies or slides past."""
    launched_share: float = 0.5
    """Probability that one remaining object is launched at another."""
    speed: Interval = (1.5, 3.5)
    apart: Interval = (1.1, 1.9)
    """Distance of the removed objects from the middle of the scene, to the side opposite to the others."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limits(
            self,
            counts=_SOME,
            removed=_SOME,
            moving_share=FRACTION,
            launched_share=FRACTION,
            speed=_LENGTH,
            apart=_DISTANCE,
        )


@dataclass
class HumanFamilyConfig(MixConfig):
    """A person handles objects, and is removed; all else about these scenes is in `scene.human`."""

    share: float = 0.0
    contact_window: Interval = (0.0, 1.0)


@dataclass
class FamiliesConfig:
    """The mix."""

    variable: VariableConfig = field(default_factory=VariableConfig)
    falling: FallingConfig = field(default_factory=FallingConfig)
    flying: FlyingConfig = field(default_factory=FlyingConfig)
    ball: BallConfig = field(default_factory=BallConfig)
    chain: ChainConfig = field(default_factory=ChainConfig)
    support: SupportConfig = field(default_factory=SupportConfig)
    barrier: BarrierConfig = field(default_factory=BarrierConfig)
    no_effect: NoEffectConfig = field(default_factory=NoEffectConfig)
    human: HumanFamilyConfig = field(default_factory=HumanFamilyConfig)
