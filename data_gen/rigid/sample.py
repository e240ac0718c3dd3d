"""Drawing a scene: a pure function of the configuration, the assets and the seed. The family draws the objects."""

from __future__ import annotations

import math

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.rigid.families.base import Draw, Rng
from data_gen.rigid.families.registry import FAMILIES
from data_gen.scene.camera import CameraPath
from data_gen.scene.camera_path import sample_path
from data_gen.scene.config import LightConfig
from data_gen.scene.palette import FLOOR_COLORS
from data_gen.scene.spec import BackdropSpec, LightSpec, Pattern, RenderSpec, SceneSpec, SurfaceSpec
from data_gen.seeds import generator

FLOOR_PATTERNS: tuple[Pattern, ...] = ("plain", "checkered", "mottled", "wood")
FLOOR_ROUGHNESS = (0.45, 0.9)
SUN_DISTANCE = 10.0


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
        light=_sample_light(config.light, library.skies, camera, streams("light")),
        render=RenderSpec(
            samples=config.render.samples,
            bounces=config.render.bounces,
            view_transform=config.render.view_transform,
            seed=int(streams("render").integers(2**31)),
            aperture=config.camera.aperture,
            motion_blur=config.camera.motion_blur,
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


def _sample_light(config: LightConfig, skies: tuple[str, ...], camera: CameraPath, rng: Rng) -> LightSpec:
    sky = str(rng.choice(usable_skies(config, skies)))
    turn = float(rng.uniform(0, 2 * math.pi))
    # From the sides or from behind the camera: shadows then fall where they are seen.
    facing = math.atan2(camera.positions[0][1], camera.positions[0][0])
    azimuth = facing + math.radians(float(rng.uniform(40, 100))) * (1 if rng.random() < 0.5 else -1)
    elevation = math.radians(float(rng.uniform(40, 65)))
    direction = (
        math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)
    )  # fmt: skip
    x, y, z = (SUN_DISTANCE * part for part in direction)
    return LightSpec(sky, turn if config.turn_sky else 0.0, config.level, config.sun, (x, y, z))


def usable_skies(config: LightConfig, skies: tuple[str, ...]) -> list[str]:
    """The skies of `light.skies` that are not dark; all of them where only dark ones are left, in the given order."""
    chosen = [sky for sky in skies if not config.skies or sky in config.skies] or list(skies)
    bright = [sky for sky in chosen if not any(mark in sky for mark in config.dark)]
    return bright or chosen
