"""Configuration of warped noise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FlowMethod(StrEnum):
    """Optical-flow estimators."""

    dis = "dis"
    raft = "raft"


@dataclass
class NoiseConfig:
    """Initial noise of pass 2, warped along a clip's optical flow."""

    flow: FlowMethod = FlowMethod.dis
    """dis: OpenCV's dense inverse search, no weights; raft: torchvision's RAFT large, the paper's."""
    raft_weights: str | None = None
    """safetensors file of RAFT large; null: torchvision downloads its own."""
    flow_downscale: int = 2
    """Frames are shrunk by this much before their flow is estimated, as in the published pass 2."""
    canvas: int = 32
    """Side, in canvas pixels, of the block that becomes one latent pixel."""
    carry_offsets: bool = True
    """Whether motion below a canvas pixel adds up from frame to frame; the released warper forgets it."""
    memory_gib: float = 2.0
    """The canvas is warped in groups of channels that fit into this much memory; the result is the same."""
