"""What the simulators have in common: how a scene is drawn, simulated and judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from data_gen.quota import Place
from data_gen.scene.config import AcceptConfig
from data_gen.scene.spec import SceneSpec

if TYPE_CHECKING:
    from data_gen.scene.accept import Verdict
    from data_gen.scene.simulate import World
    from data_gen.scene.workshop import Workshop

RIGID, HUMAN = "rigid", "human"
HUMAN_FAMILY = "human"


class RefusedError(Exception):
    """A draw that is given up before its physics.

    Args:
        reason: a name of `accept.Reason`.
        unusable: what cannot be used at all, and why: it is listed for the user.
    """

    def __init__(self, reason: str, unusable: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unusable = unusable or {}


class Simulator(Protocol):
    """Makes the scenes of one source."""

    @property
    def limits(self) -> AcceptConfig:
        """By which scenes are accepted."""

    def sample(self, place: Place, *, seed: int, index: int, attempt: int) -> SceneSpec:
        """Draw a scene. Raises RefusedError."""

    def workshop(self, spec: SceneSpec, split: str) -> Workshop:
        """What makes the objects of a drawn scene."""

    def simulate(self, spec: SceneSpec, workshop: Workshop, scratch: Path) -> tuple[World, World]:
        """The world with all objects, and the one without the removed ones."""

    def judge(self, spec: SceneSpec, full: World, without: World) -> Verdict:
        """Whether the scene is worth rendering."""

    def group(self, spec: SceneSpec) -> str:
        """Scenes of one group are never in two splits."""


def source_of(family: str) -> str:
    """Name of the simulator that makes the scenes of a family."""
    return HUMAN if family == HUMAN_FAMILY else RIGID


def pair_id(index: int, family: str) -> str:
    """Name of scene `index`, which is also the name of its folder."""
    return f"{source_of(family)}-{index:06d}"
