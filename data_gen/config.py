"""Configuration of data generation: assets, worker processes, scenes. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from data_gen.human.config import HumanConfig
from data_gen.rigid.families.config import FamiliesConfig
from data_gen.scene.config import AcceptConfig, CameraConfig, ChangeConfig, LightConfig, MaskRule, RenderConfig

BUCKET = "gs://kubric-public/assets"


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


GROUPS: dict[str, type] = {"scene": SceneConfig, "assets": AssetsConfig, "executor": ExecutorConfig}
