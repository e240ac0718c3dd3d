"""Captions of counterfactual clips, from the scene's own facts: what is there, what happens, where, the camera.

Events are read off the simulated world, never off the family's intent. Nothing here may name a removed object.
"""

from __future__ import annotations

from data_gen.scene.caption.compose import MAX_BYTES, MAX_WORDS, MIN_WORDS, caption

__all__ = ["MAX_BYTES", "MAX_WORDS", "MIN_WORDS", "caption"]
