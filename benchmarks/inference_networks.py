"""Peak memory of `void infer` with one pass and with two, with networks whose weights outweigh everything else.

    .venv/bin/python benchmarks/inference_networks.py

The transformer is random, 12 blocks of 1024 channels in float32. Each stage runs in a process of its own, over one clip
of 5 frames.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from void.quadmask import Quadmask
from void.video import write_mask, write_video

GIB = 2**30
FRAMES, HEIGHT, WIDTH = 5, 32, 48
STAGES = ("pass1", "both")
MEASURE = """
import sys
from void.composition import compose_config
from void.memory import peak_memory
import void.pipelines.sampler, void.pipelines.second_pass
libraries = peak_memory()
from void.pipelines.infer import infer
infer(compose_config(sys.argv[1:]))
print(peak_memory() - libraries)
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        clip = make_clip(Path(temporary) / "clip")
        peaks = {stage: peak_of(clip, Path(temporary) / stage, stage) for stage in STAGES}
    shown = ", ".join(f"stage={stage} {peak / GIB:.2f} GiB" for stage, peak in peaks.items())
    Console().print(f"above the libraries: {shown}; ratio {peaks['both'] / peaks['pass1']:.2f}")


def make_clip(folder: Path) -> Path:
    """Write a clip as `void infer` takes it."""
    primary_THW = np.zeros((FRAMES, HEIGHT, WIDTH), np.bool_)
    primary_THW[:, 8:16, 8:16] = True
    write_video(folder / "input_video.mp4", np.full((FRAMES, HEIGHT, WIDTH, 3), 120, np.uint8), 12)
    write_mask(folder / "quadmask_0.mp4", Quadmask(primary_THW, np.zeros_like(primary_THW)), 12)
    (folder / "prompt.json").write_text(json.dumps({"bg": "a wall"}))
    return folder


def peak_of(clip: Path, root: Path, stage: str) -> int:
    """Bytes above the imported libraries, at their highest."""
    overrides = [
        f"stage={stage}",
        f"root={root}",
        f"infer.input={clip}",
        "infer.checkpoint=none",
        "infer.pass2.checkpoint=none",
        "infer.steps=1",
        f"data.height={HEIGHT}",
        f"data.width={WIDTH}",
        "device=cpu",
        "model.transformer_weights=null",
        "model.transformer.num_layers=12",
        "model.transformer.num_attention_heads=16",
        "model.transformer.attention_head_dim=64",
    ]
    done = subprocess.run([sys.executable, "-c", MEASURE, *overrides], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
