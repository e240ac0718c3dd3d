"""Configuration of data generation: assets, worker processes, scenes. Imports nothing heavy."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from omegaconf import MISSING

from data_gen.human.config import MOTIONS, HumanConfig
from data_gen.rigid.families.config import FamiliesConfig
from data_gen.scene.config import (
    BACKDROPS,
    CAPTIONS,
    RENDERERS,
    AcceptConfig,
    CameraConfig,
    ChangeConfig,
    LightConfig,
    MaskRule,
    RenderConfig,
)
from void.errors import InputError
from void.limits import FRACTION, Limit, above, at_least, check_limits, multiple_of, one_of, within
from void.shapes import SIZE_MULTIPLE, check_frames

BUCKET = "gs://kubric-public/assets"
SOURCES = ("local", "manifests")
KINDS = ("local", "ray")
PHYSICS_RATE = 240
"""Steps a second of the simulated physics. Kubric never tells Bullet another rate."""


@dataclass
class AssetsConfig:
    """What scenes are made of. Addresses are manifests in Kubric's form: gs://..., https://... or a file."""

    root: str = MISSING
    """Folder for meshes that are built, or fetched, once."""
    source: str = "local"
    """local (the embedded pack: built here, without a network) or manifests (fetched from the addresses below)."""
    objects: str = f"{BUCKET}/GSO/GSO.json"
    """Objects (source=manifests): Google Scanned Objects."""
    backdrops: str = f"{BUCKET}/KuBasic/KuBasic.json"
    """Where the dome is (source=manifests)."""
    skies: str = f"{BUCKET}/HDRI_haven/HDRI_haven.json"
    """Environment images (source=manifests)."""
    endpoint: str = "https://storage.googleapis.com"
    """Where gs:// addresses are fetched: gs://BUCKET/PATH is ENDPOINT/BUCKET/PATH."""
    timeout: float = 30.0
    """Seconds a download may stand still."""
    held_out: float = 0.1
    """Fraction of objects and of skies only for validation scenes, drawn as Kubric's `get_test_split` does; 0: none."""
    names: list[str] = field(default_factory=list)
    """Restrict the objects to these names (mug, bottle, ...); empty: all."""
    exclude: list[str] = field(default_factory=list)
    """Ids of assets to do without, such as one whose archive is broken."""

    def __post_init__(self) -> None:
        check_limits(self, source=one_of(SOURCES), timeout=above(0), held_out=within(0, 1))


def is_shard(text: str) -> bool:
    """Whether a text is I/N with I from 0 to N - 1."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    return found is not None and int(found.group(1)) < int(found.group(2))


@dataclass
class ExecutorConfig:
    """Worker processes: one scene each, one thread each."""

    kind: str = "local"
    """local (processes on this machine) or ray (tasks on a Ray cluster that shares the data folder)."""
    workers: int = 2
    """Processes at a time (kind=local)."""
    address: str = "local"
    """Ray cluster (kind=ray): auto, HOST:PORT of its head, or local for one that this command starts."""
    cpus: float = 1.0
    """CPUs that a scene occupies on the cluster (kind=ray)."""
    gpus: float = 0.0
    """GPUs that a scene occupies on the cluster (kind=ray), for scene.render.device."""
    timeout: float = 900.0
    """Seconds after which a scene is given up; in a dry run, 50 scenes."""
    retries: int = 1
    """How often a scene that crashed, was killed or timed out is tried again, each time with other seeds."""
    failure_budget: float = 0.1
    """Fraction of the scenes that may fail before the command itself fails."""
    shard: str = "0/1"
    """I/N: make only the scenes with index % N == I, for arrays of jobs that fill one data folder."""
    dry_run: bool = False
    """Sample, simulate and accept, but render and write no pair; tells the distribution and the reasons."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            kind=one_of(KINDS),
            workers=at_least(1),
            cpus=above(0),
            gpus=at_least(0),
            timeout=above(0),
            retries=at_least(0),
            failure_budget=FRACTION,
            shard=Limit(
                is_shard,
                "I/N with I from 0 to N - 1",
                "use I/N with I from 0 to N - 1, such as 0/4, 1/4, 2/4 and 3/4",
            ),
        )


@dataclass
class SceneConfig:
    """Scenes of all families. Intervals are uniform distributions; lengths in metres, masses in kg, angles in degrees.

    `backdrop`, `accept` and most of `camera` are of the rigid families; those of family human are in `human`. `light`,
    `camera.aperture` and `camera.motion_blur` are of both.
    """

    count: int = 20
    """Pairs in the data set. A larger number adds pairs to a finished set."""
    val_every: int = 10
    """Every val_every-th scene is for validation, and draws from the held-out assets."""
    frames: int = MISSING
    """Frames of a clip: 8k+5."""
    height: int = MISSING
    width: int = MISSING
    fps: int = 12
    """Must divide 240, the rate of the physics."""
    families: FamiliesConfig = field(default_factory=FamiliesConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    backdrop: str = "floor"
    """floor (a wide procedural floor under the sky) or dome (Kubric's: the sky's image on floor and walls)."""
    light: LightConfig = field(default_factory=LightConfig)
    accept: AcceptConfig = field(default_factory=AcceptConfig)
    max_attempts: int = 60
    """Draws per scene before it counts as failed."""
    renderer: str = "blender"
    """blender (Cycles), eevee (Blender's rasteriser; needs a display with a GPU) or preview (PyBullet's rasteriser:
    plain colours, seconds a pair)."""
    render: RenderConfig = field(default_factory=RenderConfig)
    mask: MaskRule = MaskRule.measured
    """measured (segmentation, and change beyond the measured noise), or the rule of a published generator:
    released_kubric (rigid scenes) or released_humoto (people). Either rule labels scenes of any family."""
    change: ChangeConfig = field(default_factory=ChangeConfig)
    caption: str = "full"
    """short (one sentence, at most 90 bytes) or full (a paragraph)."""
    flow: bool = False
    """Also write the optical flow of both clips, exact to the pixel: flow_full.npz and flow_removed.npz."""
    depth: bool = False
    """Also write the depth of both clips: depth_full.npz and depth_removed.npz."""
    amodal: bool = False
    """Also write the whole silhouette of the removed objects, hidden parts included: amodal.npz."""
    motion: str = "procedural"
    """Where motions of family human come from: procedural (made here), humoto, humoto_glb or bvh (in human.root)."""
    human: HumanConfig = field(default_factory=HumanConfig)

    def __post_init__(self) -> None:
        check_limits(
            self,
            count=at_least(1),
            val_every=at_least(2).or_use("use 2 or more, so that some scenes are for training"),
            height=multiple_of(SIZE_MULTIPLE),
            width=multiple_of(SIZE_MULTIPLE),
            fps=Limit(
                lambda fps: fps >= 1 and PHYSICS_RATE % fps == 0,
                f"a divisor of {PHYSICS_RATE}, the rate of the physics",
                "use 8, 12, 24, 30, ...",
            ),
            backdrop=one_of(BACKDROPS),
            max_attempts=at_least(1),
            renderer=one_of(RENDERERS),
            caption=one_of(CAPTIONS),
            motion=one_of(MOTIONS),
        )
        if isinstance(self.frames, int):
            check_frames(self.frames, "scene.frames")
        shares = {family.name: getattr(self.families, family.name).share for family in fields(self.families)}
        if sum(shares.values()) <= 0:
            raise InputError(f"scene.families: shares {shares}", "use shares of 0 or more, at least one above 0")
        if self.human.fps is not None and self.motion == "procedural":
            raise InputError(
                f"scene.human.fps = {self.human.fps:g} with scene.motion=procedural, whose motions have a rate of "
                "their own",
                "leave it out, or set scene.fps for the rate of the clips",
            )
        layers = [name for name in ("flow", "depth", "amodal") if getattr(self, name)]
        if self.renderer == "preview" and layers:
            raise InputError(
                f"scene.{layers[0]} = true with scene.renderer = preview",
                "use scene.renderer=blender: this layer comes from the meshes that Blender renders",
            )
        if self.renderer == "preview" and self.backdrop == "dome":
            raise InputError(
                "scene.backdrop = dome with scene.renderer = preview",
                "use scene.renderer=blender, or scene.backdrop=floor",
            )


GROUPS: dict[str, type] = {"scene": SceneConfig, "assets": AssetsConfig, "executor": ExecutorConfig}
