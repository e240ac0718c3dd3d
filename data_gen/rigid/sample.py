"""Drawing a scene: a pure function of the configuration, the assets and the seed. The family draws the objects."""

from __future__ import annotations

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.rigid.families.base import Draw
from data_gen.rigid.families.registry import FAMILIES
from data_gen.scene.camera_path import sample_path
from data_gen.scene.light import sample_light
from data_gen.scene.palette import FLOOR_COLORS
from data_gen.scene.spec import BackdropSpec, Pattern, RenderSpec, SceneSpec, SurfaceSpec
from data_gen.seeds import Rng, generator

FLOOR_PATTERNS: tuple[Pattern, ...] = ("plain", "checkered", "mottled", "wood")
FLOOR_ROUGHNESS = (0.45, 0.9)
SUN_ASIDE, SUN_ELEVATION = (40.0, 100.0), (40.0, 65.0)
"""Degrees, see `sample_light`: from the sides or from behind the camera, shadows fall where they are seen."""


def sample_scene(
    config: SceneConfig, library: Library, *, seed: int, index: int, family: str, attempt: int
) -> SceneSpec:
    """Draw one scene.

    Args:
        config: distributions.
        library: assets of the scene's split.
        seed: of the data set.
        index: of the scene.
        family: name of the family.
        attempt: index of the draw; another one is made when a scene is not accepted.

    Raises:
        NoRoomError: the objects would touch at the start.
    """

    def streams(name: str) -> Rng:
        return generator(seed, index, attempt, name)

    camera = sample_path(config.camera, config.frames, config.fps, (config.height, config.width), streams("camera"))
    draw = Draw(library.shapes, streams, camera.at(0), (config.frames - 1) / config.fps)
    return SceneSpec(
        family=family,
        seed=seed,
        index=index,
        attempt=attempt,
        frames=config.frames,
        fps=config.fps,
        objects=FAMILIES[family].sample(getattr(config.families, family), draw),
        camera=camera,
        backdrop=_sample_backdrop(config.backdrop, streams("floor")),
        light=sample_light(
            config.light, library.skies, camera, streams("light"), aside=SUN_ASIDE, elevation=SUN_ELEVATION
        ),
        render=RenderSpec(
            samples=config.render.samples,
            bounces=config.render.bounces,
            view_transform=config.render.view_transform,
            seed=int(streams("render").integers(2**31)),
            aperture=config.camera.aperture,
            motion_blur=config.camera.motion_blur,
            focus=((0.0, 0.0, config.camera.look_at_height),),
        ),
    )


def _sample_backdrop(kind: str, rng: Rng) -> BackdropSpec:
    friction, restitution = 0.5, 0.2
    if kind == "dome":
        return BackdropSpec("dome", None, friction, restitution)
    first, second = (str(name) for name in rng.choice(list(FLOOR_COLORS), 2, replace=False))
    pattern = FLOOR_PATTERNS[rng.integers(len(FLOOR_PATTERNS))]
    surface = SurfaceSpec(pattern, first, second, roughness=float(rng.uniform(*FLOOR_ROUGHNESS)))
    return BackdropSpec("floor", surface, friction, restitution)
