"""Checks of a scene configuration that must read files, or that a caller of `generate` needs again."""

from __future__ import annotations

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from void.errors import InputError
from void.limits import recheck

SCENE = "scene"


def check_config(config: SceneConfig) -> None:
    """Raise InputError for values that no scene can be drawn from: set after composition, or naming missing folders."""
    recheck(config, SCENE)
    if has_humans(config):
        from data_gen.human.check import check_human

        check_human(config.human)


def has_humans(config: SceneConfig) -> bool:
    """Whether some scenes are of family human."""
    return config.families.human.share > 0


def check_skies(config: SceneConfig, library: Library) -> None:
    """Raise InputError for names of skies that the library lacks."""
    unknown = [sky for sky in config.light.skies if sky not in library.skies]
    if unknown:
        raise InputError(f"scene.light.skies: {', '.join(unknown)} unknown", f"skies are {', '.join(library.skies)}")
