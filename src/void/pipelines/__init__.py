"""Sampling: the diffusers pipeline and the `void infer` command.

May use models, conditioning and diffusion; never training.
"""
