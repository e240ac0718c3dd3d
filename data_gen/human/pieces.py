"""Convex pieces that stand for a mesh in the physics and leave its hollows open."""

from __future__ import annotations

from collections.abc import Iterator

import coacd
import numpy as np
import trimesh
from numpy.typing import NDArray
from trimesh.grouping import group_rows

CONCAVITY = 0.05
"""Of a convex piece, relative to the part it is cut from: CoACD's threshold."""
SEARCH: dict[str, int] = {"resolution": 1000, "mcts_nodes": 10, "mcts_iterations": 60}
"""Effort of CoACD's search for cuts: half its defaults, in half their time, and no less exact on what was measured."""
MAX_CORNERS = 64
"""Of a convex piece."""
CONVEX_SHARE = 0.97
"""Share of its convex hull from which a part counts as convex."""
REMESH_RESOLUTION = 50
"""Cells along the longest side of a part that is not a closed surface, which CoACD makes one of."""
SHEET = 0.003
"""Metres of thickness that a part gets which is a surface with an edge."""
RECIPE = (CONCAVITY, SEARCH, MAX_CORNERS, CONVEX_SHARE, REMESH_RESOLUTION, SHEET)
"""All that the pieces of a mesh depend on."""


def convex_pieces(mesh: trimesh.Trimesh) -> list[trimesh.Trimesh]:
    """One or more convex pieces, the same for the same mesh. Takes seconds for a hollow one.

    Args:
        mesh: of one part or several, metres. A part that is convex is its own hull, others are cut by CoACD; a surface
            with an edge counts as a sheet.
    """
    pieces = [piece for part in mesh.split(only_watertight=False) for piece in _pieces_of_part(part)]
    return pieces or [_slab(mesh)]


def filled_volume(mesh: trimesh.Trimesh) -> float:
    """Cubic metres of the stuff that a mesh is made of; parts with an edge are sheets."""
    parts = mesh.split(only_watertight=False)
    return float(sum(abs(part.volume) if part.is_watertight else part.area * SHEET for part in parts))


def thickened(sheet: trimesh.Trimesh) -> trimesh.Trimesh:
    """A surface with an edge as a closed one, half of `SHEET` to each side of it."""
    step_V3 = sheet.vertex_normals * SHEET / 2
    count = len(sheet.vertices)
    edges_E2 = sheet.edges[group_rows(sheet.edges_sorted, require_count=1)]
    a, b = edges_E2.T
    faces = [
        sheet.faces,
        sheet.faces[:, ::-1] + count,
        np.column_stack([b, a, a + count]),
        np.column_stack([b, a + count, b + count]),
    ]
    vertices = np.concatenate([sheet.vertices + step_V3, sheet.vertices - step_V3])
    return trimesh.Trimesh(vertices, np.concatenate(faces), process=False)


def _pieces_of_part(part: trimesh.Trimesh) -> Iterator[trimesh.Trimesh]:
    if _is_flat(part.vertices):
        return  # It has no inside: others carry it.
    if not part.is_watertight:
        part = thickened(part)
    hull = part.convex_hull
    if part.is_watertight and part.volume >= CONVEX_SHARE * hull.volume:
        yield hull
        return
    coacd.set_log_level("error")
    for vertices, _ in coacd.run_coacd(
        coacd.Mesh(part.vertices, part.faces),
        threshold=CONCAVITY,
        preprocess_mode="auto",
        preprocess_resolution=REMESH_RESOLUTION,
        decimate=True,
        max_ch_vertex=MAX_CORNERS,
        seed=0,
        **SEARCH,
    ):
        yield trimesh.convex.convex_hull(vertices)


def _is_flat(vertices_V3: NDArray[np.float64]) -> bool:
    return bool(np.linalg.matrix_rank(vertices_V3 - vertices_V3[0], tol=1e-6) < 3)


def _slab(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Of a mesh that is flat altogether, such as a sheet of paper."""
    corners_83 = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, 8).T * SHEET / 2
    return trimesh.convex.convex_hull((mesh.vertices[:, None] + corners_83).reshape(-1, 3))
