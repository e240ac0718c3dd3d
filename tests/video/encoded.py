"""Clips made by the ffmpeg that the package ships, as other people's tools would make them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; the last argument is the target."""
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, arguments)], check=True)


def moving_picture(target: Path, *options: str, frames: int = 40, size: str = "160x120", rate: str = "24") -> Path:
    """Write ffmpeg's moving test picture."""
    source = f"testsrc=s={size}:r={rate}"
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", str(frames), *options, target)
    return target


def encode(target: Path, frames_THWC: Frames, *options: str) -> Path:
    """Encode RGB frames at 24 frames a second."""
    _, height, width, _ = frames_THWC.shape
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "24", "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *source, *options, str(target)]
    subprocess.run(command, input=np.ascontiguousarray(frames_THWC).tobytes(), check=True)
    return target


def decode(file: Path, *options: str) -> Frames:
    """Decode with ffmpeg itself, which applies edit lists and rotation: the frames that a player shows."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(file), *options, "-fps_mode", "passthrough"]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    *_, size = re.findall(r"Video: rawvideo.*?, (\d+)x(\d+)", done.stderr.decode(errors="replace"))
    width, height = (int(side) for side in size)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)


def described(file: Path) -> str:
    """ffmpeg's line about the video stream of a file."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return next(line for line in done.stderr.splitlines() if "Video:" in line)
