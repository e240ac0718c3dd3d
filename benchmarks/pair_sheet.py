"""A picture of pairs: for each, the factual clip above the counterfactual one above the quadmask, at some moments.

.venv/bin/python benchmarks/pair_sheet.py DATA_FOLDER SHEET.jpg [--pairs 6] [--moments 4]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from void.overlay import colour_quadmask
from void.pairs import read_manifest, read_pair

HEIGHT = 108
COLUMNS = 2
GAP = 6
QUALITY = 82


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with manifest.jsonl")
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--moments", type=int, default=4)
    arguments = parser.parse_args()
    rows = read_manifest(arguments.data)[: arguments.pairs]
    blocks = [block(arguments.data / row.path, arguments.moments) for row in rows]
    lines = [np.concatenate(blocks[i : i + COLUMNS], axis=1) for i in range(0, len(blocks), COLUMNS)]
    picture_HWC = np.concatenate([line for line in lines if line.shape == lines[0].shape], axis=0)
    cv2.imwrite(str(arguments.sheet), picture_HWC[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def block(folder: Path, moments: int) -> NDArray[np.uint8]:
    """One pair: three rows of pictures with a white border."""
    pair = read_pair(folder)
    overlay_THWC = colour_quadmask(pair.rgb_full_THWC, pair.quadmask)
    frames = np.linspace(0, len(overlay_THWC) - 1, moments).round().astype(int)
    clips = (pair.rgb_full_THWC, pair.rgb_removed_THWC, overlay_THWC)
    strips = [np.concatenate([_scaled(clip_THWC[frame]) for frame in frames], axis=1) for clip_THWC in clips]
    return np.pad(np.concatenate(strips, axis=0), ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)


def _scaled(frame_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, _ = frame_HWC.shape
    return cv2.resize(frame_HWC, (round(width * HEIGHT / height), HEIGHT), interpolation=cv2.INTER_CUBIC)


if __name__ == "__main__":
    main()
