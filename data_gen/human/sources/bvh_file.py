"""Reading .bvh files: a hierarchy of joints with offsets, and Euler angles per frame.

The rest pose is the one with all angles zero; in it every joint's frame is the world's. Keywords and names of channels
are the same in any case, since programs write them differently (`Zrotation`, `ZRotation`, `ZROTATION`). Shape legend:
T frames, J joints (ends of chains included).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from void.text import read_text

END = "End"
"""With what the names of the ends of chains end."""
POSITION, ROTATION = "position", "rotation"
CHANNELS = tuple(f"{axis}{kind}" for kind in (POSITION, ROTATION) for axis in "XYZ")
"""All channels that a joint can have."""
_SPELLINGS = {channel.lower(): channel for channel in CHANNELS}
_MOTION = re.compile(
    r"^[^\S\n]*MOTION\s+Frames\s*:\s*(?P<frames>\S+)\s+Frame\s+Time\s*:\s*(?P<seconds>\S+)",
    re.IGNORECASE | re.MULTILINE,
)
"""What stands between the joints and the numbers."""


class BvhError(ValueError):
    """The file is damaged, or uses what no BVH file has."""


@dataclass(eq=False)
class Bvh:
    """A .bvh file in its own units and axes."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    """Of each joint, as `CHANNELS` spells them."""
    seconds: float = 0.0
    """From one frame to the next."""
    values_TC: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    """Numbers of each frame, in the order of the channels."""

    def rest(self) -> NDArray[np.float64]:
        """Places `(J, 3)` of the joints in the rest pose."""
        places_J3 = np.array(self.offsets)
        for j, parent in enumerate(self.parents):
            if parent >= 0:
                places_J3[j] += places_J3[parent]
        return places_J3

    def poses(self) -> tuple[NDArray[np.float64], Rotation]:
        """Places `(T, J, 3)` of the joints, and their turns, T x J in a row."""
        frames = len(self.values_TC)
        places_TJ3 = np.zeros((frames, len(self.names), 3))
        matrices_TJ33 = np.tile(np.eye(3), (frames, len(self.names), 1, 1))
        column = 0
        for j, (parent, channels) in enumerate(zip(self.parents, self.channels, strict=True)):
            values_TC = self.values_TC[:, column : column + len(channels)]
            column += len(channels)
            place_T3 = np.tile(self.offsets[j], (frames, 1))
            turns = [c for c, channel in enumerate(channels) if channel.endswith(ROTATION)]
            for c, channel in enumerate(channels):
                if channel.endswith(POSITION):
                    place_T3[:, "XYZ".index(channel[0])] = values_TC[:, c]
            if turns:
                order = "".join(channels[c][0] for c in turns)
                turned = Rotation.from_euler(order, values_TC[:, turns], degrees=True)
                matrices_TJ33[:, j] = turned.as_matrix()
            if parent >= 0:
                place_T3 = places_TJ3[:, parent] + np.einsum("tij,tj->ti", matrices_TJ33[:, parent], place_T3)
                matrices_TJ33[:, j] = matrices_TJ33[:, parent] @ matrices_TJ33[:, j]
            places_TJ3[:, j] = place_T3
        return places_TJ3, Rotation.from_matrix(matrices_TJ33.reshape(-1, 3, 3))


def read_bvh(path: Path) -> Bvh:
    """Parse a file.

    Raises:
        BvhError: it is not a .bvh file, a joint has an unknown channel or one channel twice, or the frames have other
            numbers of values than the joints have channels.
    """
    text = read_text(path, errors="replace")
    motion = _MOTION.search(text)
    if motion is None:
        raise BvhError("is not a BVH file (it has no line MOTION with Frames: and Frame Time: below it)")
    try:
        bvh = _hierarchy(text[: motion.start()].split())
        frames = int(motion["frames"])
        bvh.seconds = float(motion["seconds"])
        values = np.array(text[motion.end() :].split(), np.float64)
    except BvhError:
        raise
    except (ValueError, IndexError, StopIteration) as error:
        raise BvhError(f"is not a BVH file ({str(error) or 'it ends too early'})") from error
    channels = sum(len(of) for of in bvh.channels)
    if not bvh.names or not 0 < bvh.seconds < np.inf:
        raise BvhError("has no joints, or no time between its frames")
    if not np.isfinite(bvh.offsets).all():
        raise BvhError("has an OFFSET that is not finite")
    if len(values) != frames * channels or not channels:
        raise BvhError(f"holds {len(values)} numbers, not {frames} frames x {channels} channels")
    bvh.values_TC = values.reshape(frames, channels)
    return bvh


def _hierarchy(words: list[str]) -> Bvh:
    bvh = Bvh()
    open_joints: list[int] = []
    rest = iter(words)
    for word in rest:
        keyword = word.upper()
        if keyword in ("ROOT", "JOINT"):
            _open(bvh, open_joints, _name(rest))
        elif keyword == END.upper():
            _name(rest)  # Site
            _open(bvh, open_joints, f"{bvh.names[open_joints[-1]]} {END}")
        elif keyword == "OFFSET":
            bvh.offsets[open_joints[-1]] = [float(next(rest)) for _ in range(3)]
        elif keyword == "CHANNELS":
            bvh.channels[open_joints[-1]] = _channels(rest, bvh.names[open_joints[-1]])
        elif word == "}":
            open_joints.pop()
        elif keyword != "HIERARCHY":
            raise BvhError(f"unexpected word {word!r}")
    return bvh


def _name(rest: Iterator[str]) -> str:
    """All words up to the next brace: names such as `Bip01 L Thigh` have spaces."""
    name = []
    for part in rest:
        if part == "{":
            break
        name.append(part)
    return " ".join(name)


def _channels(rest: Iterator[str], joint: str) -> list[str]:
    """The channels of a joint as `CHANNELS` spells them."""
    channels: list[str] = []
    for _ in range(int(next(rest))):
        word = next(rest)
        channel = _SPELLINGS.get(word.lower())
        if channel is None:
            raise BvhError(f"has a channel {word!r} at joint {joint}; channels are {', '.join(CHANNELS)}")
        if channel in channels:
            raise BvhError(f"has the channel {channel} twice at joint {joint}")
        channels.append(channel)
    return channels


def _open(bvh: Bvh, open_joints: list[int], name: str) -> None:
    bvh.parents.append(open_joints[-1] if open_joints else -1)
    bvh.names.append(name)
    bvh.offsets.append([0.0, 0.0, 0.0])
    bvh.channels.append([])
    open_joints.append(len(bvh.names) - 1)
