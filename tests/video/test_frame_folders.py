"""Folders of numbered frames as clips, and single pictures as clips of one frame."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from void.errors import InputError
from void.video import iter_video, probe, read_mask, read_video


def frames(count: int = 12) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 30, 44, 3)).astype(np.uint8)


def write(folder: Path, pictures: NDArray[np.generic], pattern: str = "frame_{}.png", first: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(pictures, start=first):
        cv2.imwrite(str(folder / pattern.format(index)), picture[..., ::-1] if picture.ndim == 3 else picture)
    return folder


@pytest.mark.parametrize("pattern", ["{}.png", "frame_{:04d}.png", "shot2_{}.PNG", "a.{:03d}.tif", "{:06d}.bmp"])
@pytest.mark.parametrize("first", [0, 1, 95])
def test_frames_in_the_order_of_their_numbers(tmp_path: Path, pattern: str, first: int) -> None:
    """Frame 10 comes after frame 9, whatever the order of the names."""
    folder = write(tmp_path / "clip", frames(), pattern, first)
    (folder / ".DS_Store").touch()
    (folder / "notes.txt").touch()
    assert np.array_equal(read_video(folder)[0], frames())
    assert np.array_equal(read_video(folder, max_frames=4)[0], frames()[:4])
    assert np.array_equal(np.stack([*iter_video(folder)]), frames())
    info = probe(folder)
    assert (info.frames, info.height, info.width, info.fps) == (12, 30, 44, 12.0)


def test_16_bits_grey_and_transparency(tmp_path: Path) -> None:
    eight = frames(2)
    assert np.array_equal(read_video(write(tmp_path / "deep", eight.astype(np.uint16) * 257))[0], eight)
    assert np.array_equal(read_video(write(tmp_path / "grey", eight[..., 0]))[0], np.repeat(eight[..., :1], 3, -1))
    covered = np.concatenate([eight, np.full((*eight.shape[:3], 1), 255, np.uint8)], axis=-1)
    covered[:, :10, :, 3] = 0
    (tmp_path / "alpha").mkdir()
    for index, picture in enumerate(covered):
        cv2.imwrite(str(tmp_path / "alpha" / f"{index}.png"), picture[..., [2, 1, 0, 3]])
    read_THWC, _ = read_video(tmp_path / "alpha")
    assert (read_THWC[:, :10] == 0).all() and np.array_equal(read_THWC[:, 10:], eight[:, 10:])


def test_jpeg_frames_are_close(tmp_path: Path) -> None:
    smooth = np.repeat(np.linspace(0, 255, 44).astype(np.uint8)[None, None, :, None], 3, axis=-1).repeat(30, axis=1)
    read_THWC, _ = read_video(write(tmp_path / "clip", smooth, "{}.jpg"))
    assert np.abs(read_THWC.astype(int) - smooth).max() <= 6


def test_a_rate_beside_the_frames(tmp_path: Path) -> None:
    folder = write(tmp_path / "clip", frames(3))
    (folder / "frames.json").write_text(json.dumps({"fps": 23.976}))
    assert probe(folder).fps == 23.976
    for broken in ("[]", '{"fps": 0}', '{"fps": "fast"}', '{"fps": 24, "timestamps": [0, 1]}', '{"fps": NaN}'):
        (folder / "frames.json").write_text(broken)
        with pytest.raises(InputError, match=r"frames\.json"):
            probe(folder)


def test_a_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    file = write(tmp_path, frames(1)) / "frame_1.png"
    assert (probe(file).frames, read_video(file)[0].shape) == (1, (1, 30, 44, 3))
    assert np.array_equal(read_video(file)[0], frames(1))


def test_a_mask_of_frames_is_exact(tmp_path: Path) -> None:
    levels = np.random.default_rng(1).choice([0, 63, 127, 255], (3, 30, 44)).astype(np.uint8)
    assert np.array_equal(read_mask(write(tmp_path / "mask", levels))[0].pack(), levels)


class TestBadFolders:
    def test_gap(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "clip", frames(5))
        (folder / "frame_3.png").unlink()
        self.refuses(folder, "lacks frame 3: it has 4 frames numbered 1 to 5")

    def test_no_numbers(self, tmp_path: Path) -> None:
        self.refuses(write(tmp_path / "clip", frames(1), "cover.png"), r"cover\.png has no number")

    def test_two_clips(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "clip", frames(2), "a_{}.png")
        self.refuses(write(folder, frames(2), "b_{}.png"), r"two frames numbered 1: a_1\.png, b_1\.png")

    def test_two_kinds(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "clip", frames(2), "{}.png")
        self.refuses(write(folder, frames(2), "{}.jpg"), r"several kinds: \.jpg, \.png")

    def test_broken_picture(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "clip", frames(2))
        (folder / "frame_2.png").write_text("not a picture")
        self.refuses(folder, r"frame_2\.png is not a picture")

    def test_a_picture_that_claims_an_impossible_size(self, tmp_path: Path) -> None:
        """OpenCV raises an error of its own."""
        folder = write(tmp_path / "clip", frames(1), "{}.bmp")
        content = bytearray((folder / "1.bmp").read_bytes())
        content[18:26] = (2**30).to_bytes(4, "little") * 2
        (folder / "1.bmp").write_bytes(content)
        self.refuses(folder, r"1\.bmp is not a picture")

    def test_two_sizes(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "clip", frames(2))
        write(folder, frames(1)[:, :20], first=2)
        self.refuses(folder, r"frame_2\.png is 44x20 pixels, frames before it 44x30")

    def test_nothing(self, tmp_path: Path) -> None:
        self.refuses(tmp_path, "is a folder, not a video, and holds no numbered frames")

    @staticmethod
    def refuses(folder: Path, problem: str) -> None:
        with pytest.raises(InputError, match=problem):
            read_video(folder)
