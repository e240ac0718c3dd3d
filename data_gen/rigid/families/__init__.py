"""Families of rigid-body scenes: each a pure sampler with its own configuration and share of the mix.

A sampler draws objects and roles, nothing else; it imports neither Blender nor PyBullet. `registry` lists them.
"""
