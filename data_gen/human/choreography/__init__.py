"""Motions of our own: a figure and what it handles, from gait, reaches and flights. No recording, so no licence.

A sequence is `<motion>_<object>_<number>`; its name alone decides all of it.
"""

from __future__ import annotations

from data_gen.human.choreography.motions import MOTIONS, compose_motion, sequence_names

__all__ = ["MOTIONS", "compose_motion", "sequence_names"]
