"""A parametric human figure of our own: Mixamo's 65 joints, a smooth skin in parts, bodies that vary.

Holds no motion. Nothing here is from a file, so no licence comes with it.
"""

from __future__ import annotations

from data_gen.human.figure.build import Traits, build_figure, draw_traits

__all__ = ["Traits", "build_figure", "draw_traits"]
