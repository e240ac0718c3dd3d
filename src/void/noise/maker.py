"""From a clip to the noise that moves with it, as configuration and recipe say.

Shape legend: T frames or latent frames, C colours or latent channels, H and W pixel rows and columns, h and w latent
rows and columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from void.noise.config import FlowMethod, NoiseConfig
from void.noise.flow import FlowEstimator, check_flow, clip_flow, estimator
from void.noise.latents import latent_frames_at, warped_latents
from void.noise.released import released_latents
from void.recipe import NoiseGeometry, NoisePadding, RecipeConfig
from void.shapes import latent_shape

OnFrame = Callable[[], None]


class NoiseMaker:
    """Makes the initial noise of clips at the model's size.

    Args:
        config: flow, canvas and memory.
        recipe: the warp, its geometry and how padding is handled.
        device: where noise is drawn and warped. CPU and GPU draw different noise.

    Raises:
        InputError: the estimator of `noise.flow` can't be had here.
    """

    def __init__(self, config: NoiseConfig, recipe: RecipeConfig, device: torch.device) -> None:
        self.config, self.recipe, self.device = config, recipe, device
        if config.flow is not FlowMethod.simulator:
            _ = self._estimate

    def from_clip(
        self,
        frames_THWC: NDArray[np.uint8],
        seed: int,
        *,
        order: Sequence[int] | None = None,
        geometry: NoiseGeometry = NoiseGeometry.model,
        on_frame: OnFrame | None = None,
    ) -> Tensor:
        """Noise `(T_lat, 16, h, w)`, float32 on the CPU, that moves as a clip does.

        A clip that stands still, or has one frame, gives the same noise in every latent frame.

        Args:
            frames_THWC: uint8 RGB, the true frames, at the model's size.
            seed: of the noise.
            order: of a padded clip, the true frame that each of its frames repeats; its length is 8k+5. None: the
                clip is not padded.
            geometry: `recipe.noise_geometry` at inference; training noise is always at the model's.
            on_frame: called after each step of the warp.

        Raises:
            InputError: an illegal length or size, or a flow that is not finite.
        """
        count, height, width, _ = frames_THWC.shape
        order = range(count) if order is None else order
        shape = latent_shape(len(order), height, width)
        if geometry is NoiseGeometry.released:
            return released_latents(
                frames_THWC[list(order)],
                shape,
                self.config,
                self._estimate,
                seed,
                warp=self.recipe.noise_warp,
                device=self.device,
                on_frame=on_frame,
            )
        if self.recipe.noise_padding is NoisePadding.clip:
            frames_THWC, order = frames_THWC[list(order)], range(len(order))
        flow_T2HW = clip_flow(frames_THWC, self._estimate, self.config.flow_downscale)
        return self.from_flow(flow_T2HW, height, width, seed, order=order, on_frame=on_frame)

    def from_flow(
        self,
        flow_T2HW: Tensor,
        height: int,
        width: int,
        seed: int,
        *,
        order: Sequence[int] | None = None,
        on_frame: OnFrame | None = None,
    ) -> Tensor:
        """The same from a flow `(T - 1, 2, H, W)` in pixels of its own grid, which covers the clip."""
        frames = len(flow_T2HW) + 1
        check_flow(flow_T2HW, frames, "flow")
        order = range(frames) if order is None else order
        latent_shape(len(order), height, width)
        return warped_latents(
            flow_T2HW,
            [order[frame] for frame in latent_frames_at(len(order))],
            height,
            width,
            self.config,
            seed,
            warp=self.recipe.noise_warp,
            device=self.device,
            on_frame=on_frame,
        )

    @cached_property
    def _estimate(self) -> FlowEstimator:
        return estimator(self.config, self.device)
