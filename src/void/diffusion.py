"""The diffusion process in its velocity form, for training and sampling alike.

    x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) n          a_t = alphas_cumprod[t]
    v   = sqrt(a_t) n   - sqrt(1 - a_t) x_0
    x_0 = sqrt(a_t) x_t - sqrt(1 - a_t) v

With the schedule rescaled to zero terminal signal-to-noise ratio a_999 = 0: there the input is pure noise and v = -x_0.

The coefficients are float32 unless a recipe asks for bfloat16. Diffusers' schedulers take a_t, and its roots, in the
samples' type, so the released training has them in bfloat16: no noise at all for t <= 1, and 14 distinct levels for
t < 50.
"""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler
from torch import Tensor


class Schedule:
    """Noise levels of the training steps 0..num_train_timesteps-1.

    Args:
        scheduler: whose configuration defines the levels; the sampler steps through the very same ones.
        dtype: in which a_t and its roots are computed; what they multiply is float32 always.
    """

    def __init__(self, scheduler: DDIMScheduler, dtype: torch.dtype = torch.float32) -> None:
        assert scheduler.config.prediction_type == "v_prediction"
        self.alphas_cumprod: Tensor = scheduler.alphas_cumprod.to(dtype)
        self.num_train_timesteps: int = scheduler.config.num_train_timesteps

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """The noisy sample x_t, float32. `x0`, `noise`: `(B, ...)`; `t`: int64 `(B,)`."""
        signal, sigma = self._coefficients(t, x0)
        return signal * x0.float() + sigma * noise.float()

    def velocity(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """The training target v, float32. Shapes as `add_noise`."""
        signal, sigma = self._coefficients(t, x0)
        return signal * noise.float() - sigma * x0.float()

    def x0_from_velocity(self, noisy: Tensor, velocity: Tensor, t: Tensor) -> Tensor:
        """The clean sample that a velocity at x_t implies, float32. Shapes as `add_noise`."""
        signal, sigma = self._coefficients(t, noisy)
        return signal * noisy.float() - sigma * velocity.float()

    def _coefficients(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        assert t.shape == (like.shape[0],)
        alpha = self.alphas_cumprod.to(like.device)[t].view(-1, *[1] * (like.ndim - 1))
        return alpha.sqrt().float(), (1 - alpha).sqrt().float()
