"""A figure's skin: lofted rings around the bones, in parts, each bound to the chain of bones that it runs along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_gen.human.figure.loft import Station, loft
from data_gen.human.figure.skeleton import FINGERS, Points, make_skeleton
from data_gen.scene.skin import Skeleton, Skin

PARTS = ("skin", "hair", "top", "bottoms", "shoes", "eyes")
EYES = (0.012, 0.010, 0.009)
"""Linear RGB. The colours of the other parts are drawn for each scene."""
HAIRS = ("short", "long", "bun")


@dataclass(frozen=True)
class Traits:
    """What makes one body differ from another. Factors are relative to the usual body."""

    height: float = 1.74
    """Metres."""
    arms: float = 1.0
    legs: float = 1.0
    shoulders: float = 1.0
    girth: float = 1.0
    """Of torso and limbs."""
    hair: str = "short"
    """One of `HAIRS`."""
    long_sleeves: bool = False
    long_trousers: bool = True


def draw_traits(rng: np.random.Generator) -> Traits:
    """A body: 1.55 to 1.92 m, with its own proportions, hair and clothes."""
    return Traits(
        height=float(rng.uniform(1.55, 1.92)),
        arms=float(rng.uniform(0.96, 1.03)),
        legs=float(rng.uniform(0.97, 1.03)),
        shoulders=float(rng.uniform(0.92, 1.08)),
        girth=float(rng.uniform(0.9, 1.15)),
        hair=str(rng.choice(HAIRS)),
        long_sleeves=bool(rng.random() < 0.5),
        long_trousers=bool(rng.random() < 0.7),
    )


def build_figure(traits: Traits) -> tuple[Skeleton, Skin]:
    """Skeleton and skin in the rest pose: a T, facing -Y, feet on the floor; left is +X."""
    skeleton = make_skeleton(traits.height, arms=traits.arms, legs=traits.legs, shoulders=traits.shoulders)
    surface = _Surface(skeleton, traits)
    _torso(surface)
    _head(surface)
    for sign, side in ((1.0, "Left"), (-1.0, "Right")):
        _arm(surface, sign, side)
        _leg(surface, sign, side)
    return skeleton, surface.skin()


@dataclass
class _Surface:
    """Collects lofts. Lengths are given as fractions of the height."""

    skeleton: Skeleton
    traits: Traits
    vertices: list[Points] = field(default_factory=list)
    triangles: list[NDArray[np.int64]] = field(default_factory=list)
    joints: list[NDArray[np.int64]] = field(default_factory=list)
    weights: list[Points] = field(default_factory=list)
    parts: list[NDArray[np.int64]] = field(default_factory=list)

    def at(self, name: str) -> Points:
        """Place of a joint at rest, as a fraction of the height."""
        return self.skeleton.rest_J7[self.skeleton.index(name), :3] / self.traits.height

    def add(
        self,
        part: str,
        stations: Sequence[Station],
        side_3: Sequence[float],
        chain: Sequence[str],
        along_3: ArrayLike,
        *,
        blend: float = 0.03,
        steps: int = 2,
        around: int = 20,
        floor: bool = False,
    ) -> None:
        """A loft that follows a chain of bones; each takes over from the one before around its joint.

        Args:
            part: one of `PARTS`.
            stations, side_3, steps, around: see `loft`.
            chain: names of the bones in their order.
            along_3: direction in which the chain runs at rest.
            blend: half the width of the zone in which two bones share the skin.
            floor: cut off flat at the floor.
        """
        vertices_V3, triangles_F3 = loft(stations, side_3, steps=steps, around=around)
        if floor:
            vertices_V3[:, 2] = np.maximum(vertices_V3[:, 2], 0.0)
        place_V = vertices_V3 @ np.asarray(along_3)
        weights = [np.ones(len(place_V))]
        for name in chain[1:]:
            share_V = np.clip((place_V - self.at(name) @ np.asarray(along_3)) / (2 * blend) + 0.5, 0.0, 1.0)
            share_V = share_V * share_V * (3 - 2 * share_V)
            weights[-1] = weights[-1] * (1 - share_V)
            weights.append(1 - np.sum(weights, axis=0))
        weights_VK = np.stack(weights, axis=-1)
        order_V4 = np.argsort(-weights_VK, axis=-1, kind="stable")[:, :4]
        taken_V4 = np.take_along_axis(weights_VK, order_V4, axis=-1)
        bones = np.array([self.skeleton.index(name) for name in chain])
        pad = ((0, 0), (0, 4 - order_V4.shape[1]))
        first = sum(len(array) for array in self.vertices)
        self.vertices.append(vertices_V3 * self.traits.height)
        self.triangles.append(triangles_F3 + first)
        self.joints.append(np.pad(bones[order_V4], pad))
        self.weights.append(np.pad(taken_V4 / taken_V4.sum(axis=-1, keepdims=True), pad))
        self.parts.append(np.full(len(triangles_F3), PARTS.index(part)))

    def skin(self) -> Skin:
        """All lofts."""
        return Skin(
            np.concatenate(self.vertices),
            np.concatenate(self.triangles).astype(np.int64),
            np.concatenate(self.joints).astype(np.int64),
            np.concatenate(self.weights),
            PARTS,
            np.concatenate(self.parts).astype(np.int64),
            tuple(EYES if part == "eyes" else None for part in PARTS),
        )


_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_SPINE = ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head")


def _torso(surface: _Surface) -> None:
    girth, wide = surface.traits.girth, surface.traits.shoulders
    lift = float(surface.at("Spine2")[2]) - 0.710

    def ring(z: float, width: float, depth: float, y: float = 0.0) -> Station:
        return (0.0, y, z + lift), width * girth, depth * girth

    hem = [ring(0.486, 0.092, 0.062), ring(0.489, 0.104, 0.073), ring(0.545, 0.098, 0.070), ring(0.61, 0.086, 0.061)]
    chest = [ring(0.67, 0.091, 0.066), ring(0.725, 0.101 * wide, 0.071), ring(0.775, 0.108 * wide, 0.063, 0.004)]
    yoke = [
        ring(0.808, 0.096 * wide, 0.047, 0.006), ring(0.826, 0.066, 0.040, 0.006),
        ring(0.838, 0.040 / girth, 0.037 / girth, 0.004), ring(0.842, 0.030, 0.028, 0.004),
    ]  # fmt: skip
    surface.add("top", [*hem, *chest, *yoke], _X, _SPINE, _Z, blend=0.04, steps=3, around=28)
    hips = [ring(0.455, 0.045, 0.040, 0.004), ring(0.47, 0.090, 0.064, 0.004), ring(0.50, 0.096, 0.068, 0.004),
            ring(0.535, 0.091, 0.063), ring(0.545, 0.070, 0.050)]  # fmt: skip
    surface.add("bottoms", hips, _X, _SPINE[:2], _Z, blend=0.03, around=32)
    neck = [ring(0.81, 0.034, 0.034, 0.006), ring(0.845, 0.031, 0.032, 0.004), ring(0.89, 0.030, 0.033, 0.002)]
    surface.add("skin", neck, _X, _SPINE[3:], _Z, blend=0.02)


def _head(surface: _Surface) -> None:
    low = float(surface.at("Head")[2]) - 0.865

    def ring(z: float, width: float, depth: float, y: float) -> Station:
        return (0.0, y, z + low), width, depth

    skull = [
        ring(0.8665, 0.008, 0.009, -0.034), ring(0.8695, 0.018, 0.017, -0.029), ring(0.882, 0.028, 0.036, -0.013),
        ring(0.905, 0.036, 0.047, -0.004), ring(0.935, 0.0415, 0.053, 0.000), ring(0.962, 0.042, 0.055, 0.002),
        ring(0.982, 0.035, 0.046, 0.004), ring(0.994, 0.021, 0.028, 0.006), ring(0.998, 0.004, 0.006, 0.006),
    ]  # fmt: skip
    head, up = ("Head",), _Z
    surface.add("skin", skull, _X, head, up, steps=3, around=24)
    nose = [ring(0.941, 0.004, 0.004, -0.050), ring(0.925, 0.006, 0.008, -0.054), ring(0.917, 0.0085, 0.009, -0.053),
            ring(0.913, 0.004, 0.005, -0.049)]  # fmt: skip
    surface.add("skin", nose, _X, head, up, around=12)
    for sign in (1.0, -1.0):
        ear = [((sign * (0.039 + 0.003 * k), 0.006, z + low), 0.010 - 0.004 * abs(k - 1), 0.004) for k, z in
               ((0, 0.912), (1, 0.926), (2, 0.938))]  # fmt: skip
        surface.add("skin", ear, _Y, head, up, around=12)
        eye = [((sign * 0.0165, y, 0.936 + low), w, w * 0.6) for y, w in ((-0.040, 0.004), (-0.047, 0.006),
               (-0.0505, 0.003))]  # fmt: skip
        surface.add("eyes", eye, _X, head, up, around=12)
    fringe = 0.020
    cap = [
        ring(0.905, 0.030, 0.026, 0.030), ring(0.925, 0.042, 0.036, 0.024), ring(0.945, 0.0455, 0.045, 0.016),
        ring(0.965, 0.0465, 0.061 - fringe / 4, 0.006), ring(0.985, 0.041, 0.054, 0.004),
        ring(0.999, 0.026, 0.036, 0.006), ring(1.004, 0.005, 0.008, 0.006),
    ]  # fmt: skip
    if surface.traits.hair == "long":
        cap = [ring(0.815, 0.030, 0.010, 0.052), ring(0.835, 0.042, 0.018, 0.046), ring(0.875, 0.044, 0.028, 0.036),
               *cap[1:]]  # fmt: skip
    surface.add("hair", cap, _X, head, up, steps=3, around=24)
    if surface.traits.hair == "bun":
        bun = [ring(0.955, 0.004, 0.004, 0.068), ring(0.964, 0.018, 0.018, 0.069), ring(0.982, 0.018, 0.018, 0.069),
               ring(0.991, 0.004, 0.004, 0.068)]  # fmt: skip
        surface.add("hair", bun, _X, head, up, around=16)


def _arm(surface: _Surface, sign: float, side: str) -> None:
    shoulder, elbow, wrist = (surface.at(f"{side}{name}") for name in ("Arm", "ForeArm", "Hand"))
    girth, z = surface.traits.girth, float(shoulder[2])
    chain = ("Spine2", f"{side}Arm", f"{side}ForeArm", f"{side}Hand")
    along = (sign, 0.0, 0.0)

    def ring(start: Points, end: Points, share: float, width: float, depth: float) -> Station:
        place = start + share * (end - start)
        return (float(place[0]), 0.003, z), width * girth, depth * girth

    upper = [
        ring(shoulder, elbow, -0.34, 0.020, 0.030), ring(shoulder, elbow, -0.15, 0.036, 0.042),
        ring(shoulder, elbow, 0.08, 0.0375, 0.039), ring(shoulder, elbow, 0.30, 0.032, 0.033),
        ring(shoulder, elbow, 0.58, 0.029, 0.030),
    ]  # fmt: skip
    bare = [
        ring(shoulder, elbow, 0.40, 0.024, 0.025), ring(shoulder, elbow, 0.75, 0.0245, 0.0245),
        ring(shoulder, elbow, 1.0, 0.0215, 0.0225), ring(elbow, wrist, 0.25, 0.0225, 0.0245),
        ring(elbow, wrist, 0.65, 0.017, 0.019), ring(elbow, wrist, 1.0, 0.0125, 0.0165),
        ring(elbow, wrist, 1.12, 0.0120, 0.0170),
    ]  # fmt: skip
    surface.add("skin", bare, _Z, chain, along, blend=0.022)
    if surface.traits.long_sleeves:
        upper += [
            ring(shoulder, elbow, 1.0, 0.026, 0.027), ring(elbow, wrist, 0.3, 0.0255, 0.027),
            ring(elbow, wrist, 0.9, 0.0175, 0.0205), ring(elbow, wrist, 0.93, 0.012, 0.016),
        ]  # fmt: skip
    surface.add("top", upper, _Z, chain, along, blend=0.03)
    palm = [((float(wrist[0]) + sign * x, 0.0, z), width, depth) for x, width, depth in
            ((-0.004, 0.010, 0.015), (0.012, 0.0125, 0.0205), (0.034, 0.0125, 0.0235), (0.050, 0.0105, 0.023),
             (0.056, 0.006, 0.019))]  # fmt: skip
    surface.add("skin", palm, _Z, chain[2:], along, blend=0.01)
    for finger in FINGERS:
        _finger(surface, side, finger)


def _finger(surface: _Surface, side: str, finger: str) -> None:
    names = [f"{side}Hand{finger}{k}" for k in (1, 2, 3, 4)]
    places = [surface.at(name) for name in names]
    way = (places[1] - places[0]) / np.linalg.norm(places[1] - places[0])
    thick = 0.0072 if finger == "Thumb" else 0.0056
    at = ((-0.018, 1.0), (0.0, 1.1), (0.014, 1.0), (0.028, 0.92), (0.042, 0.8), (0.046, 0.35))
    stations: list[Station] = []
    for step, share in at:
        x, y, z = (float(value) for value in places[0] + step * way)
        stations.append(((x, y, z), thick * share, thick * share))
    surface.add("skin", stations, _Z, [f"{side}Hand", *names[:3]], way, blend=0.004, steps=2, around=10)


def _leg(surface: _Surface, sign: float, side: str) -> None:
    top, knee, ankle = (surface.at(f"{side}{name}") for name in ("UpLeg", "Leg", "Foot"))
    girth, x = surface.traits.girth, float(top[0])
    chain = ("Hips", f"{side}UpLeg", f"{side}Leg", f"{side}Foot")
    down = (0.0, 0.0, -1.0)

    def ring(z: float, width: float, depth: float, y: float = 0.0, dx: float = 0.0) -> Station:
        return (x + sign * dx, y, z), width * girth, depth * girth

    hip, k, a = float(top[2]), float(knee[2]), float(ankle[2])
    thigh = [
        ring(hip + 0.02, 0.020, 0.036, 0.002), ring(hip - 0.015, 0.043, 0.062, 0.003),
        ring(hip - 0.06, 0.0485, 0.060, 0.002), ring(k + 0.09, 0.041, 0.047, -0.002),
        ring(k + 0.03, 0.036, 0.039, -0.003),
    ]  # fmt: skip
    calf = [ring(k - 0.03, 0.033, 0.038, 0.002), ring(k - 0.08, 0.033, 0.039, 0.008),
            ring(a + 0.07, 0.024, 0.028, 0.009), ring(a - 0.01, 0.020, 0.025, 0.010)]  # fmt: skip
    if surface.traits.long_trousers:
        loose = [(place, width * 1.12, depth * 1.12) for place, width, depth in [ring(k, 0.034, 0.037, -0.002), *calf]]
        surface.add("bottoms", [*thigh, *loose], _X, chain, down, blend=0.035)
    else:
        hem = [ring(k + 0.02, 0.042, 0.044, -0.003), ring(k + 0.019, 0.030, 0.034, -0.003)]
        surface.add("bottoms", [*thigh[:-1], *hem], _X, chain, down, blend=0.035)
        bare = [ring(k + 0.08, 0.033, 0.037, -0.002), ring(k, 0.031, 0.034, -0.003), *calf]
        surface.add("skin", bare, _X, chain, down, blend=0.03)
    shoe = [
        (0.036, 0.010, 0.012, 0.020), (0.030, 0.021, 0.026, 0.026), (0.008, 0.0265, 0.040, 0.032),
        (-0.022, 0.0265, 0.031, 0.026), (-0.065, 0.0300, 0.021, 0.017), (-0.100, 0.0265, 0.016, 0.013),
        (-0.117, 0.015, 0.010, 0.011), (-0.121, 0.004, 0.004, 0.010),
    ]  # fmt: skip
    stations: list[Station] = [((x + sign * 0.004, y, z), width, depth) for y, width, depth, z in shoe]
    feet = (f"{side}Foot", f"{side}ToeBase")
    surface.add("shoes", stations, _X, feet, (0.0, -1.0, 0.0), blend=0.015, floor=True)
