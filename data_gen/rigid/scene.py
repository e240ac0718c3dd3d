"""From a spec to a `kubric.Scene` that any Kubric view can observe."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data_gen.blender.kubric_compat import load_kubric
from data_gen.rigid.assets import PROPORTIONS
from data_gen.rigid.palette import linear_rgb
from data_gen.rigid.sample import PHYSICS_RATE
from data_gen.rigid.spec import SENSOR_WIDTH, ObjectSpec, SceneSpec

FLOOR_SIZE = 30.0
FLOOR_THICKNESS = 1.0


class Workshop:
    """Makes Kubric objects from the local pack; unpacks meshes into a scratch folder.

    Args:
        manifest: of the pack.
        scratch: an existing empty folder.
    """

    def __init__(self, manifest: Path, scratch: Path) -> None:
        self.kb = load_kubric()
        # Kubric's `create` changes the entries it is given, so each object gets its own copy.
        self._entries = json.loads(manifest.read_text())["assets"]
        self._data_dir = manifest.parent
        self._scratch = scratch

    def scene(self, spec: SceneSpec) -> Any:
        """A scene with the spec's time, size and floor. Kubric's global counters start afresh, so names repeat."""
        self.kb.utils.next_global_count("", reset=True)
        scene = self.kb.Scene(
            frame_start=0,
            frame_end=spec.frames - 1,
            frame_rate=spec.fps,
            step_rate=PHYSICS_RATE,
            resolution=(spec.camera.width, spec.camera.height),
        )
        scene += self.kb.Cube(
            name="floor",
            scale=(FLOOR_SIZE, FLOOR_SIZE, FLOOR_THICKNESS),
            position=(0.0, 0.0, -FLOOR_THICKNESS),
            static=True,
            background=True,
            friction=spec.floor.friction,
            restitution=spec.floor.restitution,
            material=self._material(spec.floor.color, spec.floor.roughness),
        )
        return scene

    def add(self, scene: Any, spec: SceneSpec, indices: Iterable[int]) -> dict[int, Any]:
        """Add the objects of these indices to `scene`; returns them by index."""
        added = {i: self._object(f"object_{i}", spec.objects[i]) for i in indices}
        scene += list(added.values())
        return added

    def camera(self, spec: SceneSpec) -> Any:
        """The spec's camera."""
        return self.kb.PerspectiveCamera(
            name="camera",
            position=spec.camera.position,
            look_at=spec.camera.look_at,
            focal_length=spec.camera.focal_length,
            sensor_width=SENSOR_WIDTH,
        )

    def _material(self, color: str, roughness: float) -> Any:
        return self.kb.PrincipledBSDFMaterial(
            color=self.kb.Color(*linear_rgb(color)), roughness=roughness, specular=0.4
        )

    def _object(self, name: str, item: ObjectSpec) -> Any:
        traits = {
            "name": name,
            "position": item.position,
            "quaternion": item.quaternion,
            "velocity": item.velocity,
            "mass": item.mass,
            "friction": item.friction,
            "restitution": item.restitution,
            "material": self._material(item.color, item.roughness),
        }
        if item.kind == "ball":
            return self.kb.Sphere(scale=item.scale, **traits)
        if item.kind in PROPORTIONS:
            return self.kb.Cube(scale=tuple(item.scale * side for side in PROPORTIONS[item.kind]), **traits)
        entries = {item.kind: copy.deepcopy(self._entries[item.kind])}
        source = self.kb.AssetSource("local", self._data_dir, entries, scratch_dir=self._scratch)
        return source.create(item.kind, scale=item.scale, **traits)
