"""Balls and what is nearly one. Centimetres."""

from __future__ import annotations

import itertools
import math

import numpy as np
import trimesh

from data_gen.assets.recipe import variants
from data_gen.assets.solids import Points, Solid, hull, lathe

GOLDEN = (1 + math.sqrt(5)) / 2


def _sphere(radius: float) -> Solid:
    """Round enough to roll."""
    return hull(trimesh.creation.icosphere(subdivisions=3).vertices * radius)


def _football() -> Solid:
    """A truncated icosahedron of 11 cm radius, puffed up, with seams between its panels."""
    seeds = ((0.0, 1.0, 3 * GOLDEN), (1.0, 2 + GOLDEN, 2 * GOLDEN), (GOLDEN, 2.0, 2 * GOLDEN + 1))
    signed = (np.array(seed) * signs for seed in seeds for signs in itertools.product((-1, 1), repeat=3))
    corners = np.unique(np.concatenate([[np.roll(p, k) + 0.0 for k in range(3)] for p in signed]).round(9), axis=0)
    normals = np.unique(trimesh.convex.convex_hull(corners).face_normals.round(3) + 0.0, axis=0)
    vertices: list[Points] = []
    faces: list[tuple[int, int, int]] = []
    for normal in normals:
        reach = corners @ normal
        patch = _panel(corners[reach > reach.max() - 0.05], normal)
        faces += [(a + len(vertices), b + len(vertices), c + len(vertices)) for a, b, c in patch.faces]
        vertices += list(patch.vertices)
    mesh = trimesh.Trimesh(np.array(vertices), np.array(faces))
    mesh.merge_vertices(digits_vertex=5)
    return Solid(mesh, _sphere(11).pieces)


def _panel(corners_N3: Points, normal_3: Points, steps: int = 4) -> trimesh.Trimesh:
    """The part of the ball above a flat polygon, low at its border."""
    middle = corners_N3.mean(axis=0)
    first = corners_N3[0] - middle
    second = np.cross(normal_3, first)
    order = np.argsort([math.atan2((p - middle) @ second, (p - middle) @ first) for p in corners_N3])
    ring = corners_N3[order]
    border = [
        a + (b - a) * k / steps for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True) for k in range(steps)
    ]
    count = len(border)
    points = [middle * 11 / np.linalg.norm(middle)]
    for share, radius in ((0.45, 11.0), (0.88, 10.95), (1.0, 10.6)):
        inside = [middle + share * (p - middle) for p in border]
        points += [p * radius / np.linalg.norm(p) for p in inside]
    faces = [(0, 1 + k, 1 + (k + 1) % count) for k in range(count)]
    for level in range(2):
        low, high = 1 + level * count, 1 + (level + 1) * count
        for k in range(count):
            after = (k + 1) % count
            faces += [(low + k, high + k, high + after), (low + k, high + after, low + after)]
    return trimesh.Trimesh(np.array(points), np.array(faces), process=False)


def _basketball() -> Solid:
    mesh = trimesh.creation.icosphere(subdivisions=4)
    x, y, z = mesh.vertices.T
    lines = np.stack([np.abs(x), np.abs(y), np.abs(z - 0.9 * x**2 - 0.45), np.abs(z + 0.9 * x**2 + 0.45)])
    groove = np.clip(1 - lines.min(axis=0) / 0.06, 0, 1)
    return Solid(trimesh.Trimesh(mesh.vertices * (12 - 0.45 * groove)[:, None], mesh.faces), _sphere(12).pieces)


def _beach_ball() -> Solid:
    """Twelve bulging segments."""
    azimuths = np.linspace(0, 2 * np.pi, 97)[:-1]
    profile = [(math.cos(a), math.sin(a)) for a in np.linspace(-math.pi / 2 + 0.08, math.pi / 2 - 0.08, 20)]
    bulge = 1 - 0.05 * (1 - np.abs(np.sin(6 * azimuths)) ** 0.7)
    rings = [
        np.column_stack([13 * r * bulge * np.cos(azimuths), 13 * r * bulge * np.sin(azimuths)]) for r, _ in profile
    ]
    points = np.concatenate(
        [np.column_stack([ring, np.full(96, 13 * h)]) for ring, (_, h) in zip(rings, profile, strict=True)]
    )
    faces = [
        face
        for i in range(19)
        for k in range(96)
        for face in (
            (i * 96 + k, i * 96 + (k + 1) % 96, (i + 1) * 96 + k),
            (i * 96 + (k + 1) % 96, (i + 1) * 96 + (k + 1) % 96, (i + 1) * 96 + k),
        )
    ]
    caps = [(0, k + 1, k) for k in range(1, 95)] + [(19 * 96, 19 * 96 + k, 19 * 96 + k + 1) for k in range(1, 95)]
    return Solid(trimesh.Trimesh(points, np.array(faces + caps)), _sphere(13).pieces)


def _rugby_ball() -> Solid:
    half = [(9.2 * math.sin(a) ** 1.15, 14 * -math.cos(a)) for a in np.linspace(0.12, math.pi - 0.12, 25)]
    return lathe(half).turned(90, "y")


def _egg() -> Solid:
    turns = np.linspace(0.06, math.pi - 0.06, 20)
    return lathe([((6 + 0.7 * math.cos(a)) * math.sin(a), -8 * math.cos(a)) for a in turns])


RECIPES = (
    variants("football", _football, tags=("ball",))
    | variants("basketball", _basketball, tags=("ball",))
    | variants("beach ball", _beach_ball, tags=("ball",))
    | variants("rugby ball", _rugby_ball)
    | variants("egg", _egg)
)
