"""Checks of what a user gives, shared by the pipeline and the commands."""

from __future__ import annotations

import logging

from void.quadmask import Quadmask

log = logging.getLogger(__name__)

# An object that covers more of a clip than this is rarer than a mask in the opposite polarity.
REVERSED_SHARE = 0.6


def check_polarity(quadmask: Quadmask, where: str) -> None:
    """Warn where the mask seems reversed: more than 60 % of its pixels are to be removed.

    Args:
        quadmask: of the whole clip.
        where: file or argument that holds it, for the message.
    """
    share = float(quadmask.primary_THW.mean())
    if share > REVERSED_SHARE:
        log.warning(
            "%s asks to remove %.0f%% of the clip: it seems reversed. In a quadmask black (0) is removed and white "
            "(255) is kept. To invert one: Quadmask.unpack(quantise(255 - quadmask.pack())), both from void.quadmask; "
            "void.video.write_mask writes it",
            where,
            100 * share,
        )
