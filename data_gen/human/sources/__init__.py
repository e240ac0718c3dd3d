"""Where motions come from: one interface, several kinds of files."""

from __future__ import annotations

from pathlib import Path

from data_gen.human.config import MOTIONS, HumanConfig
from data_gen.human.motion import MotionSource
from void.errors import InputError


def open_source(kind: str, config: HumanConfig, cache: Path) -> MotionSource:
    """The source of motions of a kind.

    Args:
        kind: a value of `scene.motion`.
        config: where its files are.
        cache: folder for what it has read or composed; processes may share it.

    Raises:
        InputError: the kind is unknown, or the source's files are missing.
    """
    if kind == "procedural":
        from data_gen.human.sources.procedural import ProceduralSource

        return ProceduralSource(config, cache)
    if kind == "humoto":
        from data_gen.human.sources.humoto import HumotoSource

        return HumotoSource(config, cache)
    if kind == "humoto_glb":
        from data_gen.human.sources.glb import GlbSource

        return GlbSource(config, cache)
    if kind == "bvh":
        from data_gen.human.sources.bvh import BvhSource

        return BvhSource(config, cache)
    raise InputError(f"scene.motion={kind} is unknown", f"choose one of {', '.join(MOTIONS)}")
