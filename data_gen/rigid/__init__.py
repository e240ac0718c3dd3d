"""Rigid-body scenes with Kubric: sample -> simulate -> accept -> render.

Sampling is pure (a plain dataclass from a seed); only accepted scenes are rendered.
"""
