"""Checkpoints for other programs: the released single file, a diffusers folder with its model card, ComfyUI's names.

May use models, pipelines and conditioning; never training.
"""
