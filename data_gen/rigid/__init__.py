"""Rigid-body scenes: families of samplers that draw which objects there are and how they start.

Sampling is pure (a plain dataclass from a seed). Physics, acceptance and rendering are those of `data_gen.scene`.
"""
