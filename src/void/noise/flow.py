"""Optical flow: where each pixel of a frame is in the next one.

Every estimator maps two frames of one size to the forward flow: float32 `(2, H, W)`, (x, y) displacement in pixels from
the first frame to the second, on the first frame's grid, x to the right and y down.

Shape legend: T frames, H height, W width, C = 3 colour channels (RGB), B = 1.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from void.errors import InputError
from void.models.loading import load_strict
from void.noise.config import FlowMethod, NoiseConfig

RAFT_SIZE_MULTIPLE = 8
# Below this, RAFT's correlation pyramid has a level without pixels.
RAFT_MIN_SIDE = 128


class FlowEstimator(Protocol):
    """Forward flow from one frame to the next."""

    def __call__(self, first_HWC: NDArray[np.uint8], second_HWC: NDArray[np.uint8]) -> Tensor:
        """Float32 `(2, H, W)` on the CPU, (x, y) in pixels, on the grid of `first_HWC`."""
        ...


class DisFlow:
    """OpenCV's dense inverse search (Kroeger et al., ECCV 2016): no weights, tens of milliseconds a frame on a CPU.

    The medium preset, but down to the finest scale: it stops at half the resolution otherwise, with several times the
    error on small things.
    """

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._search.setFinestScale(0)

    def __call__(self, first_HWC: NDArray[np.uint8], second_HWC: NDArray[np.uint8]) -> Tensor:
        first_HW, second_HW = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first_HWC, second_HWC))
        flow_HW2 = self._search.calc(first_HW, second_HW, np.zeros((*first_HW.shape, 2), np.float32))
        return torch.from_numpy(np.ascontiguousarray(flow_HW2.transpose(2, 0, 1)))


class RaftFlow:
    """torchvision's RAFT large (Teed and Deng, ECCV 2020) with its 12 updates: the paper's estimator.

    Args:
        weights: its state dict as safetensors; None: torchvision's own (C_T_SKHT_V2), downloaded on first use.
        device: where it runs.

    Raises:
        InputError: torchvision is not installed, or the weights are missing or do not fit.
    """

    def __init__(self, weights: str | None, device: torch.device) -> None:
        try:
            from torchvision.models.optical_flow import Raft_Large_Weights, raft_large
        # A build for another torch raises RuntimeError.
        except (ImportError, RuntimeError) as error:
            raise InputError(
                f"noise.flow=raft needs torchvision, which does not import ({error})",
                "install the torchvision that belongs to this torch (`void doctor noise.flow=raft stage=pass2` names "
                "it), or use noise.flow=dis",
            ) from error
        self._device = device
        self._network = raft_large(weights=Raft_Large_Weights.C_T_SKHT_V2 if weights is None else None)
        if weights is not None:
            load_strict(self._network, Path(weights))
        self._network.to(device).eval()

    @torch.no_grad()
    def __call__(self, first_HWC: NDArray[np.uint8], second_HWC: NDArray[np.uint8]) -> Tensor:
        height, width = first_HWC.shape[:2]
        size = tuple(
            max(RAFT_MIN_SIDE, -(-side // RAFT_SIZE_MULTIPLE) * RAFT_SIZE_MULTIPLE) for side in (height, width)
        )
        first, second = (self._prepared(frame, size) for frame in (first_HWC, second_HWC))
        return resize_flow(self._network(first, second)[-1][0], height, width).cpu()

    def _prepared(self, frame_HWC: NDArray[np.uint8], size: tuple[int, ...]) -> Tensor:
        frame_BCHW = torch.from_numpy(frame_HWC).to(self._device).permute(2, 0, 1)[None].float() / 127.5 - 1
        return F.interpolate(frame_BCHW, size, mode="bilinear")


def estimator(config: NoiseConfig, device: torch.device) -> FlowEstimator:
    """The estimator that `noise.flow` names.

    Raises:
        InputError: it can't be had here.
    """
    if config.flow is FlowMethod.simulator:
        raise InputError(
            "noise.flow=simulator needs the flow beside a pair; a clip has none",
            "use noise.flow=dis, or train on pairs generated with scene.flow=true",
        )
    return DisFlow() if config.flow is FlowMethod.dis else RaftFlow(config.raft_weights, device)


def clip_flow(frames_THWC: NDArray[np.uint8], estimate: FlowEstimator, downscale: int = 1) -> Tensor:
    """Flow between a clip's neighbouring frames: `(T-1, 2, H // downscale, W // downscale)`, in pixels of that grid.

    Args:
        frames_THWC: RGB, uint8.
        estimate: the estimator.
        downscale: frames are shrunk by this first.

    Raises:
        InputError: the flow is not finite.
    """
    count, height, width, _ = frames_THWC.shape
    size = (max(1, width // downscale), max(1, height // downscale))
    small = [
        frame if downscale == 1 else cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames_THWC
    ]
    flows = [estimate(first, second) for first, second in itertools.pairwise(small)]
    flow_T2HW = torch.stack(flows) if flows else torch.zeros(0, 2, size[1], size[0])
    check_flow(flow_T2HW, count, "optical flow")
    return flow_T2HW


def resize_flow(flow_2HW: Tensor, height: int, width: int) -> Tensor:
    """A flow on another grid, bilinearly, its values in pixels of the new grid."""
    _, from_height, from_width = flow_2HW.shape
    scale = torch.tensor([width / from_width, height / from_height], device=flow_2HW.device)
    resized_2HW = F.interpolate(flow_2HW[None], (height, width), mode="bilinear")[0]
    return resized_2HW * scale[:, None, None]


def check_flow(flow_T2HW: Tensor, frames: int, where: str) -> None:
    """Raise InputError unless there is one finite flow between each two neighbours of `frames` frames.

    Args:
        where: what or which file holds the flow, for the message.
    """
    if flow_T2HW.ndim != 4 or flow_T2HW.shape[1] != 2 or len(flow_T2HW) != frames - 1:
        raise InputError(
            f"{where} is {tuple(flow_T2HW.shape)}; {frames} frames need ({frames - 1}, 2, H, W)",
            "compute the flow of the very clip that the noise is for",
        )
    broken = [index for index, flow_2HW in enumerate(flow_T2HW) if not flow_2HW.isfinite().all()]
    if broken:
        raise InputError(
            f"{where} is not finite between frames {broken[0]} and {broken[0] + 1}",
            "check the clip there, or estimate the flow by another method (noise.flow)",
        )
