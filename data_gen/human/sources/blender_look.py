"""The look of a figure with images, as Blender imported it: one mesh with texture coordinates, materials and images.

It is kept as a file of Blender's, so that a scene shows exactly what Blender's own import of the figure shows. What is
drawn without Blender gets the mean colour of each triangle. Shape legend: F triangles, P pixels, K colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from data_gen.human.motion import SequenceError
from data_gen.scene.skin import LOOK_MESH, Skin

UNSET_COLOR = 0.8
"""Grey of a material that nobody gave a colour, in Blender and in FBX."""
UV_LAYER = "UVMap"
SHADES = 12
"""Different colours of a figure where it is drawn without Blender."""
GAMMA = 2.2
"""Of the curve from linear to perceived brightness."""
WHITE = (1.0, 1.0, 1.0)


def has_look(meshes: Sequence[Any]) -> bool:
    """Whether any material of some Blender objects shows more than a plain colour: an image, or colours of vertices."""
    for material in _materials(meshes):
        if any(node.type == "TEX_IMAGE" and node.image for node in _nodes(material)):
            return True
        shader = _shader(material)
        if shader is not None and shader.inputs["Base Color"].is_linked:
            return True
    return False


def joined(bpy: Any, meshes: Sequence[Any]) -> Any:
    """Some Blender objects of a figure as one, in the world, in the rest pose, with the texture coordinates of each.

    Materials keep their images and may differ in all else. Shapes that faces are mixed from are fixed as they are.
    """
    for item in meshes:
        if item.data.users > 1:
            item.data = item.data.copy()
        if item.data.shape_keys:
            _fix_shape(item)
        if item.parent_type == "BONE":
            item.vertex_groups.clear()
            item.vertex_groups.new(name=item.parent_bone).add(range(len(item.data.vertices)), 1.0, "REPLACE")
        world = item.matrix_world.copy()
        item.parent = None
        item.modifiers.clear()
        item.data.transform(world)
        if world.determinant() < 0:
            item.data.flip_normals()
        item.matrix_world.identity()
        item.matrix_basis.identity()
        _name_layer(item)
    first = meshes[0]
    if len(meshes) > 1:
        everything = {"selected_objects": list(meshes), "selected_editable_objects": list(meshes)}
        with bpy.context.temp_override(object=first, active_object=first, **everything):
            bpy.ops.object.join()
    if UV_LAYER in first.data.uv_layers:
        first.data.uv_layers[UV_LAYER].active_render = True
    bpy.context.view_layer.update()
    return first


def drop_nameless_images(meshes: Sequence[Any]) -> tuple[str, ...]:
    """Take images out of materials that have neither pixels nor the name of a file: some exporters leave them so.

    Returns:
        Names of these materials, which keep their plain colours.
    """
    changed = set()
    for material in _materials(meshes):
        for node in list(material.node_tree.nodes):
            if not _shows_image(node) or node.image.packed_file or node.image.source != "FILE" or node.image.size[0]:
                continue
            if not node.image.filepath or Path(node.image.filepath_from_user()).is_dir():
                material.node_tree.nodes.remove(node)
                changed.add(material.name)
    return tuple(sorted(changed))


def write_look(bpy: Any, item: Any, path: Path, sequence: str, field: str) -> tuple[Path, ...]:
    """Write the mesh of a Blender object with its materials and images to a file.

    Returns:
        Files that images were taken from; those that came in the figure's own file have none.

    Raises:
        SequenceError: an image is missing or damaged.
    """
    shown = {node.image for material in _materials([item]) for node in _nodes(material) if _shows_image(node)}
    files = set()
    for image in shown:
        if image.size[0] == 0 and image.source != "GENERATED":
            place = f" at {bpy.path.abspath(image.filepath)}" if image.filepath and not image.packed_file else ""
            raise SequenceError(
                sequence,
                field,
                f"shows the image {image.name}, which is missing or damaged{place}",
                "put the image beside the file, or export the figure with its images embedded",
            )
        if not image.packed_file:
            file = Path(bpy.path.abspath(image.filepath))
            files |= {file.resolve()} if image.filepath and file.is_file() else set()
            image.pack()
    mesh = item.data.copy()
    mesh.name = LOOK_MESH
    holder = bpy.data.objects.new(LOOK_MESH, mesh)
    holder.vertex_groups.clear()
    bpy.data.libraries.write(str(path), {mesh}, fake_user=True, compress=True)
    bpy.data.objects.remove(holder)
    bpy.data.meshes.remove(mesh)
    return tuple(sorted(files))


def shades(item: Any) -> NDArray[np.float64]:
    """Linear RGB `(F, 3)` of a Blender object's triangles, at their middles, of at most `SHADES` different ones."""
    mesh = item.data
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    slots_F = np.empty(count, np.int64)
    mesh.loop_triangles.foreach_get("material_index", slots_F)
    layer = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    places_F2 = None
    if layer is not None:
        corners_F3 = np.empty(count * 3, np.int64)
        mesh.loop_triangles.foreach_get("loops", corners_F3)
        uv_L2 = np.empty(len(mesh.loops) * 2)
        layer.data.foreach_get("uv", uv_L2)
        places_F2 = uv_L2.reshape(-1, 2)[corners_F3.reshape(-1, 3)].mean(axis=1)
    shade_F3 = np.full((count, 3), UNSET_COLOR)
    for slot, holder in enumerate(item.material_slots):
        chosen_F = slots_F == slot
        if holder.material is not None and chosen_F.any():
            shade_F3[chosen_F] = _material_colors(holder.material, None if places_F2 is None else places_F2[chosen_F])
    return _quantised(shade_F3)


def part_colors(shade_F3: NDArray[np.float64], skin: Skin) -> tuple[tuple[float, float, float], ...]:
    """Mean linear RGB of each part, by the areas of its triangles."""
    corners_F33 = skin.vertices_V3[skin.triangles_F3]
    area_F = np.linalg.norm(
        np.cross(corners_F33[:, 1] - corners_F33[:, 0], corners_F33[:, 2] - corners_F33[:, 0]), axis=1
    )
    found = []
    for part in range(len(skin.parts)):
        chosen_F = skin.part_F == part
        weight_F = area_F[chosen_F] + 1e-12
        mean_3 = weight_F @ shade_F3[chosen_F] / weight_F.sum() if chosen_F.any() else np.full(3, UNSET_COLOR)
        found.append((float(mean_3[0]), float(mean_3[1]), float(mean_3[2])))
    return tuple(found)


def _material_colors(material: Any, places_F2: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Linear RGB of a material at places of its image; one colour where it has no image."""
    shader = _shader(material)
    if shader is None:
        return np.full(3, UNSET_COLOR)
    socket = shader.inputs["Base Color"]
    image, factor = None, np.array(WHITE)
    while socket.is_linked and image is None:
        node = socket.links[0].from_node
        if _shows_image(node):
            image = node.image
            break
        inputs = [item for item in node.inputs if item.type == "RGBA"]
        linked = [item for item in inputs if item.is_linked]
        if not linked:
            break
        multiplied = getattr(node, "blend_type", "") == "MULTIPLY"
        for item in inputs if multiplied else ():
            if not item.is_linked:
                factor = factor * np.array(item.default_value[:3])
        socket = linked[0]
    if image is None or places_F2 is None or image.size[0] == 0:
        return np.array(socket.default_value[:3]) if not socket.is_linked else np.full(3, UNSET_COLOR)
    return factor * _sampled(image, places_F2)


def _sampled(image: Any, places_F2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear RGB of an image at places of which 0..1 are its sides; it repeats beyond."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    finite_F2 = np.nan_to_num(places_F2) % 1.0
    columns_F = np.minimum((finite_F2[:, 0] * width).astype(np.int64), width - 1)
    rows_F = np.minimum((finite_F2[:, 1] * height).astype(np.int64), height - 1)
    colors_F3 = pixels.reshape(height, width, 4)[rows_F, columns_F, :3].astype(np.float64)
    if image.colorspace_settings.name != "sRGB" or image.is_float:
        return colors_F3
    return np.where(colors_F3 <= 0.04045, colors_F3 / 12.92, ((colors_F3 + 0.055) / 1.055) ** 2.4)


def _fix_shape(item: Any) -> None:
    """Give a Blender object with shape keys the shape that it shows, for good."""
    mixed = item.shape_key_add(name="mixed", from_mix=True)
    places = np.empty(len(item.data.vertices) * 3)
    mixed.data.foreach_get("co", places)
    item.shape_key_clear()
    item.data.vertices.foreach_set("co", places)


def _quantised(shade_F3: NDArray[np.float64]) -> NDArray[np.float64]:
    different_K3 = np.unique(shade_F3.round(4), axis=0)
    if len(different_K3) <= SHADES:
        return shade_F3.round(4)
    # Told apart as the eye does, which sees more steps in the dark.
    centres_K3, index_F = kmeans2(shade_F3.clip(0.0) ** (1 / GAMMA), SHADES, minit="++", seed=0)
    return centres_K3[index_F] ** GAMMA


def _name_layer(item: Any) -> None:
    """Call the texture coordinates that a mesh shows `UV_LAYER`: joining meshes puts those of one name together."""
    shown = next((layer for layer in item.data.uv_layers if layer.active_render), None)
    if shown is None or shown.name == UV_LAYER:
        return
    before = shown.name
    if UV_LAYER in item.data.uv_layers:
        item.data.uv_layers[UV_LAYER].name = f"{UV_LAYER}.other"
    shown.name = UV_LAYER
    for material in _materials([item]):
        for node in _nodes(material):
            if node.type in ("UVMAP", "NORMAL_MAP") and node.uv_map in (before, UV_LAYER):
                node.uv_map = UV_LAYER if node.uv_map == before else f"{UV_LAYER}.other"


def _materials(meshes: Sequence[Any]) -> list[Any]:
    slots = [slot for item in meshes for slot in item.material_slots]
    return [slot.material for slot in slots if slot.material and slot.material.use_nodes]


def _nodes(material: Any) -> Iterator[Any]:
    waiting = [material.node_tree]
    while waiting:
        tree = waiting.pop()
        for node in tree.nodes:
            yield node
            if node.type == "GROUP" and node.node_tree:
                waiting.append(node.node_tree)


def _shows_image(node: Any) -> bool:
    return node.type == "TEX_IMAGE" and node.image is not None


def _shader(material: Any) -> Any:
    return next((node for node in _nodes(material) if node.type == "BSDF_PRINCIPLED"), None)
