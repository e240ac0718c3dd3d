"""Kubric 2023.12.27 on Blender 4.2 and without TensorFlow.

Kubric needs TensorFlow only for two file functions, and was written for Blender 2.93. Nothing of Kubric is edited: its
handlers are re-registered. Import Kubric through the three functions below only.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Principled BSDF: Kubric's trait -> the socket's name since Blender 4.0.
PRINCIPLED_SOCKETS = {
    "color": "Base Color",
    "roughness": "Roughness",
    "metallic": "Metallic",
    "specular": "Specular IOR Level",
    "ior": "IOR",
    "transmission": "Transmission Weight",
    "emission": "Emission Color",
}


def _open(name: str, mode: str = "r") -> Any:
    return Path(name).open(mode)


def _copy(source: str, target: str, overwrite: bool = False) -> None:
    if Path(target).exists() and not overwrite:
        raise FileExistsError(target)
    shutil.copyfile(source, target)


@contextlib.contextmanager
def _tensorflow_stand_in() -> Iterator[None]:
    """A module `tensorflow` with just `io.gfile`, gone again afterwards (or transformers would believe in it)."""
    if "tensorflow" in sys.modules:
        yield
        return
    stand_in = types.ModuleType("tensorflow")
    stand_in.__spec__ = importlib.machinery.ModuleSpec("tensorflow", None)
    gfile = types.SimpleNamespace(GFile=_open, copy=_copy)
    stand_in.__dict__["io"] = types.SimpleNamespace(gfile=gfile)
    sys.modules["tensorflow"] = stand_in
    try:
        yield
    finally:
        del sys.modules["tensorflow"]


def load_kubric() -> Any:
    """The package `kubric`: scenes and assets. Imports neither Blender nor PyBullet."""
    with _tensorflow_stand_in():
        import kubric
    return kubric


def load_simulator() -> Any:
    """The class `kubric.simulator.PyBullet`."""
    with _tensorflow_stand_in():
        from kubric.simulator import PyBullet
    return PyBullet


def close_simulator(simulator: Any) -> None:
    """Disconnect a `kubric.simulator.PyBullet`: Bullet has room for 1,024, and Kubric waits for garbage collection.

    Its client then has no number, or it would close whichever client has the same number when it is collected.
    """
    client = simulator._physics_client
    client.disconnect()
    client._client = -1


def load_renderer() -> Any:
    """The class `kubric.renderer.Blender`, with handlers for Blender 4.2."""
    with _tensorflow_stand_in():
        from kubric import core
        from kubric.renderer import Blender, blender, blender_utils
    import bpy

    def add_file(self: Any, asset: Any) -> Any:
        axes = {
            "forward_axis": asset.render_import_kwargs["axis_forward"],
            "up_axis": asset.render_import_kwargs["axis_up"],
        }
        with blender.RedirectStream(stream=sys.stdout, disabled=self.verbose):
            bpy.ops.wm.obj_import(filepath=asset.render_filename, use_split_objects=False, **axes)
        (imported,) = bpy.context.selected_objects
        blender.register_object3d_setters(asset, imported)
        to_blender = blender.AttributeSetter(imported, "active_material", converter=self._convert_to_blender_object)
        asset.observe(to_blender, "material")
        asset.observe(blender.AttributeSetter(imported, "scale"), "scale")
        asset.observe(blender.KeyframeSetter(imported, "scale"), "scale", type="keyframe")
        return imported

    def add_material(self: Any, asset: Any) -> Any:
        material = bpy.data.materials.new(asset.uid)
        material.use_nodes = True
        shader = material.node_tree.nodes["Principled BSDF"]
        for trait, socket in PRINCIPLED_SOCKETS.items():
            asset.observe(blender.AttributeSetter(shader.inputs[socket], "default_value"), trait)
            asset.observe(blender.KeyframeSetter(shader.inputs[socket], "default_value"), trait, type="keyframe")
        # Since 4.0 the emission strength is 0 by default; Kubric's colour alone decides.
        shader.inputs["Emission Strength"].default_value = 1.0
        return material

    if not getattr(blender_utils, "is_for_blender_4", False):
        make_coordinates = blender_utils.add_coordinate_material

        def add_coordinate_material() -> Any:
            material = make_coordinates()
            for node in material.node_tree.nodes:
                if node.bl_idname == "ShaderNodeOutputAOV":
                    node.aov_name = "ObjectCoordinates"
            return material

        blender_utils.add_coordinate_material = add_coordinate_material
        handlers = Blender.__dict__["add_asset"]
        handlers.register(core.FileBasedObject, blender_utils.prepare_blender_object(add_file))
        handlers.register(core.PrincipledBSDFMaterial, blender_utils.prepare_blender_object(add_material))
        blender_utils.is_for_blender_4 = True
    return Blender
