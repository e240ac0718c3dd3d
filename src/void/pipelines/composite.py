"""Which share of each pixel of a result comes from the model, and which from the input.

With `infer.composite=feather` the model gives what the quadmask marks, primary and affected. What it keeps comes from
the input, bit for bit, but for a seam of `infer.feather` pixels around what is marked, in which the model's share falls
evenly to nothing. A window (`infer.region=auto`) meets the rest of the picture in the same way: along its sides, which
keep a distance from what is marked, the model's share rises from nothing over as many pixels.

Shape legend: H height, W width, C colours.
"""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from void.pipelines.frame_fit import Box, Size

PixelT = TypeVar("PixelT", bound=np.unsignedinteger[Any])


def mask_share(marked_HW: NDArray[np.bool_], feather: int) -> NDArray[np.float32]:
    """The model's share around what is marked: 1 there, and 0 at a distance of more than `feather` pixels.

    Args:
        marked_HW: Marked pixels.
        feather: Width of the seam, pixels; 0 for none.
    """
    if not feather or not marked_HW.any():
        return marked_HW.astype(np.float32)
    distance_HW = cv2.distanceTransform((~marked_HW).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share_HW = np.maximum(0, 1 - distance_HW / (feather + 1))
    return np.where(distance_HW > feather, 0, share_HW).astype(np.float32)


def composite(
    result_HWC: NDArray[PixelT], original_HWC: NDArray[PixelT], marked_HW: NDArray[np.bool_], feather: int
) -> NDArray[PixelT]:
    """The result where something is marked, and the input elsewhere.

    Args:
        result_HWC: What the model made.
        original_HWC: The input, of the same size and type.
        marked_HW: Marked pixels.
        feather: Width of the seam, pixels; 0 for none.
    """
    whole_HWC = original_HWC.copy()
    rows, columns = np.flatnonzero(marked_HW.any(axis=1)), np.flatnonzero(marked_HW.any(axis=0))
    if not len(rows):
        return whole_HWC
    # The rest of a large picture is not looked at.
    top, left = max(0, rows[0] - feather), max(0, columns[0] - feather)
    near = (slice(top, rows[-1] + feather + 1), slice(left, columns[-1] + feather + 1))
    whole_HWC[near] = blend(result_HWC[near], original_HWC[near], mask_share(marked_HW[near], feather))
    return whole_HWC


def window_share(box: Box, picture: Size, feather: int) -> NDArray[np.float32]:
    """The model's share inside a window, `(box.height, box.width)`: rising from its sides, but not from the picture's.

    Args:
        box: The window.
        picture: `(H, W)` of the picture that it is in.
        feather: Pixels over which the share rises.
    """
    rows, columns = (
        _rise(size, feather, first > 0, first + size < whole)
        for first, size, whole in ((box.top, box.height, picture[0]), (box.left, box.width, picture[1]))
    )
    return np.minimum(rows[:, None], columns[None])


def blend(result_HWC: NDArray[PixelT], original_HWC: NDArray[PixelT], share_HW: NDArray[np.float32]) -> NDArray[PixelT]:
    """A picture with the model's share of each pixel; where that is 0 or 1, the pixel is the given one, bit for bit.

    Args:
        result_HWC: What the model made.
        original_HWC: The input, of the same size and type.
        share_HW: The model's share of each pixel, 0 to 1.
    """
    blended_HWC = np.where((share_HW == 1)[..., None], result_HWC, original_HWC)
    seam_HW = (share_HW > 0) & (share_HW < 1)
    share_N1 = share_HW[seam_HW][:, None]
    mixed_NC = share_N1 * result_HWC[seam_HW] + (1 - share_N1) * original_HWC[seam_HW]
    blended_HWC[seam_HW] = np.rint(mixed_NC).astype(result_HWC.dtype)
    return blended_HWC


def _rise(size: int, feather: int, from_first: bool, from_last: bool) -> NDArray[np.float32]:
    """Shares along one side of a window."""
    places = np.arange(1, size + 1, dtype=np.float32)
    share = np.ones(size, np.float32)
    for is_inside, distance in ((from_first, places), (from_last, places[::-1])):
        if is_inside:
            share = np.minimum(share, distance / (feather + 1))
    return share
