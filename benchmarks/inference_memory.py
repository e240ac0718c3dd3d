"""Peak memory of loading a 4K clip for inference, above that of the imported libraries, and what the clip would take.

    .venv/bin/python benchmarks/inference_memory.py [FOLDER]

FOLDER holds a clip as `void infer` takes it; without it one of 61 frames of 3840 x 2160 is made. No network is built.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from void.composition import compose_config
from void.memory import peak_memory
from void.pipelines.clips import load_clip
from void.quadmask import Quadmask
from void.video import write_frames, write_mask

FRAMES, HEIGHT, WIDTH = 61, 2160, 3840
MIB = 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    given = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary:
        report(given or make_clip(Path(temporary)))


def make_clip(folder: Path) -> Path:
    """Write a 4K clip; its mask has a quarter of the size, so that this process stays small."""
    picture_HWC = np.random.default_rng(0).integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3)).astype(np.uint8)
    picture_HWC = picture_HWC.repeat(40, axis=0).repeat(40, axis=1)
    write_frames(folder / "input_video.mp4", (picture_HWC for _ in range(FRAMES)), (FRAMES, HEIGHT, WIDTH), 24)
    primary_THW = np.zeros((FRAMES, HEIGHT // 4, WIDTH // 4), np.bool_)
    primary_THW[:, 100:300, 200:400] = True
    write_mask(folder / "quadmask_0.mp4", Quadmask(primary_THW, np.zeros_like(primary_THW)), 24)
    (folder / "prompt.json").write_text(json.dumps({"bg": "a wall"}))
    return folder


def report(folder: Path) -> None:
    """Load the clip at 384 x 672 and print what that took."""
    config = compose_config(["model=tiny", "data.frames=85", "data.height=384", "data.width=672", "data.root=none"])
    before = peak_memory()
    info = load_clip(folder, config).info
    above = peak_memory() - before
    whole = info.frames * info.height * info.width * 3
    Console().print(
        f"{info.frames} frames of {info.width} x {info.height}: {above / MIB:.0f} MiB above the libraries; "
        f"the decoded clip alone would take {whole / MIB:.0f} MiB ({above / whole:.0%})"
    )


if __name__ == "__main__":
    main()
