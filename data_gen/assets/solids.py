"""Solids: a visible mesh and the convex pieces that stand for it in the physics. Centimetres, Z up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import manifold3d
import numpy as np
import trimesh
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

SIDES = 48
"""Of round things, as seen."""
PIECE_SIDES = 24
"""Of round things, as felt."""
SMALL = 4.0
"""Radius up to which a ball is a detail and has fewer triangles."""
DENT = 0.02
"""Depth of a dent, relative to the largest radius, that the pieces of a solid of revolution fill."""

Points = NDArray[np.float64]
Profile = Sequence[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Solid:
    """A closed visible mesh and its convex pieces."""

    visual: trimesh.Trimesh
    pieces: tuple[trimesh.Trimesh, ...]

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Solid:
        """Shifted."""
        return self._transformed(trimesh.transformations.translation_matrix((x, y, z)))

    def turned(self, degrees: float, axis: str) -> Solid:
        """Turned about the x, y or z axis, right-handed."""
        direction = np.eye(3)["xyz".index(axis)]
        return self._transformed(trimesh.transformations.rotation_matrix(math.radians(degrees), direction))

    def stretched(self, x: float, y: float, z: float) -> Solid:
        """Scaled along the axes, by positive factors."""
        return self._transformed(np.diag([x, y, z, 1.0]))

    def without_pieces(self) -> Solid:
        """Only to be seen: what contacts need not feel."""
        return Solid(self.visual, ())

    def _transformed(self, matrix_44: Points) -> Solid:
        visual, *pieces = (mesh.copy().apply_transform(matrix_44) for mesh in (self.visual, *self.pieces))
        return Solid(visual, tuple(pieces))


def join(*solids: Solid) -> Solid:
    """The union."""
    visual = trimesh.boolean.union([solid.visual for solid in solids], engine="manifold")
    return Solid(visual, tuple(piece for solid in solids for piece in solid.pieces))


def carve(solid: Solid, *cuts: Solid) -> Solid:
    """Cut holes into the visible mesh; the pieces stay, so cut only what a contact need not feel."""
    visual = trimesh.boolean.difference([solid.visual, *(cut.visual for cut in cuts)], engine="manifold")
    return Solid(visual, solid.pieces)


def hull(points_N3: ArrayLike) -> Solid:
    """The convex hull of points."""
    mesh = trimesh.convex.convex_hull(np.asarray(points_N3, dtype=np.float64))
    return Solid(mesh, (mesh,))


def block(x: float, y: float, z: float, bevel: float = 0.0) -> Solid:
    """A box standing on the floor, with edges cut off by `bevel`."""
    half = np.array([x, y, z]) / 2
    corners = [half * signs - bevel * np.array(signs) * (1 - np.eye(3)[k]) for signs in _SIGNS for k in range(3)]
    return hull(corners).moved(z=z / 2)


def lathe(profile: Profile, sides: int = SIDES) -> Solid:
    """A full solid of revolution about z from (radius, height) pairs, bottom to top."""
    outline = [(0.0, profile[0][1]), *profile, (0.0, profile[-1][1])]
    outline = [point for point, before in zip(outline, [None, *outline[:-1]], strict=True) if point != before]
    visual = trimesh.creation.revolve(outline, sections=sides)
    runs = _convex_runs(profile)
    return Solid(visual, tuple(_hull(np.concatenate([_circle(r, z) for r, z in run])) for run in runs))


def cylinder(radius: float, height: float, bevel: float = 0.0, sides: int = SIDES) -> Solid:
    """Standing on the floor, with edges cut off by `bevel`."""
    if bevel == 0:
        return lathe([(radius, 0.0), (radius, height)], sides)
    return lathe([(radius - bevel, 0.0), (radius, bevel), (radius, height - bevel), (radius - bevel, height)], sides)


def vessel(outer: Profile, inner: Profile, sectors: int = 10, rounded: bool = False) -> Solid:
    """A hollow solid of revolution, open at the top, that holds what falls into it.

    Args:
        outer: (radius, height) pairs of the outside, bottom to top.
        inner: as many of the inside, from the edge of its floor to the rim. Each step is one ring of pieces.
        sectors: pieces of a ring.
        rounded: draw smooth curves through the pairs.
    """
    outside, inside = (spline(side) if rounded else list(side) for side in (outer, inner))
    outline = [(0.0, outer[0][1]), *outside, *reversed(inside), (0.0, inner[0][1])]
    visual = trimesh.creation.revolve(outline, sections=SIDES)
    foot = _hull(np.concatenate([_circle(*outer[0]), _circle(*inner[0])]))
    pieces = [foot]
    for (low_out, low_in), (high_out, high_in) in itertools.pairwise(zip(outer, inner, strict=True)):
        for sector in range(sectors):
            angles = 2 * np.pi * (sector + np.linspace(0, 1, 4)) / sectors
            rings = [_arc_points(r, z, angles) for r, z in (low_out, low_in, high_out, high_in)]
            pieces.append(_hull(np.concatenate(rings)))
    return Solid(visual, tuple(pieces))


def spline(points: Profile, steps: int = 5) -> list[tuple[float, float]]:
    """A smooth curve through points that overshoots none of them, in `steps` steps from each to the next."""
    table = np.asarray(points, dtype=np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(table, axis=0), axis=1))])
    fine = np.concatenate(
        [np.linspace(a, b, steps, endpoint=False) for a, b in itertools.pairwise(along)] + [along[-1:]]
    )
    return [(float(a), float(b)) for a, b in PchipInterpolator(along, table)(fine)]


def bend(major: float, minor: float, start: float, stop: float, count: int = 5) -> Solid:
    """Part of a torus in the xz plane about the origin, from angle `start` to `stop` in degrees, x towards z.

    Its ends are flat. The whole torus is 360 degrees; `count` pieces.
    """
    closed = stop - start >= 360
    steps = max(8, round(SIDES * (stop - start) / 360))
    around = np.linspace(0, 2 * np.pi, 8 if minor < SMALL / 4 else 12, endpoint=False)

    def ring(degrees: float) -> Points:
        angle = math.radians(degrees)
        radius = major + minor * np.cos(around)
        return np.stack([radius * math.cos(angle), minor * np.sin(around), radius * math.sin(angle)], axis=-1)

    rings = [ring(angle) for angle in np.linspace(start, stop, steps + 1)]
    joints = np.linspace(start, stop, count + 1)
    pieces = []
    for a, b in itertools.pairwise(joints):
        angles = np.linspace(a, b, 2 + math.ceil(PIECE_SIDES * (b - a) / 360))
        pieces.append(_hull(np.concatenate([ring(angle) for angle in angles])))
    return Solid(_loft(rings[:-1] if closed else rings, closed), tuple(pieces))


def extrude(outline_N2: ArrayLike, depth: float, parts: Sequence[ArrayLike] | None = None) -> Solid:
    """An upright plate: an outline in the xz plane, `depth` thick along y.

    Args:
        outline_N2: corners.
        depth: half on each side of y = 0.
        parts: convex polygons that make up the outline; None: the outline is convex.
    """
    outline = np.asarray(outline_N2, dtype=np.float64)
    section = manifold3d.CrossSection([outline.tolist()], manifold3d.FillRule.NonZero)
    mesh = manifold3d.Manifold.extrude(section, depth).to_mesh64()
    flat = np.asarray(mesh.vert_properties)[:, :3]
    # (x, z, height) to (x, y, z) by a quarter turn about x, which keeps the faces' orientation.
    vertices = np.stack([flat[:, 0], depth / 2 - flat[:, 2], flat[:, 1]], axis=-1)
    visual = trimesh.Trimesh(vertices, np.asarray(mesh.tri_verts))
    polygons = [outline] if parts is None else [np.asarray(part, dtype=np.float64) for part in parts]
    pieces = (_hull(np.array([(x, y, z) for x, z in part for y in (-depth / 2, depth / 2)])) for part in polygons)
    return Solid(visual, tuple(pieces))


def prism(outline_N2: ArrayLike, height: float, *, twist: float = 0.0, top: float = 1.0, slices: int = 4) -> Solid:
    """A star-shaped outline raised from the floor, turned by `twist` degrees and scaled by `top` on its way.

    Its pieces are the convex hulls of `slices` slices (of one, where nothing turns).
    """
    outline = np.asarray(outline_N2, dtype=np.float64)
    section = manifold3d.CrossSection([outline.tolist()], manifold3d.FillRule.NonZero)
    mesh = manifold3d.Manifold.extrude(section, height, 15 if twist else 0, twist, (top, top)).to_mesh64()
    visual = trimesh.Trimesh(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts))
    shares = np.linspace(0, 1, slices + 1 if twist else 2)

    def level(share: float) -> Points:
        angle = math.radians(twist) * share
        turn_22 = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        flat = outline @ turn_22 * (1 + (top - 1) * share)
        return np.column_stack([flat, np.full(len(flat), height * share)])

    pieces = (_hull(np.concatenate([level(a), level(b)])) for a, b in itertools.pairwise(shares))
    return Solid(visual, tuple(pieces))


def ball(radius: float, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Solid:
    """A ball about a point."""
    return egg(radius, radius, radius).moved(x, y, z)


def egg(x: float, y: float, z: float, flat: float = 1.0) -> Solid:
    """An ellipsoid with these half axes about the origin, cut off below -`flat` * z to stand on."""
    detail = 3 if max(x, y, z) > SMALL else 2
    visual, piece = (
        _hull(
            np.maximum(
                trimesh.creation.icosphere(subdivisions=level).vertices * (x, y, z), (-np.inf, -np.inf, -flat * z)
            )
        )
        for level in (detail, 2)
    )
    return Solid(visual, (piece,))


def rod(start: Sequence[float], end: Sequence[float], radius: float, end_radius: float | None = None) -> Solid:
    """A round rod, or a cone's frustum, between two points."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    stick = lathe([(radius, 0.0), (radius if end_radius is None else end_radius, float(np.linalg.norm(b - a)))], 32)
    turn_44 = trimesh.geometry.align_vectors((0, 0, 1), b - a)
    return stick._transformed(trimesh.transformations.translation_matrix(a) @ turn_44)


def regular(radius: float, corners: int, turn: float = 0.0, inner: float | None = None) -> Points:
    """Corners `(N, 2)` of a regular polygon about the origin, the first at angle `turn` degrees.

    With `inner`, every second corner is drawn in to that radius: a star with `corners` points.
    """
    count = corners if inner is None else 2 * corners
    angles = math.radians(turn) + 2 * np.pi * np.arange(count) / count
    radii = np.full(count, radius) if inner is None else np.where(np.arange(count) % 2 == 0, radius, inner)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1)


_SIGNS = tuple(itertools.product((-1.0, 1.0), repeat=3))


def _circle(radius: float, height: float) -> Points:
    return _arc_points(max(radius, 1e-4), height, np.linspace(0, 2 * np.pi, PIECE_SIDES, endpoint=False))


def _arc_points(radius: float, height: float, angles_N: Points) -> Points:
    return np.stack([radius * np.cos(angles_N), radius * np.sin(angles_N), np.full(len(angles_N), height)], axis=-1)


def _hull(points_N3: Points) -> trimesh.Trimesh:
    return trimesh.convex.convex_hull(points_N3)


def _convex_runs(profile: Profile) -> list[Profile]:
    """The profile in consecutive runs, sharing their ends, as long as the solid of revolution of each stays convex."""
    slack = DENT * max(radius for radius, _ in profile)
    runs, start = [], 0
    for i in range(1, len(profile)):
        if i + 1 == len(profile) or not _is_convex(profile[start : i + 2], slack):
            runs.append(profile[start : i + 1])
            start = i
    return runs


def _is_convex(profile: Profile, slack: float) -> bool:
    """Whether no point of a rising outline lies inside the line between two others by more than `slack`."""
    for (r0, z0), (r1, z1), (r2, z2) in itertools.combinations(profile, 3):
        if z2 > z0 and r0 + (r2 - r0) * (z1 - z0) / (z2 - z0) > r1 + slack:
            return False
    return True


def _loft(rings: Sequence[Points], closed: bool) -> trimesh.Trimesh:
    """A tube through rings of equal length, with flat ends unless it is closed on itself."""
    count, sides = len(rings), len(rings[0])
    faces = []
    for i in range(count if closed else count - 1):
        for k in range(sides):
            a, b = i * sides + k, i * sides + (k + 1) % sides
            c, d = (a + sides) % (count * sides), (b + sides) % (count * sides)
            faces += [(a, c, b), (b, c, d)]
    if not closed:
        last = (count - 1) * sides
        faces += [(0, k, k + 1) for k in range(1, sides - 1)]
        faces += [(last, last + k + 1, last + k) for k in range(1, sides - 1)]
    mesh = trimesh.Trimesh(np.concatenate(rings), np.array(faces))
    if mesh.volume < 0:
        mesh.invert()
    return mesh
