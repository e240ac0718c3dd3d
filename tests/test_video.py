"""Videos and masks on disk: round trips, bad files, full disks."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from void import video
from void.errors import InputError
from void.quadmask import LEVELS, Quadmask
from void.video import masks

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "samples"
WIDTHS = [16, 32, 48, 64, 80, 96, 112, 128, 144, 176, 208, 336]


def clip(frames: int = 7, height: int = 32, width: int = 48) -> NDArray[np.uint8]:
    """A smooth gradient that moves, each frame and channel different."""
    time, rows, columns, channels = np.mgrid[0:frames, 0:height, 0:width, 0:3]
    wave = np.sin((rows + 2 * time) / 9 + channels) + np.cos((columns - 3 * time) / 11 + 2 * channels)
    return (127 + 55 * wave).astype(np.uint8)


def random_mask(frames: int = 7, height: int = 32, width: int = 48, seed: int = 0) -> Quadmask:
    return Quadmask.unpack(np.random.default_rng(seed).choice(LEVELS, (frames, height, width)).astype(np.uint8))


def run_ffmpeg(target: Path, frames_THWC: NDArray[np.uint8], *codec: str) -> Path:
    """Encode with arbitrary settings, as other people's tools would."""
    _, height, width, _ = frames_THWC.shape
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "12", "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, *codec, str(target)]
    subprocess.run(command, input=frames_THWC.tobytes(), check=True)
    return target


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("width", WIDTHS)
def test_video_round_trip_at_every_kind_of_width(tmp_path: Path, width: int) -> None:
    frames_THWC = clip(width=width)
    video.write_video(tmp_path / "a.mp4", frames_THWC, 12)
    decoded_THWC, fps = video.read_video(tmp_path / "a.mp4")
    assert decoded_THWC.shape == frames_THWC.shape and decoded_THWC.dtype == np.uint8
    assert psnr(decoded_THWC, frames_THWC) > 35
    assert fps == 12
    assert video.probe(tmp_path / "a.mp4") == video.VideoInfo(7, 32, width, 12.0)


@pytest.mark.parametrize("width", WIDTHS)
def test_mask_round_trip_is_exact(tmp_path: Path, width: int) -> None:
    mask = random_mask(width=width)
    video.write_mask(tmp_path / "m.mp4", mask, 12)
    decoded, fps = video.read_mask(tmp_path / "m.mp4")
    assert np.array_equal(decoded.pack(), mask.pack())
    assert fps == 12


def test_colours_survive(tmp_path: Path) -> None:
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 50, 120], [255, 255, 255], [0, 0, 0]], np.uint8)
    frames_THWC = np.broadcast_to(colours[:, None, None], (6, 32, 48, 3))
    video.write_video(tmp_path / "a.mp4", frames_THWC, 12)
    assert np.abs(video.read_video(tmp_path / "a.mp4")[0].astype(int) - frames_THWC).max() <= 2


def test_browsers_can_play_it(tmp_path: Path) -> None:
    video.write_video(tmp_path / "a.mp4", clip(), 12)
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    described = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(tmp_path / "a.mp4")], capture_output=True, text=True, check=False
    )
    assert re.search(r"Video: h264 .*yuv420p\(tv, bt709", described.stderr)


def test_same_frames_same_bytes_on_disk_and_in_memory(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        video.write_video(tmp_path / name, clip(), 12, crf=20)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert video.encode_mp4(clip(), 12, crf=20) == (tmp_path / "a.mp4").read_bytes()


def test_smaller_crf_is_closer(tmp_path: Path) -> None:
    quality = []
    for crf in (0, 16, 40):
        video.write_video(tmp_path / "a.mp4", clip(), 12, crf=crf)
        quality.append(psnr(video.read_video(tmp_path / "a.mp4")[0], clip()))
    assert quality == sorted(quality, reverse=True) and quality[1] > quality[2] + 3


@pytest.mark.parametrize("fps", [1, 12, 23.976, 29.97, 30000 / 1001, 60])
def test_frame_rates_survive(tmp_path: Path, fps: float) -> None:
    video.write_video(tmp_path / "a.mp4", clip(), fps)
    assert video.probe(tmp_path / "a.mp4").fps == pytest.approx(fps, rel=1e-4)


def test_progress_shows_the_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("void.progress.LINE_SECONDS", 0.0)
    with caplog.at_level("INFO"):
        video.write_video(tmp_path / "a.mp4", clip(), 12, progress=True)
        told = len(caplog.records)
        assert f"writing a.mp4: 1/{len(clip())}" in caplog.records[0].message
        video.write_video(tmp_path / "b.mp4", clip(), 12)
        assert len(caplog.records) == told > 0


def test_max_frames_reads_the_beginning(tmp_path: Path) -> None:
    video.write_video(tmp_path / "a.mp4", clip(), 12)
    whole = video.read_video(tmp_path / "a.mp4")[0]
    assert np.array_equal(video.read_video(tmp_path / "a.mp4", max_frames=3)[0], whole[:3])
    assert np.array_equal(video.read_video(tmp_path / "a.mp4", max_frames=99)[0], whole)


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    video.write_video(tmp_path / "a.mp4", clip(1), 12)
    assert video.probe(tmp_path / "a.mp4") == video.VideoInfo(1, 32, 48, 12.0)


@pytest.mark.parametrize(("height", "width", "remedy"), [(31, 48, "48x30"), (32, 47, "46x32"), (31, 47, "46x30")])
def test_odd_sizes_are_refused_not_padded(tmp_path: Path, height: int, width: int, remedy: str) -> None:
    with pytest.raises(InputError, match=rf"a\.mp4: the clip is {width}x{height}") as caught:
        video.write_video(tmp_path / "a.mp4", clip(2, height, width), 12)
    assert remedy in caught.value.remedy
    with pytest.raises(InputError, match=f"{width}x{height}"):
        video.write_mask(tmp_path / "m.mp4", random_mask(2, height, width), 12)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(31, 47), (95, 127), (3, 3)])
def test_odd_sizes_are_read_exactly(tmp_path: Path, size: tuple[int, int]) -> None:
    frames_THWC = clip(4, *size)
    odd = run_ffmpeg(tmp_path / "odd.mkv", frames_THWC, "-c:v", "ffv1", "-pix_fmt", "bgr0")
    assert np.array_equal(video.read_video(odd)[0], frames_THWC)
    assert video.probe(odd) == video.VideoInfo(4, *size, 12.0)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1e-9])
def test_impossible_rates_are_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(InputError, match="is not a frame rate"):
        video.write_video(tmp_path / "a.mp4", clip(), fps)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.mp4: a clip without frames"):
        video.write_video(tmp_path / "a.mp4", clip()[:0], 12)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", ["video", "mask"])
def test_full_disk(tmp_path: Path, full_disk: None, write: str) -> None:
    """The target is the kernel's always-full device, so this is ffmpeg's own message for a full disk."""
    with pytest.raises(InputError, match=r"no space left while writing .*a\.mp4"):
        if write == "video":
            video.write_video(tmp_path / "a.mp4", clip(), 12)
        else:
            video.write_mask(tmp_path / "a.mp4", random_mask(), 12)
    assert list(tmp_path.iterdir()) == []


def fake_ffmpeg(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    executable = folder / "ffmpeg"
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(executable))


def test_ffmpegs_complaint_is_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, "echo 'encoder exploded' >&2; exit 3", monkeypatch)
    with pytest.raises(RuntimeError, match=r"status 3 while writing .*a\.mp4:\nencoder exploded"):
        video.write_video(tmp_path / "out" / "a.mp4", clip(60, 128, 128), 12)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_long_complaint_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(tmp_path, "yes complaint | head -c 1000000 >&2; cat >/dev/null; exit 1", monkeypatch)
    with pytest.raises(RuntimeError, match="complaint"):
        video.write_video(tmp_path / "out" / "a.mp4", clip(60, 128, 128), 12)


def test_lost_frames_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = imageio_ffmpeg.get_ffmpeg_exe()
    # Asks the real ffmpeg for the first two frames only: its last argument is the target.
    script = f'for last; do :; done; exec {real} "${{@:1:$#-1}}" -frames:v 2 "$last"'
    fake_ffmpeg(tmp_path, f"exec bash -c '{script}' ffmpeg \"$@\"", monkeypatch)
    with pytest.raises(RuntimeError, match="wrote 2 of the 7 frames"):
        video.write_video(tmp_path / "out" / "a.mp4", clip(), 12)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_lossy_mask_is_never_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "MASK_CODEC", ("-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p"))
    with pytest.raises(InputError, match="does not decode to the values"):
        video.write_mask(tmp_path / "m.mp4", random_mask(), 12)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "codec",
    [
        ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "gray"),
        ("-c:v", "libx264rgb", "-qp", "0"),
        ("-c:v", "ffv1", "-pix_fmt", "gray"),
        ("-vf", "scale=out_range=pc", "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", "-color_range", "pc"),
    ],
)
def test_masks_of_other_lossless_encoders_are_read_exactly(tmp_path: Path, codec: tuple[str, ...]) -> None:
    mask = random_mask(height=64, width=80)
    frames_THWC = np.repeat(mask.pack()[..., None], 3, axis=-1)
    assert np.array_equal(video.read_mask(run_ffmpeg(tmp_path / "m.mkv", frames_THWC, *codec))[0].pack(), mask.pack())


def test_limited_range_masks_read_exactly(tmp_path: Path) -> None:
    """Losslessly coded from grey to limited-range yuv444p: the luma plane holds 16, 70, 125 and 235."""
    mask = random_mask(height=64, width=80)
    frames_THWC = np.repeat(mask.pack()[..., None], 3, axis=-1)
    file = run_ffmpeg(tmp_path / "m.mp4", frames_THWC, "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p")
    planes = ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-"]
    raw = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(file), *planes], capture_output=True, check=True)
    luma = np.frombuffer(raw.stdout, np.uint8)[: 64 * 80]
    assert set(np.unique(luma)) == {16, 70, 125, 235}
    assert np.array_equal(video.read_mask(file)[0].pack(), mask.pack())


def test_a_lossy_mask_is_refused_with_its_values(tmp_path: Path) -> None:
    frames_THWC = np.repeat(random_mask().pack()[..., None], 3, axis=-1)
    lossy = run_ffmpeg(tmp_path / "lossy.mp4", frames_THWC, "-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p")
    with pytest.raises(InputError, match=r"lossy\.mp4 holds grey values other than 0, 63, 127, 255: \d+, "):
        video.read_mask(lossy)


@pytest.mark.parametrize("reader", [video.probe, video.read_video, video.read_mask])
class TestBadFiles:
    def test_missing(self, tmp_path: Path, reader: object) -> None:
        self.refuses(reader, tmp_path / "a.mp4", r"a\.mp4 does not exist")

    def test_empty(self, tmp_path: Path, reader: object) -> None:
        (tmp_path / "a.mp4").touch()
        self.refuses(reader, tmp_path / "a.mp4", r"a\.mp4 is an empty file")

    def test_folder(self, tmp_path: Path, reader: object) -> None:
        self.refuses(reader, tmp_path, "is a folder, not a video")

    def test_text_renamed(self, tmp_path: Path, reader: object) -> None:
        (tmp_path / "a.mp4").write_text("this is a letter\n" * 50)
        self.refuses(reader, tmp_path / "a.mp4", r"a\.mp4 is not a video")

    def test_no_frames(self, tmp_path: Path, reader: object) -> None:
        run_ffmpeg(tmp_path / "a.mp4", clip()[:0], "-c:v", "libx264")
        self.refuses(reader, tmp_path / "a.mp4", r"a\.mp4 holds no frames")

    def test_index_cut_off(self, tmp_path: Path, reader: object) -> None:
        """Without faststart the index is at the end of the file."""
        file = run_ffmpeg(tmp_path / "a.mp4", clip(), "-c:v", "libx264", "-pix_fmt", "yuv420p")
        file.write_bytes(file.read_bytes()[:-200])
        self.refuses(reader, file, r"a\.mp4 is a truncated or damaged video: its index is missing")

    @staticmethod
    def refuses(reader: object, file: Path, problem: str) -> None:
        assert callable(reader)
        with pytest.raises(InputError, match=problem):
            reader(file)


@pytest.mark.parametrize("kind", ["video", "mask"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "a.mp4"
    if kind == "video":
        video.write_video(file, clip(24, 64, 64), 12)
    else:
        video.write_mask(file, random_mask(24, 64, 64), 12)
    content = file.read_bytes()
    for cut in [*range(1, len(content), len(content) // 40), len(content) - 1]:
        file.write_bytes(content[:cut])
        with pytest.raises(InputError, match=r"a\.mp4"):
            video.read_video(file)


@pytest.mark.parametrize("sample", ["BigBen/trimask_quadmask.mp4", "lime/quadmask_0.mp4"])
def test_released_sample_masks_hold_exact_levels(sample: str) -> None:
    """Where the released samples are at hand: the first frames of each mask, read through RGB, are the levels."""
    if not SAMPLES.exists():
        return
    frames_THWC, fps = video.read_video(SAMPLES / sample, max_frames=8)
    assert fps == 12
    assert {0, 127, 255} <= set(np.unique(frames_THWC)) <= set(LEVELS)
    assert Quadmask.unpack(np.ascontiguousarray(frames_THWC[..., 0])).primary_THW.any()


def test_frames_come_and_go_one_by_one(tmp_path: Path) -> None:
    frames_THWC = clip()
    whole, single = tmp_path / "whole.mp4", tmp_path / "single.mp4"
    video.write_video(whole, frames_THWC, 12)
    video.write_frames(single, iter(frames_THWC), frames_THWC.shape[:3], 12)
    assert single.read_bytes() == whole.read_bytes()
    decoded_THWC, _ = video.read_video(whole)
    np.testing.assert_array_equal(np.stack([*video.iter_video(whole)]), decoded_THWC)
    np.testing.assert_array_equal(np.stack([*video.iter_video(whole, max_frames=2)]), decoded_THWC[:2])


def test_a_clip_held_upright_is_turned_whole_and_frame_by_frame(tmp_path: Path) -> None:
    video.write_video(tmp_path / "lying.mp4", clip(), 12)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-display_rotation", "90"]
    subprocess.run([*command, "-i", tmp_path / "lying.mp4", "-c", "copy", tmp_path / "upright.mp4"], check=True)
    decoded_THWC, _ = video.read_video(tmp_path / "upright.mp4")
    frames, height, width, _ = clip().shape
    assert height != width and decoded_THWC.shape == (frames, width, height, 3)
    np.testing.assert_array_equal(np.stack([*video.iter_video(tmp_path / "upright.mp4")]), decoded_THWC)


def test_missing_frames_are_noticed(tmp_path: Path) -> None:
    frames, *size = clip().shape[:3]
    with pytest.raises(RuntimeError, match="of the"):
        video.write_frames(tmp_path / "a.mp4", iter(clip()[:-1]), (frames, *size), 12)
    assert not (tmp_path / "a.mp4").exists()
