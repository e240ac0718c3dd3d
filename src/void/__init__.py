"""VOID: remove an object from a video together with what it caused.

Formats (`quadmask`, `video`, `pairs`, `shapes`) are at the top; each folder is a room whose docstring says what lives
there. The simulators that make training pairs are the sibling package `data_gen`, which imports this one and is never
imported by it.
"""
