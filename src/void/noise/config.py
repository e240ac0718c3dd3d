"""Configuration of warped noise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from void.errors import InputError
from void.limits import FRACTION, above, at_least, check_limits


class FlowMethod(StrEnum):
    """Where optical flow comes from."""

    dis = "dis"
    raft = "raft"
    simulator = "simulator"


class NoiseVideo(StrEnum):
    """Which clip noise moves with."""

    target = "target"
    input = "input"
    pass1 = "pass1"


@dataclass
class NoiseConfig:
    """Initial noise of pass 2, warped along a clip's optical flow."""

    flow: FlowMethod = FlowMethod.dis
    """dis: OpenCV's dense inverse search, no weights; raft: torchvision's RAFT large, the paper's; simulator: what the
    simulator wrote beside a pair (scene.flow=true), for training on target or input."""
    raft_weights: str | None = None
    """safetensors file of RAFT large; null: torchvision downloads its own."""
    flow_downscale: int = 2
    """Frames are shrunk by this much before their flow is estimated, as in the published pass 2."""
    training_video: NoiseVideo = NoiseVideo.target
    """Clip of a pair whose motion training noise follows: target (the counterfactual), input (the factual one) or pass1
    (pass 1's result for the pair, in infer.pass2.first_pass)."""
    inference_video: NoiseVideo = NoiseVideo.pass1
    """The same at inference. input needs no first pass; target is for pairs only, and has seen the truth."""
    probability: float = 1.0
    """Probability, for each training sample, of warped noise; the others get plain Gaussian noise."""
    degradation: float = 0.3
    """Training mixes fresh noise into warped noise by a share drawn from 0 to this for each sample."""
    rotate_channels: bool = True
    """Each visit of a training sample turns its noise by a random rotation of the 16 channels: other values, the same
    statistics, so that the model cannot learn one noise by heart."""
    canvas: int = 32
    """Side, in canvas pixels, of the block that becomes one latent pixel."""
    carry_offsets: bool = True
    """Whether motion below a canvas pixel adds up from frame to frame; the released warper forgets it."""
    memory_gib: float = 2.0
    """The canvas is warped in groups of channels that fit into this much memory; the result is the same. The released
    warp takes all channels at once."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            flow_downscale=at_least(1),
            probability=FRACTION,
            degradation=FRACTION,
            canvas=at_least(1).or_use("use a whole number of at least 1; 32 is the paper's"),
            memory_gib=above(0),
        )


def check_noise(config: NoiseConfig) -> None:
    """Raise InputError for a file that `noise` names and that is missing."""
    if config.raft_weights is not None and not Path(config.raft_weights).is_file():
        raise InputError(
            f"noise.raft_weights={config.raft_weights} does not exist", "give a safetensors file, or null to download"
        )
