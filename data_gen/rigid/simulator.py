"""Scenes of rigid objects: drawn by their family, simulated with and without the removed objects."""

from __future__ import annotations

from pathlib import Path

from data_gen.assets.library import Library
from data_gen.config import SceneConfig
from data_gen.quota import Place
from data_gen.rigid.families.base import NoRoomError
from data_gen.rigid.families.registry import FAMILIES
from data_gen.rigid.sample import sample_scene
from data_gen.scene.accept import Reason, Verdict, judge
from data_gen.scene.config import AcceptConfig
from data_gen.scene.counterfactual import simulate_both
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from data_gen.scene.workshop import Workshop
from data_gen.simulator import RIGID, RefusedError


class RigidSimulator:
    """See `data_gen.simulator.Simulator`.

    Args:
        config: of the scenes.
        library: all assets.
    """

    def __init__(self, config: SceneConfig, library: Library) -> None:
        self._config = config
        self._library = library

    @property
    def limits(self) -> AcceptConfig:
        """By which scenes are accepted."""
        return self._config.accept

    def sample(self, place: Place, *, seed: int, index: int, attempt: int) -> SceneSpec:
        """Draw a scene. Raises RefusedError: there is no room for its objects."""
        assets = self._library.split(place.split)
        try:
            return sample_scene(self._config, assets, seed=seed, index=index, family=place.family, attempt=attempt)
        except NoRoomError as error:
            raise RefusedError(Reason.no_room.name) from error

    def workshop(self, spec: SceneSpec, split: str) -> Workshop:
        """What makes the objects of a drawn scene."""
        return Workshop(self._library.split(split))

    def simulate(self, spec: SceneSpec, workshop: Workshop, scratch: Path) -> tuple[World, World]:
        """The world with all objects, and the one without the removed ones."""
        return simulate_both(spec, workshop, scratch)

    def judge(self, spec: SceneSpec, full: World, without: World) -> Verdict:
        """Whether the scene is worth rendering."""
        return judge(
            spec,
            full,
            without,
            self.limits,
            contact_window=getattr(self._config.families, spec.family).contact_window,
            changes=FAMILIES[spec.family].changes,
            steady=FAMILIES[spec.family].steady,
        )

    def group(self, spec: SceneSpec) -> str:
        """Each scene is a group of its own."""
        return f"{RIGID}:seed:{spec.seed}:{spec.index}"
