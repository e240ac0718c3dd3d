"""Small videos for browsers: the clips of a pair side by side, made once for each state of the pair.

Shape legend: T frames, H height, W width, C colour channels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_gen.gallery.entries import Entry
from void.files import check_replaceable, is_our_json, read_json, sha256_of, write_json
from void.overlay import colour_quadmask
from void.pairs import read_pair
from void.progress import progress_bar
from void.video import write_video

STRIPS = "gallery"
RECORD = "strips.json"
VERSION = 1
"""Of the strips' look: another one makes all anew."""
MAX_HEIGHT, MIN_HEIGHT = 256, 128
GAP = 4
BACKGROUND = 128
CRF = 23
_SAVE_EVERY = 50
_THREADS = 8


def strip_name(pair_id: str) -> str:
    """Where the strip of a pair is, relative to the data folder."""
    return f"{STRIPS}/{pair_id}.mp4"


class Record:
    """From what each strip in a data folder was made.

    Args:
        root: Data folder.

    Raises:
        InputError: a record is there that `save` did not write, or that was changed since.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / STRIPS / RECORD
        check_replaceable(self._file, earlier=is_our_json())
        self._made: dict[str, str] = dict(read_json(self._file)) if self._file.is_file() else {}

    def has(self, name: str, source: object) -> bool:
        """Whether the strip exists and was made from this."""
        return self._made.get(name) == _fingerprint(source) and (self._root / name).is_file()

    def add(self, name: str, source: object) -> None:
        """Remember a strip that was just made."""
        self._made[name] = _fingerprint(source)

    def save(self) -> None:
        """Write the record, of strips that still exist."""
        self._made = {name: made for name, made in self._made.items() if (self._root / name).is_file()}
        write_json(self._file, self._made, earlier=is_our_json())


def make_strips(root: Path, entries: Sequence[Entry], record: Record) -> None:
    """Write the strips that are missing or were made from other videos.

    Raises:
        InputError: a pair is damaged; the disk is full.
    """
    stale = [entry for entry in entries if not record.has(strip_name(entry.row.id), entry.checksums)]
    with (
        ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool,
        progress_bar("strips", total=len(entries), completed=len(entries) - len(stale)) as advance,
    ):
        try:
            for count, entry in enumerate(_as_made(pool, root, stale), start=1):
                record.add(strip_name(entry.row.id), entry.checksums)
                advance()
                if count % _SAVE_EVERY == 0:
                    record.save()
        finally:
            pool.shutdown(cancel_futures=True)
            record.save()


def write_strip(path: Path, clips: Iterable[NDArray[np.uint8]], fps: float) -> None:
    """Write clips `(T, H, W, C)` of one size side by side, reduced or enlarged to 128 to 256 pixels of height."""
    panels = [_fitted(clip_THWC) for clip_THWC in clips]
    frames, height, _, _ = panels[0].shape
    gap_THWC = np.full((frames, height, GAP, 3), BACKGROUND, np.uint8)
    spaced = [part for panel in panels for part in (gap_THWC, panel)][1:]
    write_video(path, np.concatenate(spaced, axis=2), fps, crf=CRF)


def _as_made(pool: ThreadPoolExecutor, root: Path, entries: Sequence[Entry]) -> Iterable[Entry]:
    running: dict[Future[None], Entry] = {pool.submit(_make, root, entry): entry for entry in entries}
    for done in as_completed(running):
        done.result()
        yield running.pop(done)


def _make(root: Path, entry: Entry) -> None:
    pair = read_pair(entry.folder)
    overlay_THWC = colour_quadmask(pair.rgb_full_THWC, pair.quadmask)
    write_strip(root / strip_name(entry.row.id), (pair.rgb_full_THWC, pair.rgb_removed_THWC, overlay_THWC), pair.fps)


def _fitted(frames_THWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    _, height, width, _ = frames_THWC.shape
    wanted = min(max(height, MIN_HEIGHT), MAX_HEIGHT)
    # H.264 needs even sides.
    size = (2 * round(width * wanted / height / 2), wanted - wanted % 2)
    if size == (width, height):
        return frames_THWC
    rule = cv2.INTER_AREA if wanted < height else cv2.INTER_NEAREST
    return np.stack([cv2.resize(frame_HWC, size, interpolation=rule) for frame_HWC in frames_THWC])


def _fingerprint(source: object) -> str:
    return sha256_of([VERSION, source])
