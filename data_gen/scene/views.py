"""Views of a scene, and the rule that no picture is drawn twice. Renderers differ only in how they draw one.

Poses are rounded to 0.1 mm. Two frames, of one view or of several, that show the same objects at the same places
to the same camera are then the same picture, as light and noise pattern are fixed, and it is drawn once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec

POSE_DIGITS = 4

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 are outside."""
NOTHING: Window = (0, 0, 0, 0)
Picture = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Colours `(H, W, 3)` and objects `(H, W)`."""
# Cameras, focus, poses and window.
_Key = tuple[Any, float | None, Any, Window | None]


@dataclass(frozen=True, eq=False)
class View:
    """A rendered clip."""

    rgb_THWC: NDArray[np.uint8]
    objects_THW: NDArray[np.int64]
    """Index of the visible object at the centre of each pixel, -1 for floor and sky; not blended at edges."""


def rounded_poses(world: World, index: int) -> NDArray[np.float64]:
    """Position and quaternion `(T, 7)` of an object as its pictures show it; of a figure those of all joints."""
    if index in world.joints:
        return world.joints[index].reshape(len(world.joints[index]), -1).round(POSE_DIGITS)
    return np.concatenate([world.positions[index], world.quaternions[index]], axis=-1).round(POSE_DIGITS)


class PictureBook(ABC):
    """A renderer with one scene in it, which remembers its pictures."""

    def __init__(self, spec: SceneSpec) -> None:
        self.spec = spec
        self._drawn: dict[_Key, Picture] = {}

    @abstractmethod
    def prepare(self, poses: Mapping[int, NDArray[np.float64]], frames: Sequence[int]) -> None:
        """Show the objects of `poses` (see `rounded_poses`) and no others; `frames` are about to be drawn."""

    @abstractmethod
    def draw(self, frame: int, window: Window | None) -> Picture:
        """One frame of what was prepared, or the part of it inside the window."""

    def render(
        self,
        world: World,
        visible: Sequence[int],
        *,
        base: View | None = None,
        windows_T4: NDArray[np.int64] | None = None,
    ) -> View:
        """Render the objects `visible` moving as in `world`, all T frames.

        Args:
            world: their poses.
            visible: indices of objects.
            base: another view of the same size, whose pixels are taken outside the windows.
            windows_T4: with `base`: the part of each frame to draw, as `Window`; nothing where it is empty. A denoiser
                sees no more than the window, so compare windows with windows.
        """
        poses = {i: rounded_poses(world, i) for i in visible}
        windows = self._windows(windows_T4)
        keys = [self._key(poses, frame, window) for frame, window in enumerate(windows)]
        first_frame: dict[_Key, int] = {}
        for frame, (key, window) in enumerate(zip(keys, windows, strict=True)):
            if window != NOTHING and key not in self._drawn:
                first_frame.setdefault(key, frame)
        if first_frame:
            self.prepare(poses, list(first_frame.values()))
            for key, frame in first_frame.items():
                self._drawn[key] = self.draw(frame, windows[frame])
        if base is None:
            rgb, objects = zip(*(self._drawn[key] for key in keys), strict=True)
            return View(np.stack(rgb), np.stack(objects))
        view = View(base.rgb_THWC.copy(), base.objects_THW.copy())
        for frame, (key, window) in enumerate(zip(keys, windows, strict=True)):
            x0, y0, x1, y1 = window or (0, 0, self.spec.camera.width, self.spec.camera.height)
            if window != NOTHING:
                view.rgb_THWC[frame, y0:y1, x0:x1], view.objects_THW[frame, y0:y1, x0:x1] = self._drawn[key]
        return view

    @property
    def pictures(self) -> int:
        """Pictures drawn so far, windows included."""
        return len(self._drawn)

    def _windows(self, windows_T4: NDArray[np.int64] | None) -> list[Window | None]:
        if windows_T4 is None:
            return [None] * self.spec.frames
        windows: list[Window | None] = []
        for row in windows_T4:
            x0, y0, x1, y1 = (int(value) for value in row)
            windows.append((x0, y0, x1, y1) if x1 > x0 and y1 > y0 else NOTHING)
        return windows

    def _key(self, poses: Mapping[int, NDArray[np.float64]], frame: int, window: Window | None) -> _Key:
        # A frame with motion blur shows its neighbours too.
        around = range(frame - 1, frame + 2) if self.spec.render.motion_blur else (frame,)
        frames = [min(max(near, 0), self.spec.frames - 1) for near in around]
        cameras = tuple(self.spec.camera.at(near) for near in frames)
        return cameras, self.spec.focus_distance(frame), tuple((i, poses[i][frames].tobytes()) for i in poses), window
