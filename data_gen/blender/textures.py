"""Sets of PBR images from a folder: `<set>/<images>`, told apart by words in the images' names.

Box projection: each face shows the images along the axis that it faces most, so meshes need no texture coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from void.errors import InputError

COLOR_WORDS = ("color", "albedo", "basecolor", "base_color", "diff")
NORMAL_WORDS = ("normalgl", "normal-ogl", "nor_gl", "normal")
ROUGHNESS_WORDS = ("rough",)
DIRECTX_WORDS = ("normaldx", "normal-dx", "nor_dx")
"""Normal maps whose green axis points the other way: not used."""
SUFFIXES = (".jpg", ".jpeg", ".png")
UV_LAYER = "box"
SIDES = ((1, 2), (0, 2), (0, 1))
"""Axes that run along the images on faces that look along x, y and z: upright on walls."""


@dataclass(frozen=True)
class TextureSet:
    """The images of one material."""

    color: Path
    normal: Path | None
    """Tangent space, OpenGL's direction of green."""
    roughness: Path | None


def texture_names(folder: Path) -> tuple[str, ...]:
    """Names of the sets in a folder, sorted.

    Raises:
        InputError: there is no such folder, or nothing in it, or a set without a colour image.
    """
    if not folder.is_dir():
        raise InputError(f"the folder of textures {folder} does not exist", "give one with a folder for each material")
    names = tuple(sorted(item.name for item in folder.iterdir() if item.is_dir() and not item.name.startswith(".")))
    if not names:
        raise InputError(f"the folder of textures {folder} holds no folders", "make one for each material")
    for name in names:
        texture_set(folder, name)
    return names


def texture_set(folder: Path, name: str) -> TextureSet:
    """The images of the set `name`.

    Raises:
        InputError: it has no colour image.
    """
    place = folder / name
    images = sorted(file for file in place.glob("*") if file.suffix.lower() in SUFFIXES)
    color = _first(images, COLOR_WORDS)
    if color is None:
        raise InputError(
            f"the texture set {place} has no colour image",
            f"name it with one of {', '.join(COLOR_WORDS)} (and {', '.join(SUFFIXES)})",
        )
    usable = [file for file in images if not any(word in file.stem.lower() for word in DIRECTX_WORDS)]
    return TextureSet(color, _first(usable, NORMAL_WORDS), _first(images, ROUGHNESS_WORDS))


def apply(item: Any, images: TextureSet, *, tile: float) -> None:
    """Give a `bpy.types.Object` whose material has a Principled BSDF the images of a set.

    Args:
        item: the object, scaled as it will be; its mesh takes the scale over, as an uneven one would flatten normals.
        images: of the set.
        tile: metres that an image covers.
    """
    import bpy
    from mathutils import Matrix

    item.data.transform(Matrix.LocRotScale(None, None, item.scale))
    item.scale = (1.0, 1.0, 1.0)
    _project(item.data, tile)
    tree = item.active_material.node_tree
    place = tree.nodes.new("ShaderNodeUVMap")
    place.uv_map = UV_LAYER
    shader = tree.nodes["Principled BSDF"]

    def image(file: Path, space: str) -> Any:
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = bpy.data.images.load(str(file), check_existing=True)
        node.image.colorspace_settings.name = space
        tree.links.new(place.outputs["UV"], node.inputs["Vector"])
        return node.outputs["Color"]

    tree.links.new(image(images.color, "sRGB"), shader.inputs["Base Color"])
    if images.roughness is not None:
        tree.links.new(image(images.roughness, "Non-Color"), shader.inputs["Roughness"])
    if images.normal is not None:
        bend = tree.nodes.new("ShaderNodeNormalMap")
        bend.uv_map = UV_LAYER
        tree.links.new(image(images.normal, "Non-Color"), bend.inputs["Color"])
        tree.links.new(bend.outputs["Normal"], shader.inputs["Normal"])


def _project(mesh: Any, tile: float) -> None:
    """Give a `bpy.types.Mesh` texture coordinates by box projection."""
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    normals = np.empty(len(mesh.polygons) * 3, np.float32)
    corners_L = np.empty(len(mesh.loops), np.int32)
    sizes_P = np.empty(len(mesh.polygons), np.int32)
    mesh.vertices.foreach_get("co", vertices)
    mesh.polygons.foreach_get("normal", normals)
    mesh.polygons.foreach_get("loop_total", sizes_P)
    mesh.loops.foreach_get("vertex_index", corners_L)
    axis_L = np.repeat(np.abs(normals.reshape(-1, 3)).argmax(axis=-1), sizes_P)
    metres_L3 = vertices.reshape(-1, 3)[corners_L]
    places_L2 = np.take_along_axis(metres_L3, np.array(SIDES)[axis_L], axis=-1) / tile
    layer = mesh.uv_layers.new(name=UV_LAYER)
    layer.data.foreach_set("uv", places_L2.astype(np.float32).ravel())


def _first(images: list[Path], words: tuple[str, ...]) -> Path | None:
    return next((file for word in words for file in images if word in file.stem.lower()), None)
