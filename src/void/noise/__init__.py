"""Noise that moves with a video: optical flow, the warp, its latents, its degradation.

Knows tensors and clips; nothing here knows of pairs, of training or of pipelines.
"""
