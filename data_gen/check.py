"""Whether scenes can be drawn from a configuration at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from data_gen.assets.library import Library
from data_gen.blender.devices import DEVICES
from data_gen.config import SceneConfig
from data_gen.scene.config import BACKDROPS, CAPTIONS, MOTIONS, RENDERERS, VIEW_TRANSFORMS
from data_gen.scene.workshop import PHYSICS_RATE
from void.errors import InputError
from void.shapes import check_frames, check_size

SCENE = "scene"


def check_config(config: SceneConfig) -> None:
    """Raise InputError for values that no scene can be drawn from."""
    check_frames(config.frames, "scene.frames")
    check_size(config.height, config.width, SCENE)
    choices = {
        "backdrop": (config.backdrop, BACKDROPS),
        "renderer": (config.renderer, RENDERERS),
        "caption": (config.caption, CAPTIONS),
        "render.view_transform": (config.render.view_transform, VIEW_TRANSFORMS),
        "render.device": (config.render.device, DEVICES),
    }
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            raise InputError(f"scene.{name} = {value}", f"use one of {', '.join(allowed)}")
    for wrong, problem, remedy in _problems(config):
        if wrong:
            raise InputError(problem, remedy)
    if has_humans(config):
        from data_gen.human.check import check_human

        check_human(config.motion, config.human)
    for name, (low, high) in _intervals(config, SCENE):
        if low > high:
            raise InputError(f"{name} = [{low:g}, {high:g}] is reversed", "give the smaller number first")


def _problems(config: SceneConfig) -> list[tuple[bool, str, str]]:
    shares = {family.name: getattr(config.families, family.name).share for family in fields(config.families)}
    unknown = [motion for motion in config.camera.motions if motion not in MOTIONS]
    layers = [name for name in ("flow", "depth", "amodal") if getattr(config, name)]
    return [
        (config.count < 1, f"scene.count = {config.count}", "use 1 or more"),
        (
            config.fps < 1 or PHYSICS_RATE % config.fps != 0,
            f"scene.fps = {config.fps} does not divide {PHYSICS_RATE}",
            "use 8, 12, 24, 30, ...",
        ),
        (
            config.val_every < 2,
            f"scene.val_every = {config.val_every}",
            "use 2 or more, so that some scenes are for training",
        ),
        (config.max_attempts < 1, f"scene.max_attempts = {config.max_attempts}", "use 1 or more"),
        (
            min(shares.values()) < 0 or sum(shares.values()) <= 0,
            f"scene.families: shares {shares}",
            "use shares of 0 or more, at least one above 0",
        ),
        (
            bool(unknown) or not config.camera.motions,
            f"scene.camera.motions = {list(config.camera.motions)}: unknown or empty",
            f"motions are {', '.join(MOTIONS)}",
        ),
        (
            config.render.samples < 2,
            f"scene.render.samples = {config.render.samples}",
            "use 2 or more: with 1, Blender paints objects with the material of their coordinates",
        ),
        (
            config.camera.aperture < 0 or not 0 <= config.camera.motion_blur <= 1,
            f"scene.camera.aperture = {config.camera.aperture}, motion_blur = {config.camera.motion_blur}",
            "use an f-number above 0 or 0, and a shutter time between 0 and 1 frames",
        ),
        (
            config.renderer == "preview" and bool(layers),
            f"scene.{layers[0] if layers else ''} = true with scene.renderer = preview",
            "use scene.renderer=blender: this layer comes from the meshes that Blender renders",
        ),
        (
            config.renderer == "preview" and config.backdrop == "dome",
            "scene.backdrop = dome with scene.renderer = preview",
            "use scene.renderer=blender, or scene.backdrop=floor",
        ),
        (config.change.grid < 0, f"scene.change.grid = {config.change.grid}", "use 0 (exact) or a number of cells"),
    ]


def has_humans(config: SceneConfig) -> bool:
    """Whether some scenes are of family human."""
    return config.families.human.share > 0


def check_skies(config: SceneConfig, library: Library) -> None:
    """Raise InputError for names of skies that the library lacks."""
    unknown = [sky for sky in config.light.skies if sky not in library.skies]
    if unknown:
        raise InputError(f"scene.light.skies: {', '.join(unknown)} unknown", f"skies are {', '.join(library.skies)}")


def _intervals(group: Any, prefix: str) -> Iterator[tuple[str, tuple[float, float]]]:
    """All keys of a configuration that are intervals, by name."""
    for item in fields(group):
        value = getattr(group, item.name)
        if is_dataclass(value):
            yield from _intervals(value, f"{prefix}.{item.name}")
        elif "tuple[float, float]" in str(item.type) or item.type == "Interval":
            yield f"{prefix}.{item.name}", tuple(value)
