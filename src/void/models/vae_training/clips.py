"""Procedural clips: shaded shapes that move over a smooth scene, and mask videos of the same shapes.

They cost milliseconds, so every training crop is a new one. A clip is a pure function of its generator.

Shape legend: T frames, H height, W width, C colour channels. Lengths are fractions of the full frame's height.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from void.quadmask import Quadmask

Float = NDArray[np.float32]

FULL_HEIGHT = 96
MASK_CELLS = (4, 8, 12, 16)


@dataclass(frozen=True)
class Grid:
    """Pixel coordinates of a crop, in units of the full frame's height; `x` and `y` have shape `(T, H, W)`."""

    t_T: Float
    y_THW: Float
    x_THW: Float


@dataclass(frozen=True)
class Shape:
    """One moving shape: what it covers, its colour there, and the shadow it casts."""

    cover_THW: Float
    rgb_THWC: Float
    shadow_THW: Float


def rgb_clip(rng: Generator, frames: int, height: int, width: int) -> NDArray[np.uint8]:
    """A crop of a procedural scene: uint8 `(T, H, W, 3)`."""
    grid = _grid(rng, frames, height, width)
    video_THWC = _background(rng, grid)
    shapes = [_shape(rng, grid) for _ in range(rng.integers(0, 6))]
    for shape in shapes:
        video_THWC *= 1 - shape.shadow_THW[..., None]
    for shape in shapes:
        video_THWC += shape.cover_THW[..., None] * (shape.rgb_THWC - video_THWC)
    video_THWC *= rng.uniform(0.7, 1.15)
    video_THWC += rng.normal(0, rng.choice([0.0, 0.004, 0.015]), video_THWC.shape)
    return (np.clip(video_THWC, 0, 1) * 255 + 0.5).astype(np.uint8)


def mask_clip(rng: Generator, frames: int, height: int, width: int) -> Quadmask:
    """A crop of a quadmask: silhouettes of moving shapes, affected regions sharp or on a coarse grid of cells."""
    grid = _grid(rng, frames, height, width)
    primary_THW = np.zeros((frames, height, width), bool)
    affected_THW = primary_THW.copy()
    for _ in range(rng.integers(0, 3)):
        primary_THW |= _shape(rng, grid).cover_THW > 0.5
    for _ in range(rng.integers(0, 4)):
        affected_THW |= _shape(rng, grid).cover_THW > 0.5
    if rng.random() < 0.3:
        affected_THW = _on_cells(affected_THW, int(rng.choice(MASK_CELLS)))
    return Quadmask(primary_THW, affected_THW)


def _grid(rng: Generator, frames: int, height: int, width: int) -> Grid:
    """A window of the full frame, drifting and zooming in a third of the clips."""
    y0, x0 = rng.uniform(0, 1 - min(1, height / FULL_HEIGHT) + 1e-6), rng.uniform(0, 0.9)
    t_T = np.arange(frames, dtype=np.float32)[:, None, None]
    y_THW = y0 + np.arange(height, dtype=np.float32)[:, None] / FULL_HEIGHT + np.zeros((frames, 1, width), np.float32)
    x_THW = x0 + np.arange(width, dtype=np.float32) / FULL_HEIGHT + np.zeros((frames, height, 1), np.float32)
    if rng.random() < 0.33:
        zoom = 1 + rng.normal(0, 0.006) * t_T
        y_THW = 0.5 + (y_THW - 0.5) * zoom + rng.normal(0, 0.01) * t_T
        x_THW = 0.7 + (x_THW - 0.7) * zoom + rng.normal(0, 0.01) * t_T
    return Grid(t_T.astype(np.float32), y_THW.astype(np.float32), x_THW.astype(np.float32))


def _colour(rng: Generator, saturation: float) -> Float:
    """An RGB colour: a grey, moved by about `saturation` in each channel."""
    return np.clip(rng.uniform(0.1, 0.9) + rng.normal(0, saturation, 3), 0, 1).astype(np.float32)


def _noise(rng: Generator, grid: Grid, cells: int) -> Float:
    """Smooth random texture in about [-1, 1], fixed to the scene."""
    table = rng.uniform(-1, 1, (cells + 2, 2 * cells + 2)).astype(np.float32)
    y, x = np.clip(grid.y_THW, 0, 1) * cells, np.clip(grid.x_THW, 0, 2) * cells
    frames, height, width = y.shape
    flat_y, flat_x = y.reshape(-1, width), x.reshape(-1, width)
    texture = cv2.remap(table, flat_x, flat_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(texture, np.float32).reshape(frames, height, width)


def _background(rng: Generator, grid: Grid) -> Float:
    """Wall and floor with a soft horizon, gradients, blurred structure and sometimes a pattern."""
    horizon, softness = rng.uniform(-0.1, 0.9), rng.uniform(0.004, 0.1)
    floor_THW = _step(grid.y_THW - horizon - rng.normal(0, 0.05) * (grid.x_THW - 0.7), softness)
    video_THWC = _plane(rng, grid)
    video_THWC += floor_THW[..., None] * (_plane(rng, grid) - video_THWC)
    return video_THWC


def _plane(rng: Generator, grid: Grid) -> Float:
    plane_THWC = _colour(rng, rng.choice([0.02, 0.08, 0.2])) + np.zeros((*grid.y_THW.shape, 3), np.float32)
    plane_THWC += rng.normal(0, 0.08, 3).astype(np.float32) * (grid.y_THW[..., None] - 0.5)
    plane_THWC += rng.normal(0, 0.06, 3).astype(np.float32) * (grid.x_THW[..., None] - 0.7)
    for cells in rng.choice([2, 4, 8, 16, 32], rng.integers(1, 4), replace=False):
        strength = rng.uniform(0, 0.4) / np.sqrt(cells)
        plane_THWC += strength * rng.uniform(0.3, 1, 3).astype(np.float32) * _noise(rng, grid, int(cells))[..., None]
    if rng.random() < 0.3:
        plane_THWC += _pattern(rng, grid)[..., None] * rng.normal(0, 0.15, 3).astype(np.float32)
    return plane_THWC


def _pattern(rng: Generator, grid: Grid) -> Float:
    """Stripes or checks in [-1, 1]."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(0.08, 0.4)
    along = (grid.x_THW * np.cos(angle) + grid.y_THW * np.sin(angle)) / period
    across = (grid.y_THW * np.cos(angle) - grid.x_THW * np.sin(angle)) / period
    wave = np.sin(2 * np.pi * along) * (np.sin(2 * np.pi * across) if rng.random() < 0.5 else 1)
    return np.tanh(wave * rng.uniform(1, 6)).astype(np.float32)


def _step(distance: Float, softness: float) -> Float:
    """0 to 1 across zero, over about `softness`."""
    return np.clip(distance / softness + 0.5, 0, 1).astype(np.float32)


def _shape(rng: Generator, grid: Grid) -> Shape:
    """A ball, box or cylinder on a ballistic path (at rest in a third of the cases), turning as it goes."""
    size = rng.uniform(0.05, 0.22)
    moving = rng.random() < 0.67
    velocity = rng.normal(0, 0.025, 2) if moving else np.zeros(2)
    gravity = rng.choice([0.0, 0.003]) if moving else 0.0
    x = grid.x_THW - (rng.uniform(0, 1.4) + velocity[0] * grid.t_T)
    y = grid.y_THW - (rng.uniform(0, 1) + velocity[1] * grid.t_T + 0.5 * gravity * grid.t_T**2)
    angle = rng.uniform(0, np.pi) + (rng.normal(0, 0.1) * grid.t_T if moving else 0.0)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    light = rng.normal(0, 1, 3)
    light[2] = abs(light[2]) + 0.5
    light /= np.linalg.norm(light)
    kind = rng.choice(["ball", "box", "cylinder"])
    if kind == "ball":
        distance = np.sqrt(x * x + y * y) - size
        depth = np.sqrt(np.clip(size * size - x * x - y * y, 0, None))
        shade = (x * light[0] + y * light[1] + depth * light[2]) / size
    elif kind == "box":
        half_u, half_v, edge = size, size * rng.uniform(0.3, 1.2), size * rng.uniform(-0.6, 0.6)
        distance = np.maximum(np.abs(u) - half_u, np.abs(v) - half_v)
        faces = rng.uniform(0.3, 1.0, 2)
        shade = faces[0] + (faces[1] - faces[0]) * _step(u - edge, 1 / FULL_HEIGHT)
    else:
        half_u, half_v = size * rng.uniform(0.3, 0.8), size * rng.uniform(0.8, 1.6)
        distance = np.maximum(np.abs(u) - half_u, np.abs(v) - half_v)
        across = np.clip(u / half_u, -1, 1)
        shade = across * light[0] + np.sqrt(1 - across * across) * light[2]
    return Shape(_step(-distance, 1.5 / FULL_HEIGHT), _lit(rng, shade), _shadow(rng, x, y, size))


def _lit(rng: Generator, shade: Float) -> Float:
    """Colour under diffuse light with ambient and sometimes a highlight."""
    ambient = rng.uniform(0.15, 0.5)
    diffuse = ambient + (1 - ambient) * np.clip(shade, 0, 1)
    rgb_THWC = _colour(rng, rng.choice([0.05, 0.4])) * diffuse[..., None]
    if rng.random() < 0.4:
        rgb_THWC = rgb_THWC + rng.uniform(0.2, 0.8) * np.clip(shade, 0, 1)[..., None] ** rng.integers(8, 40)
    return rgb_THWC.astype(np.float32)


def _shadow(rng: Generator, x: Float, y: Float, size: float) -> Float:
    """Soft darkening in [0, 1) below the shape."""
    offset_x, offset_y, flatness = rng.normal(0, 0.5) * size, rng.uniform(0.6, 1.3) * size, rng.uniform(2, 4)
    squared = ((x - offset_x) / size) ** 2 + (flatness * (y - offset_y) / size) ** 2
    return (rng.uniform(0, 0.7) * np.exp(-squared * rng.uniform(0.5, 2))).astype(np.float32)


def _on_cells(layer_THW: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """Every cell that the layer touches, whole."""
    frames, height, width = layer_THW.shape
    rows, columns = np.arange(height) // cell, np.arange(width) // cell
    touched = np.zeros((frames, rows[-1] + 1, columns[-1] + 1), bool)
    np.logical_or.at(touched, (np.arange(frames)[:, None, None], rows[:, None], columns), layer_THW)
    return touched[:, rows][:, :, columns]
