"""High dynamic range and wide gamut brought to BT.709, in which the models see and results are written.

HLG and PQ (ITU-R BT.2100) are turned into light on a display, primaries by ITU-R BT.2087, and the reference white of
BT.2408 becomes white:

    HLG   F = 1000 (inverse OETF(E'))^1.2
    PQ    F = 10000 EOTF(E')
    out   V = f(M F / white)^(1/2.4)                     M from the clip's primaries to BT.709's

In a clip that is brighter than its white, f leaves 95 % of the range as it is and presses what is above, up to the
clip's peak, below 1. It scales the three colors alike, so that bright colors keep their hue. HLG's exponent acts on
each color by itself, as in zscale's default: the same clip looks the same here and in ffmpeg.

Shape legend: H height, W width, C = 3 colours (RGB).
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

REFERENCE_WHITE = 203.0
"""Luminance of white in HDR video, in cd/m2 (BT.2408)."""
SDR_WHITE = 100.0
"""Luminance of white in SDR video that was put into an HDR file unchanged, in cd/m2; ffmpeg's zscale does so."""
KNEE = 0.95
"""Share of white up to which light is left as it is."""
GAMMA = 2.4
"""Exponent of a BT.709 display (BT.1886)."""
# Ratio of a clip's peak to its white above which the clip has highlights, and not only the noise of its coding.
_BRIGHTER = 1.1
_STRIP = 64
_PQ_PEAK = 10000.0
# Of HLG, whose code values are relative: on the display of 1000 cd/m2 that BT.2100 assumes.
_HLG_PEAK = 1000.0
_HLG_GAMMA = 1.2


class Transfer(StrEnum):
    """How code values stand for light."""

    sdr = "SDR"
    hlg = "HLG"
    pq = "PQ"


class Primaries(StrEnum):
    """Which colors the three channels stand for."""

    bt709 = "BT.709"
    bt2020 = "BT.2020"
    p3 = "Display P3"


_TO_BT709 = {
    Primaries.bt709: np.eye(3, dtype=np.float32),
    Primaries.bt2020: np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
    ),
    Primaries.p3: np.array([[1.2249, -0.2249, 0], [-0.0421, 1.0421, 0], [-0.0196, -0.0786, 1.0983]], np.float32),
}


def to_bt709(
    coded_HWC: NDArray[np.uint16], transfer: Transfer, primaries: Primaries, peak: float = 0.0
) -> NDArray[np.uint8]:
    """A picture in BT.709 of 8 bits.

    Args:
        coded_HWC: RGB code values of full range, 0 to 65535.
        transfer: Transfer function of the code values.
        primaries: Primaries of the code values.
        peak: Peak luminance of the clip in cd/m2; without meaning for SDR.
    """
    mapped_HWC = np.empty(coded_HWC.shape, np.uint8)
    # By strips: at once, a 4K picture would take half a gigabyte in float32.
    for top in range(0, len(coded_HWC), _STRIP):
        rows = slice(top, top + _STRIP)
        mapped_HWC[rows] = _map_strip(coded_HWC[rows], transfer, primaries, peak)
    return mapped_HWC


def _map_strip(
    coded_HWC: NDArray[np.uint16], transfer: Transfer, primaries: Primaries, peak: float
) -> NDArray[np.uint8]:
    light_HWC = _table(transfer)[coded_HWC]
    white = white_of(peak)
    if transfer is not Transfer.sdr:
        light_HWC /= np.float32(white)
    light_HWC = np.maximum(cv2.transform(light_HWC, _TO_BT709[primaries]), 0)
    if transfer is not Transfer.sdr and peak > _BRIGHTER * white:
        brightest_HW1 = light_HWC.max(axis=-1, keepdims=True)
        light_HWC *= _pressed(brightest_HW1, peak / white) / np.maximum(brightest_HW1, np.float32(1e-6))
    shown_HWC = cv2.pow(np.minimum(light_HWC, 1), 1 / GAMMA)
    return np.asarray(shown_HWC * 255 + 0.5).astype(np.uint8)


def peak_luminance(luma_HW: NDArray[np.uint16], transfer: Transfer) -> float:
    """Luminance in cd/m2 that all but a thousandth of the pixels stay below.

    Args:
        luma_HW: Code values of full range, 0 to 65535. Luma, because subsampled chroma overshoots at edges.
        transfer: Transfer function of the code values.
    """
    return float(_table(transfer)[int(np.quantile(luma_HW, 0.999))])


def white_of(peak: float) -> float:
    """Luminance that becomes white in a clip whose peak is known: SDR's where the peak is nearer to that, as a ratio.

    A lossy encoder overshoots at outlines, so the peak of an SDR clip lies above its white.
    """
    return SDR_WHITE if peak**2 < SDR_WHITE * REFERENCE_WHITE else REFERENCE_WHITE


def _pressed(light: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    """Light up to the knee as it is, from there to `peak` by the extended Reinhard curve to 1."""
    over = np.maximum(light - np.float32(KNEE), 0) / np.float32(1 - KNEE)
    limit = (peak - KNEE) / (1 - KNEE)
    curve = over * (1 + over / np.float32(limit**2)) / (1 + over)
    return np.minimum(light, np.float32(KNEE)) + np.float32(1 - KNEE) * np.minimum(curve, 1)


@lru_cache(maxsize=3)
def _table(transfer: Transfer) -> NDArray[np.float32]:
    """Light of each code value: in cd/m2, for SDR relative to white."""
    code = np.arange(65536) / 65535
    if transfer is Transfer.sdr:
        light = code**GAMMA
    elif transfer is Transfer.hlg:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        light = _HLG_PEAK * scene**_HLG_GAMMA
    else:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = code ** (1 / m2)
        light = _PQ_PEAK * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return light.astype(np.float32)
