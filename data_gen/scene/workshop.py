"""From a spec to a `kubric.Scene` that any Kubric view can observe."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from data_gen.assets.library import Library
from data_gen.blender.kubric_compat import load_kubric
from data_gen.config import PHYSICS_RATE
from data_gen.scene.camera import SENSOR_WIDTH
from data_gen.scene.palette import linear_rgb
from data_gen.scene.spec import BackdropSpec, ObjectSpec, RoomSpec, SceneSpec, SurfaceSpec

FLOOR_SIZE = 30.0
FLOOR_THICKNESS = 1.0
BACKDROP = "backdrop"
WALL = "wall"
"""With what the names of a room's walls begin."""
WALL_THICKNESS = 0.2


class Workshop:
    """Makes Kubric scenes and objects.

    Args:
        library: assets.
        textures: folder of the sets of PBR images that surfaces name; None: no surface names one.
    """

    def __init__(self, library: Library, textures: Path | None = None) -> None:
        self.kb = load_kubric()
        self.library = library
        self.textures = textures

    def scene(self, spec: SceneSpec) -> Any:
        """A scene with the spec's time, size and backdrop. Kubric's global counters start afresh, so names repeat."""
        self.kb.utils.next_global_count("", reset=True)
        scene = self.kb.Scene(
            frame_start=0,
            frame_end=spec.frames - 1,
            frame_rate=spec.fps,
            step_rate=PHYSICS_RATE,
            resolution=(spec.camera.width, spec.camera.height),
        )
        scene += self._backdrop(spec)
        if spec.backdrop.room is not None:
            scene += self._walls(spec.backdrop, spec.backdrop.room)
        return scene

    def add(self, scene: Any, spec: SceneSpec, indices: Iterable[int]) -> dict[int, Any]:
        """Add the objects of these indices to `scene`; returns them by index."""
        added = {i: self._object(f"object_{i}", spec, spec.objects[i]) for i in indices}
        scene += list(added.values())
        return added

    def camera(self, spec: SceneSpec) -> Any:
        """The camera as it is at the first frame."""
        first = spec.camera.at(0)
        return self.kb.PerspectiveCamera(
            name="camera",
            position=first.position,
            quaternion=first.quaternion,
            focal_length=first.focal_length,
            sensor_width=SENSOR_WIDTH,
        )

    def _backdrop(self, spec: SceneSpec) -> Any:
        traits = {
            "name": BACKDROP,
            "static": True,
            "background": True,
            "friction": spec.backdrop.friction,
            "restitution": spec.backdrop.restitution,
        }
        if spec.backdrop.surface is None:
            return self.library.dome(**traits)
        return self.kb.Cube(
            scale=(FLOOR_SIZE, FLOOR_SIZE, FLOOR_THICKNESS),
            position=(0.0, 0.0, -FLOOR_THICKNESS),
            material=self._material(spec.backdrop.surface),
            **traits,
        )

    def _walls(self, backdrop: BackdropSpec, room: RoomSpec) -> list[Any]:
        """Boxes around the rectangle of floor; walls overlap at corners."""
        middle, half = np.add(room.low, room.high) / 2, np.subtract(room.high, room.low) / 2
        thick = WALL_THICKNESS / 2
        walls = []
        for side in room.sides:
            sign, axis = (-1 if side[0] == "-" else 1), "xy".index(side[1])
            position = np.array([*middle, room.height / 2])
            position[axis] += sign * (half[axis] + thick)
            scale = np.array([*(half + 2 * thick), room.height / 2])
            scale[axis] = thick
            walls.append(
                self.kb.Cube(
                    name=f"{WALL}_{side}",
                    scale=scale,
                    position=position,
                    material=self._material(room.surface),
                    static=True,
                    background=True,
                    friction=backdrop.friction,
                    restitution=backdrop.restitution,
                )
            )
        return walls

    def _material(self, surface: SurfaceSpec) -> Any:
        return self.kb.PrincipledBSDFMaterial(
            color=self.kb.Color(*linear_rgb(surface.color)),
            roughness=surface.roughness,
            metallic=surface.metallic,
            specular=0.4,
        )

    def _object(self, name: str, spec: SceneSpec, item: ObjectSpec) -> Any:
        traits = {
            "name": name,
            "scale": item.scale,
            "position": item.position,
            "quaternion": item.quaternion,
            "velocity": item.velocity,
            "angular_velocity": item.angular_velocity,
            "mass": item.mass,
            "friction": item.friction,
            "restitution": item.restitution,
            "static": item.static,
        }
        if item.surface is not None:
            traits["material"] = self._material(item.surface)
        return self._create(spec, item, traits)

    def _create(self, spec: SceneSpec, item: ObjectSpec, traits: dict[str, Any]) -> Any:
        """The Kubric object of an asset's id."""
        return self.library.create(item.asset, **traits)
