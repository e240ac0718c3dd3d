"""Tags of matrix, range, transfer and primaries are honoured; all that is read and written is BT.709."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from video.encoded import decode, described, encode, ffmpeg

from void.errors import InputError
from void.video import VideoFormat, probe, read_video, write_frames, write_video
from void.video.tone_mapping import REFERENCE_WHITE, Primaries, Transfer, peak_luminance, to_bt709, white_of

TRANSFERS = {"hlg": "arib-std-b67", "pq": "smpte2084"}


def ramps(frames: int = 3) -> NDArray[np.uint8]:
    """Smooth ramps of grey, red, green, blue and mixed colors, from black to white."""
    ramp = np.linspace(0, 255, 192).astype(np.uint8)
    colors = np.array([[1, 1, 1], [1, 0.2, 0.2], [0.2, 1, 0.2], [0.2, 0.2, 1], [1, 0.8, 0.3], [0.4, 0.7, 0.9]])
    rows = (ramp[None, :, None] * colors[:, None]).round().astype(np.uint8)
    return np.repeat(np.repeat(rows, 16, axis=0)[None], frames, axis=0)


def hdr(target: Path, frames_THWC: NDArray[np.uint8], transfer: str, nits: int, crf: int = 4) -> Path:
    """SDR put into HDR by zscale, whose white has a luminance of `nits`."""
    source = encode(
        target.with_suffix(".mkv"),
        frames_THWC,
        *("-vf", "format=gbrp,setparams=color_primaries=bt709:color_trc=bt709", "-c:v", "ffv1"),
    )
    convert = f"zscale=p=2020:t={TRANSFERS[transfer]}:m=2020_ncl:r=tv:npl={nits},format=yuv420p10le"
    codec = ("-c:v", "libx265", "-x265-params", "log-level=none", "-crf", str(crf), "-tag:v", "hvc1")
    ffmpeg("-i", source, "-vf", convert, *codec, target)
    return target


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("transfer", ["hlg", "pq"])
@pytest.mark.parametrize("nits", [100, 203])
def test_an_hdr_clip_comes_out_as_the_sdr_it_was_made_from(
    tmp_path: Path, transfer: str, nits: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = hdr(tmp_path / "a.mp4", ramps(), transfer, nits)
    read_THWC, _ = read_video(file)
    assert difference(read_THWC, ramps()) < 4
    assert difference(read_THWC[:, 2:14], ramps()[:, 2:14]) < 2  # The grey ramp.
    tone_map = f"zscale=t=linear:npl={nits},format=gbrpf32le,zscale=p=bt709,tonemap=clip:desat=0"
    by_ffmpeg_THWC = decode(file, "-vf", f"{tone_map},zscale=t=bt709:m=bt709:r=pc,format=gbrp")
    assert difference(read_THWC, by_ffmpeg_THWC) < 4
    assert f"is {transfer.upper()} in BT.2020: it is tone-mapped to BT.709, {nits} cd/m2 becomes white" in caplog.text


def test_highlights_keep_their_order_and_their_hue() -> None:
    code = np.linspace(0, 65535, 512).astype(np.uint16)
    grey_HWC = np.repeat(code[None, :, None], 3, axis=-1)
    for transfer in (Transfer.hlg, Transfer.pq):
        mapped = to_bt709(grey_HWC, transfer, Primaries.bt2020, peak=1000.0)[0].astype(int)
        assert (np.diff(mapped[:, 0]) >= 0).all() and mapped[0].max() == 0 and mapped[-1].min() == 255
        assert (np.ptp(mapped, axis=-1) <= 1).all()
    orange_HWC = np.array([[[65535, 52000, 30000]]], np.uint16)
    red, green, blue = to_bt709(orange_HWC, Transfer.hlg, Primaries.bt709, peak=1000.0)[0, 0]
    assert red > green + 20 and green > blue + 20


def test_reference_white_is_white_where_the_clip_is_brighter() -> None:
    """75 % of HLG and 58 % of PQ are 203 cd/m2 (BT.2408)."""
    for transfer, code in ((Transfer.hlg, 0.75), (Transfer.pq, 0.5807)):
        luma_HW = np.full((4, 4), round(code * 65535), np.uint16)
        assert peak_luminance(luma_HW, transfer) == pytest.approx(REFERENCE_WHITE, rel=0.01)
        white = to_bt709(np.repeat(luma_HW[..., None], 3, axis=-1), transfer, Primaries.bt2020, peak=1000.0)
        assert (white >= 251).all()
    assert (white_of(1000), white_of(203), white_of(100)) == (203, 203, 100)


def test_overshoot_of_a_lossy_encoder_is_no_highlight(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x240:rate=8", "-frames:v", "4", "-c:v", "ffv1", tmp_path / "sharp.mkv")
    sharp_THWC = decode(tmp_path / "sharp.mkv")
    read_THWC, _ = read_video(hdr(tmp_path / "a.mp4", sharp_THWC, "hlg", 100, crf=28))
    white_THW = (sharp_THWC == 255).all(axis=-1)
    assert white_THW.any() and np.median(read_THWC[white_THW]) >= 251


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc", "smpte240m"])
@pytest.mark.parametrize("full", [False, True])
def test_matrix_and_range_tags_are_honoured(tmp_path: Path, matrix: str, full: bool) -> None:
    names = {"smpte170m": "bt601", "bt2020nc": "bt2020"}
    depth = "pc" if full else "tv"
    convert = f"scale=out_color_matrix={names.get(matrix, matrix)}:out_range={depth},format=yuv444p"
    tags = f"setparams=colorspace={matrix}:range={depth}:color_trc=bt709:color_primaries=bt709"
    file = encode(tmp_path / "a.mp4", ramps(), "-vf", f"{convert},{tags}", "-c:v", "libx264", "-qp", "0")
    assert np.abs(read_video(file)[0].astype(int) - ramps()).max() <= 4


def test_untagged_clips_are_read_as_ffmpeg_reads_them(tmp_path: Path) -> None:
    convert = "scale=out_color_matrix=bt601:out_range=tv,format=yuv444p,setparams=colorspace=unknown"
    file = encode(tmp_path / "a.avi", ramps(), "-vf", convert, "-c:v", "ffv1")
    assert np.abs(read_video(file)[0].astype(int) - ramps()).max() <= 4
    assert np.abs(read_video(file)[0].astype(int) - decode(file)).max() <= 1


def test_wide_gamut_is_brought_to_bt709(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain = encode(tmp_path / "a.mkv", ramps(), "-vf", "format=gbrp,setparams=color_primaries=bt709", "-c:v", "ffv1")
    convert = "zscale=tin=bt709:t=bt709:p=2020:m=2020_ncl:r=tv,format=yuv444p10le"
    ffmpeg(
        "-i", plain, "-vf", convert, "-c:v", "libx265", "-x265-params", "log-level=none:lossless=1", tmp_path / "w.mp4"
    )
    assert difference(read_video(tmp_path / "w.mp4")[0], ramps()) < 1.5
    assert "BT.2020 colors" in caplog.text


def test_a_matrix_that_cannot_be_converted_is_refused_with_a_command_that_can(tmp_path: Path) -> None:
    file = encode(
        tmp_path / "a.mp4", ramps(), "-vf", "scale,format=yuv444p,setparams=colorspace=ycgco", "-c:v", "libx264"
    )
    with pytest.raises(InputError, match=r"a\.mp4 has colors of a rare kind \(matrix 8") as caught:
        read_video(file)
    command = caught.value.remedy.split("convert it: ffmpeg ")[1].split(" ")
    ffmpeg(*command)
    assert probe(tmp_path / "a-converted.mp4").frames == 3


@pytest.mark.parametrize("format", [VideoFormat.h264, VideoFormat.prores])
def test_results_carry_full_bt709_tags(tmp_path: Path, format: VideoFormat) -> None:
    file = tmp_path / f"a{format.suffix}"
    write_frames(file, ramps(), ramps().shape[:3], 24, format=format)
    # ffmpeg prints one name where matrix, primaries and transfer have the same.
    assert "(tv, bt709, " in described(file)
    if format is VideoFormat.h264:
        write_video(tmp_path / "b.mp4", ramps(), 24)
        assert (tmp_path / "b.mp4").read_bytes() == file.read_bytes()
