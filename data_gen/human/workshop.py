"""Kubric scenes of a motion: its objects, its figure, and furniture from the library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_gen.assets.library import Library
from data_gen.human.motion import Motion
from data_gen.human.props import StoredProp
from data_gen.scene.palette import linear_rgb
from data_gen.scene.spec import ObjectSpec, SceneSpec
from data_gen.scene.workshop import Workshop

FIGURE = "figure"
"""Asset of the person."""
PROP = "prop:"
"""With what assets of the motion's objects begin; the object's name follows."""
PLAIN = (0.5, 0.5, 0.5)
"""Colour, linear RGB, of a part that has none."""


class HumanWorkshop(Workshop):
    """Makes the scenes of one motion.

    Args:
        library: assets of all other objects.
        motion: its skeleton and skin are the figure's.
        stored: the files of each of the motion's objects, by index.
        textures: see `Workshop`.
    """

    def __init__(
        self, library: Library, motion: Motion, stored: Mapping[int, StoredProp], textures: Path | None = None
    ) -> None:
        super().__init__(library, textures)
        self._motion = motion
        self._files = {f"{PROP}{motion.props[i].name}": item.kwargs for i, item in stored.items()}

    def _create(self, spec: SceneSpec, item: ObjectSpec, traits: dict[str, Any]) -> Any:
        if item.asset == FIGURE:
            return self._figure(spec, traits["name"])
        if item.asset in self._files:
            return self.kb.FileBasedObject(asset_id=item.asset, **{**self._files[item.asset], **traits})
        return super()._create(spec, item, traits)

    def _figure(self, spec: SceneSpec, name: str) -> Any:
        from data_gen.blender.figure import Figure

        assert spec.person is not None
        skin = self._motion.skin
        chosen = spec.person.colors or ("",) * len(skin.parts)
        colors = tuple(
            linear_rgb(word) if word else own or PLAIN for word, own in zip(chosen, skin.colors, strict=True)
        )
        return Figure(name=name, skeleton=self._motion.skeleton, skin=skin, colors=colors)
