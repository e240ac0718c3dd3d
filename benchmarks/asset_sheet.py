"""A picture of all shapes of the embedded pack with their ids, each scaled to the same size.

.venv/bin/python benchmarks/asset_sheet.py docs/assets.jpg [first] [last]
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from data_gen.assets.library import Library, Shape, open_library
from data_gen.blender.surface import smooth
from data_gen.config import AssetsConfig
from data_gen.scene.palette import OBJECT_COLORS, linear_rgb

COLUMNS = 15
SPACING = 1.6
CELL = 104
"""Pixels."""
LABEL = 16
"""Pixels below each cell."""
TILT = math.radians(58)
"""Of the camera, from looking straight down."""
QUALITY = 62


def build_scene(library: Library, shapes: list[Shape], scratch: Path) -> None:
    """Put the shapes into a grid on the plane that faces the camera, each on its own small stage."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for number, shape in enumerate(shapes):
        row, column = divmod(number, COLUMNS)
        asset = library.create(shape.id)
        bpy.ops.wm.obj_import(filepath=asset.render_filename, forward_axis="Y", up_axis="Z")
        (item,) = bpy.context.selected_objects
        middle = np.add(shape.low, shape.high) / 2
        size = 1.15 / float(np.linalg.norm(shape.extents))
        item.rotation_euler = (0, 0, math.radians(28))
        item.scale = (size,) * 3
        turned = Vector(middle * size)
        turned.rotate(item.rotation_euler)
        up = Vector((0, math.cos(TILT), math.sin(TILT)))
        item.location = Vector((column * SPACING, 0, 0)) - up * row * SPACING * (CELL + LABEL) / CELL - turned
        smooth(item.data)
        material = bpy.data.materials.new(shape.id)
        material.use_nodes = True
        color = list(OBJECT_COLORS)[number % len(OBJECT_COLORS)]
        material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*linear_rgb(color), 1)
        item.data.materials.clear()
        item.data.materials.append(material)


def render(rows: int, scratch: Path) -> NDArray[np.uint8]:
    """The picture `(rows * (CELL + LABEL), COLUMNS * CELL, 3)` in BGR."""
    scene = bpy.context.scene
    pitch = SPACING * (CELL + LABEL) / CELL
    up = Vector((0, math.cos(TILT), math.sin(TILT)))
    back = Vector((0, -math.sin(TILT), math.cos(TILT)))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type = "ORTHO"
    height = rows * pitch
    # The sheet's labels take the lower part of each cell.
    middle = Vector(((COLUMNS - 1) * SPACING / 2, 0, 0)) - up * ((rows - 1) * pitch / 2 + SPACING * LABEL / CELL / 2)
    camera.location = middle + back * 200
    camera.rotation_euler = (TILT, 0, 0)
    camera.data.ortho_scale = max(height, COLUMNS * SPACING)
    camera.data.clip_end = 1000
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy = 3.0
    sun.rotation_euler = (math.radians(35), math.radians(-25), 0)
    for item in (camera, sun):
        scene.collection.objects.link(item)
    scene.camera = camera
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.75, 0.78, 0.82, 1)
    scene.world = world
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 16
    scene.cycles.use_denoising = True
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = COLUMNS * CELL, rows * (CELL + LABEL)
    scene.render.filepath = str(scratch / "sheet.png")
    bpy.ops.render.render(write_still=True)
    return cv2.imread(scene.render.filepath)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("last", type=int, nargs="?")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        library = open_library(AssetsConfig(root=str(scratch / "assets"), held_out=0))
        shapes = [shape for shape in library.shapes.values() if "primitive" not in shape.tags][args.first : args.last]
        build_scene(library, shapes, scratch)
        rows = math.ceil(len(shapes) / COLUMNS)
        picture = render(rows, scratch)
    for number, shape in enumerate(shapes):
        row, column = divmod(number, COLUMNS)
        place = (column * CELL + 4, row * (CELL + LABEL) + CELL + 11)
        cv2.putText(picture, shape.id, place, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (30, 30, 30), 1, cv2.LINE_AA)
    cv2.imwrite(str(args.picture), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    main()
