"""Pages for people who look at a data set: every pair as a video, examples of rejected draws, statistics.

Reads finished pairs; writes gallery.html, statistics.html and gallery/ beside them, and nothing else.
"""

from __future__ import annotations

from data_gen.gallery.write import write_gallery

__all__ = ["write_gallery"]
