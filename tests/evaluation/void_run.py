"""A small run on disk: pairs of a ball that flies at a block, and predictions of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from void.config import VoidConfig
from void.data.config import DataConfig
from void.evaluation.config import EvalConfig
from void.files import sha256_file
from void.noise.files import write_noise
from void.pairs import Pair, pair_row, read_manifest, write_manifest, write_pair
from void.pipelines.config import InferConfig, Pass2Config
from void.pipelines.predictions import (
    Prediction,
    Predictions,
    noise_file,
    pair_fingerprint,
    write_predictions,
)
from void.quadmask import Quadmask
from void.shapes import latent_shape
from void.video import write_video

FRAMES, HEIGHT, WIDTH, FPS = 5, 48, 64, 12.0
IDS = ("ball-1", "ball-2")


def scene(seed: int, frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> Pair:
    """A ball hits a block in the second half of the clip; without the ball the block stays where it is."""
    rng = np.random.default_rng(seed)
    floor_HWC = np.linspace(90, 170, height)[:, None, None] * np.ones((1, width, 3)) * [1.0, 0.96, 0.88]
    colour = tuple(int(value) for value in rng.integers(60, 230, 3))
    block = (int(width * 0.6), int(height * 0.45), int(width * 0.14), int(height * 0.35))
    full, removed, primary, affected = [], [], [], []
    for index in range(frames):
        share = index / (frames - 1)
        pushed = max(0.0, share - 0.5)
        centre = (int(width * (0.05 + min(share, 0.5) + 0.2 * pushed)), int(height * 0.6))
        left = block[0] + int(width * 0.4 * pushed)
        still, moved = floor_HWC.astype(np.uint8).copy(), floor_HWC.astype(np.uint8).copy()
        cv2.rectangle(still, block, colour, -1)
        cv2.rectangle(moved, (left, *block[1:]), colour, -1)
        changed = np.any(still != moved, axis=-1)
        cv2.circle(moved, centre, height // 9, (190, 60, 50), -1)
        ball = np.zeros((height, width), np.uint8)
        cv2.circle(ball, centre, height // 9, 1, -1)
        full.append(moved)
        removed.append(still)
        primary.append(ball > 0)
        affected.append(cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    metadata = {
        "id": f"ball-{seed}",
        "group": f"scene-{seed}",
        "source": "test",
        "caption": f"A block on a floor, take {seed}.",
    }
    return Pair(np.stack(full), np.stack(removed), Quadmask(np.stack(primary), np.stack(affected)), FPS, metadata)


def write_predicted(
    config: VoidConfig,
    clips: dict[str, NDArray[np.uint8]],
    folder: str | None = None,
    entry: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """What `void infer` would leave in a folder (`infer.root`) for these clips; `entry` changes those of the index."""
    rows = {row.id: row for row in read_manifest(config.data.root)}
    root = Path(folder or config.infer.root)
    entries = []
    for name, frames_THWC in clips.items():
        write_video(root / f"{name}.mp4", frames_THWC, FPS)
        frames, height, width, _ = frames_THWC.shape
        entries.append(
            Prediction(
                id=name,
                file=f"{name}.mp4",
                key="0" * 64,
                sha256=sha256_file(root / f"{name}.mp4"),
                pair_sha256=pair_fingerprint(rows[name]),
                seed=1,
                frames=frames,
                height=height,
                width=width,
                fps=FPS,
                caption=rows[name].caption,
                **(entry or {}),
            )
        )
    values: dict[str, Any] = {
        "run": "test",
        "checkpoint": {"path": "runs/test/train/checkpoints/step-000400", "step": 400, "sha256": "ab" * 32},
        "settings": {
            "model": {"name": "tiny"},
            "recipe": {"name": "corrected"},
            "infer": {"steps": 30, "guidance_scale": 1.0, "seed": 42},
        },
        "versions": {"torch": "2.13.0"},
        "clips": tuple(entries),
    }
    write_predictions(root, Predictions(**values | changes))


def make_run(root: Path, ids: tuple[str, ...] = IDS, **geometry: int) -> VoidConfig:
    """Pairs, manifest and predictions (the truth, blurred) below `root`."""
    pairs = {name: scene(int(name.rpartition("-")[2]), **geometry) for name in ids}
    frames, height, width = next(iter(pairs.values())).quadmask.shape
    config = VoidConfig(name="test", root=str(root), device="cpu")
    config.data = DataConfig(root=str(root / "data"), frames=frames, height=height, width=width)
    config.infer = InferConfig(root=str(root / "infer"), split="val")
    config.infer.pass2 = Pass2Config(root=str(root / "infer-pass2"), first_pass=str(root / "infer"))
    config.eval = EvalConfig(root=str(root / "eval"), baselines=["input", "opencv_inpaint"])
    data_root = Path(config.data.root)
    for name, pair in pairs.items():
        write_pair(data_root / "pairs" / name, pair)
    write_manifest(data_root, [pair_row(data_root, data_root / "pairs" / name, split="val") for name in ids])
    blurred = {
        name: np.stack([cv2.GaussianBlur(frame, (0, 0), 2.0) for frame in pair.rgb_removed_THWC])
        for name, pair in pairs.items()
    }
    write_predicted(config, blurred)
    return config


def write_second_pass(config: VoidConfig, clips: dict[str, NDArray[np.uint8]], **entry: Any) -> None:
    """What `void infer stage=pass2` would leave for these clips: noise as well, that stands still."""
    root = Path(config.infer.pass2.root)
    write_predicted(config, clips, folder=str(root), entry={"stage": "pass2", "morphing": 0.75} | entry)
    for name, frames_THWC in clips.items():
        frames, height, width, _ = frames_THWC.shape
        shape = latent_shape(frames, height, width)
        noise_TChw = torch.randn(shape[1:], generator=torch.Generator().manual_seed(7)).expand(shape)
        first = sha256_file(Path(config.infer.pass2.first_pass) / f"{name}.mp4")
        write_noise(noise_file(root, name), noise_TChw, {"video": "pass1", "first_pass": first})
