"""What Cycles can render on. Imports no Blender."""

DEVICES = ("cpu", "cuda", "optix", "hip", "oneapi", "metal")
